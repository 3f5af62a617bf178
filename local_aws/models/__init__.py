"""SageMaker's models: what was asked for, and what it takes to serve it."""

from festaf.local_aws.models.containers import MODEL, find_model, load, load_containers, resolve
from festaf.local_aws.models.service import ModelService

__all__ = ["MODEL", "ModelService", "find_model", "load", "load_containers", "resolve"]
