"""SageMaker's model registry: model package groups, the versions in them, and packages that stand alone."""
