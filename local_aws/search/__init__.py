"""SageMaker's Search over feature groups, features, model packages, training jobs, models and endpoints."""
