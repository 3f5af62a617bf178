"""What the registry knows, written into SageMaker: metadata of features, and lineage entities."""
