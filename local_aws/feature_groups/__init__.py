"""SageMaker's feature groups: create, describe, list, update, delete, the features' metadata and the groups' tags."""
