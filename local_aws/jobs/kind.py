"""What sets one kind of job apart in SageMaker's API: its names and its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from festaf.local_aws.resources.resource import Resource


@dataclass(frozen=True)
class JobKind:
    """A kind of job."""

    arn: str
    """The kind as it stands in an ARN."""
    noun: str
    """As its members begin, such as ``TrainingJob`` in ``TrainingJobName``."""
    verb: str
    """As the members with its times begin, such as ``Training`` in ``TrainingEndTime``."""
    words: str
    """As AWS calls it in a sentence."""
    absent: str
    """AWS's message when there is none, with ``{name}``."""
    taken: str
    """AWS's message when there is one already, with ``{arn}``."""

    absent_code: str = "ValidationException"
    """AWS's code when there is none."""
    deleting: str | None = None
    """The status of a job that is being deleted; None when it keeps the one that it has."""
    delete_failed: str | None = None
    """The status of a job whose deletion failed; None when there is no such status, and none fails."""

    @property
    def name_key(self) -> str:
        """Give the member with the name."""
        return f"{self.noun}Name"

    @property
    def status_key(self) -> str:
        """Give the member with the status."""
        return f"{self.noun}Status"

    def in_use(self, job: Resource) -> ApiError:
        """Make the error of a name that is taken."""
        return ApiError("ResourceInUse", self.taken.format(arn=job.arn))

    def over_limit(self, allowed: int, has: int) -> ApiError:
        """Make the error of too many jobs at once."""
        return ApiError(
            "ResourceLimitExceeded",
            f"The account-level service limit 'Number of instances across all {self.words}s' is {allowed} Instances, "
            f"with current utilization of {has} Instances and a request delta of 1 Instances. Please use AWS Service "
            "Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS support "
            "to request an increase for this quota.",
        )

    def busy(self, status: str) -> ApiError:
        """Make the error of the deletion of a job that has not ended."""
        return ApiError("ResourceInUse", f"The {self.words} is in status {status} and cannot be deleted.")

    def rejected(self, status: str) -> ApiError:
        """Make the error of a request that does not fit the job's status."""
        return ApiError(
            "ValidationException", f"The request was rejected because the {self.words} is in status {status}."
        )


TRAINING = JobKind(
    arn="training-job",
    noun="TrainingJob",
    verb="Training",
    words="training job",
    absent="Requested resource not found.",
    taken="Training job names must be unique within an AWS account and region, and a training job with this name "
    "already exists ({arn})",
    deleting="Deleting",
)
PROCESSING = JobKind(
    arn="processing-job",
    noun="ProcessingJob",
    verb="Processing",
    words="processing job",
    absent="Could not find requested job with name: {name}",
    taken="Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})",
)
TRANSFORM = JobKind(
    arn="transform-job",
    noun="TransformJob",
    verb="Transform",
    words="transform job",
    absent="Could not find requested job with name: {name}",
    taken="Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})",
)
TUNING = JobKind(
    arn="hyper-parameter-tuning-job",
    noun="HyperParameterTuningJob",
    verb="HyperParameterTuning",
    words="hyperparameter tuning job",
    absent="Amazon SageMaker can't find a tuning job with the name {name}.",
    absent_code="ResourceNotFound",
    taken="Hyperparameter tuning job names must be unique within an AWS account and region, and a job with this name "
    "already exists ({arn})",
    deleting="Deleting",
    delete_failed="DeleteFailed",
)
