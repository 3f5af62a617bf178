"""What client and server say to each other: pydantic models and the standard library, nothing else."""
