"""Everything that the Airflow side raises on purpose, and the named sets into which AWS's error codes are sorted.

    AirflowException
    └── FestafError                     a retry of the task may cure it
        ├── ServiceError                AWS throttled, failed or did not answer until the deadline
        ├── QuotaError                  an AWS quota stayed full until the deadline
        └── FinalError                  a retry cannot cure it (AirflowFailException)
            ├── InputError              what the author or the rows say cannot be done
            ├── BackendNotImplementedError  the cloud is declared, not made (NotImplementedError)
            ├── AccessError             no connection, no region, no credentials, no permission
            ├── RefusedError            AWS refused the request for good
            ├── SpecificationError      what stands is not what was asked for
            ├── FailedArtifactError     AWS gave the artifact up; carries its reason
            ├── DriftError              a monitor found drift, and its author wants that to fail
            ├── UnexpectedAnswerError   an endpoint serves, and does not answer as expected
            ├── RejectedRowsError       more rows were rejected than allowed
            └── NotReadyError           the deadline passed with something missing (AirflowSensorTimeout)

Every one survives pickling with its fields.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSensorTimeout

THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "SlowDown",
        "PriorRequestNotComplete",
        "TransactionInProgressException",
        "EC2ThrottledException",
    }
)
"""Codes that ask to slow down."""

RETRYABLE = THROTTLED | {
    "InternalFailure",
    "InternalError",
    "InternalServerError",
    "InternalServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "RequestTimeout",
    "RequestTimeoutException",
    "RequestExpired",
    "IDPCommunicationError",
    "ModelNotReadyException",
}
"""Codes after which the same request may succeed; so may any answer with HTTP status 5xx or none at all."""

ABSENT = frozenset(
    {
        "ResourceNotFound",
        "ResourceNotFoundException",
        "EntityNotFoundException",
        "NoSuchKey",
        "NoSuchBucket",
        "NotFound",
        "404",
    }
)
"""Codes that say that the thing is not there."""

QUOTA = frozenset({"ResourceLimitExceeded", "ServiceQuotaExceededException"})
"""Codes that say that an account's quota is full; others' work ending makes room."""

TAKEN = frozenset({"ResourceInUse", "ResourceInUseException", "ConflictException"})
"""Codes that say that a thing of this name exists or is busy."""

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AccessForbidden",
        "UnauthorizedOperation",
        "NotAuthorized",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "ExpiredTokenException",
        "MissingAuthenticationToken",
        "OptInRequired",
        "403",
    }
)
"""Codes that say that these credentials may not do this."""

UNKNOWN_OPERATION = frozenset({"UnknownOperationException", "UnknownOperation", "InvalidAction", "405", "501"})
"""Codes by which a service says that it does not have the operation."""

FINAL = DENIED | UNKNOWN_OPERATION | {"ValidationError", "ValidationException", "InvalidParameterValue", "400"}
"""Codes after which the same request fails again."""


class FestafError(AirflowException):
    """A task cannot go on; retrying it may help."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[FestafError], args: tuple[Any, ...], fields: dict[str, Any]) -> FestafError:
    """Build an unpickled error without its constructor, whose arguments are not those of the exception."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


class ServiceError(FestafError):
    """AWS throttled, failed or did not answer until the deadline."""

    def __init__(self, message: str, *, code: str | None = None, operation: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.operation = operation


class QuotaError(ServiceError):
    """An AWS quota is full."""


class FinalError(FestafError, AirflowFailException):
    """A task cannot go on, and retrying it cannot help."""


class InputError(FinalError):
    """What the author wrote, or what the rows hold, cannot be done."""


class BackendNotImplementedError(FinalError, NotImplementedError):
    """A cloud is declared, but nothing answers for it yet."""

    def __init__(self, message: str, *, cloud: str, question: str) -> None:
        super().__init__(message)
        self.cloud = cloud
        self.question = question


class AccessError(FinalError):
    """The connection, the region, the credentials or the permission is missing."""


class RefusedError(FinalError):
    """AWS refused the request for good."""

    def __init__(self, message: str, *, code: str | None = None, operation: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.operation = operation


class SpecificationError(FinalError):
    """An artifact of this name stands, and it is not the one that was asked for."""

    def __init__(self, artifact: str, differences: tuple[str, ...]) -> None:
        lines = "\n".join(f"  {difference}" for difference in differences)
        super().__init__(f"{artifact} exists and differs from what this task asks for:\n{lines}")
        self.artifact = artifact
        self.differences = differences


class FailedArtifactError(FinalError):
    """AWS gave an artifact up."""

    def __init__(self, artifact: str, state: str, reason: str | None) -> None:
        super().__init__(f"{artifact} is {state}: {reason or 'AWS gives no reason'}")
        self.artifact = artifact
        self.state = state
        self.reason = reason


class DriftError(FinalError):
    """A monitor found drift."""

    def __init__(self, monitor: str, violations: tuple[str, ...], report: str | None) -> None:
        lines = "\n".join(f"  {violation}" for violation in violations)
        where = f"\nThe report is {report}" if report else ""
        super().__init__(f"Monitor {monitor} found drift:\n{lines}{where}")
        self.monitor = monitor
        self.violations = violations
        self.report = report


class UnexpectedAnswerError(FinalError):
    """An endpoint serves, and does not answer as expected."""

    def __init__(self, endpoint: str, wrong: tuple[str, ...], done: str) -> None:
        super().__init__(f"Endpoint {endpoint} does not answer as expected: {'; '.join(wrong)}. {done}")
        self.endpoint = endpoint
        self.wrong = wrong
        self.done = done


class RejectedRowsError(FinalError):
    """More rows were rejected than the task allows."""

    def __init__(self, message: str, *, rejected: int, allowed: int, dead_letter: str | None) -> None:
        super().__init__(message)
        self.rejected = rejected
        self.allowed = allowed
        self.dead_letter = dead_letter


class NotReadyError(FinalError, AirflowSensorTimeout):
    """The deadline passed with something missing."""

    def __init__(self, artifact: str, level: str, missing: tuple[str, ...], waited: float) -> None:
        super().__init__(f"{artifact} is not {level} after {waited:.0f} s: {'; '.join(missing)}")
        self.artifact = artifact
        self.level = level
        self.missing = missing
        self.waited = waited
