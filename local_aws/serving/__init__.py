"""Models that really answer: a process per container that loads ``model.tar.gz`` and speaks SageMaker's contract."""

from festaf.local_aws.serving.pipeline import Container, Pipeline
from festaf.local_aws.serving.worker import Answered, Worker, WorkerError, WorkerGoneError, WorkerTimeoutError

__all__ = ["Answered", "Container", "Pipeline", "Worker", "WorkerError", "WorkerGoneError", "WorkerTimeoutError"]
