"""What a trigger's event means for the task that it wakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.provider.errors import FailedArtifactError, InputError, NotReadyError

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_event(event: Mapping[str, Any], level: str) -> None:
    """Return when the level was reached.

    :raises FailedArtifactError: the artifact will not get there any more
    :raises NotReadyError: something was still missing at the deadline
    :raises InputError: the wait itself could not be done
    """
    if event["status"] == "ready":
        return
    if event["status"] == "failed":
        raise FailedArtifactError(event["artifact"], event["state"], event["reason"])
    if event["status"] == "late":
        raise NotReadyError(event["artifact"], level, tuple(event["missing"]), event["waited"])
    raise InputError(event["message"])
