"""SageMaker Model Monitor: schedules on endpoints, their executions, and alarms on drift."""
