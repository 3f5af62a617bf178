"""SageMaker Model Monitor: schedules, executions that really run, and the analyzer that stands in for AWS's image."""
