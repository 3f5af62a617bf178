"""SageMaker's lineage: artifacts, actions and contexts, the associations between them, and queries over all of it."""
