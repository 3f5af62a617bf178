"""A model's ladder of readiness as pure functions: from what AWS says to what is missing.

Success is named, never "not in progress": a state that is not known raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from festaf.provider.errors import FailedArtifactError, InputError, RefusedError

if TYPE_CHECKING:
    from festaf.provider.models.record import Container, VersionSummary

Level = Literal["CREATED", "REGISTERED", "APPROVED"]
LEVELS: tuple[Level, ...] = get_args(Level)

ABSENT = "the model does not exist"
UNVERSIONED = "the model has no version"
REGISTERING = "AWS is still registering it"
UNDECIDED = "nobody has approved it yet"


def check_level(level: str) -> None:
    """Find a level that is none.

    :raises InputError: it is not one of LEVELS
    """
    if level not in LEVELS:
        raise InputError(f"level is {level!r}: write one of {', '.join(LEVELS)}")


def created(containers: tuple[Container, ...], data: tuple[bool | None, ...]) -> tuple[str, ...]:
    """Tell what is missing for CREATED.

    :param data: whether each container's model data are there; None for a container whose data cannot be looked for
    """
    if not containers:
        return ("its containers are not known",)
    missing = []
    for container, there in zip(containers, data, strict=True):
        if container.image is None and container.model_package is None:
            missing.append(f"container {container.hostname or 'without a name'} has no image")
        if there is False:
            missing.append(f"the model data {container.model_data} do not exist")
    return tuple(missing)


def registered(version: VersionSummary, reason: str | None = None) -> tuple[str, ...]:
    """Tell what is missing for REGISTERED.

    :param reason: AWS's reason for a failure
    :raises FailedArtifactError: AWS gave it up, or is deleting it
    """
    who = f"Model {version.name}"
    if version.status in {"Pending", "InProgress"}:
        return (REGISTERING,)
    if version.status in {"Failed", "Deleting"}:
        raise FailedArtifactError(who, version.status, reason)
    if version.status != "Completed":
        raise RefusedError(f"{who} has the status {version.status!r}, which this version of festaf does not know")
    return ()


def approved(version: VersionSummary, description: str | None = None) -> tuple[str, ...]:
    """Tell what is missing for APPROVED, of a version that is registered.

    :param description: what the person wrote who rejected it
    :raises FailedArtifactError: it was rejected
    """
    who = f"Model {version.name}"
    if version.approval == "Approved":
        return ()
    if version.approval == "Rejected":
        raise FailedArtifactError(who, "Rejected", description or "nobody wrote why")
    if version.approval in {"PendingManualApproval", None}:
        return (UNDECIDED,)
    raise RefusedError(f"{who} has the approval status {version.approval!r}, which this version does not know")
