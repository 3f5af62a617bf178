"""The ladder of an endpoint's readiness as pure functions: from what AWS says to what is missing.

Success is named, never "not in progress": InService, running the configuration that was asked for, with every variant
at its desired instances and weight. A status that is not known raises.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from festaf.provider.errors import FailedArtifactError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.provider.artifacts.endpoint import Endpoint, EndpointVariant
    from festaf.provider.endpoints.bounds import EndpointBounds

ABSENT = "the endpoint does not exist"
UNDERWAY = {
    "Creating": "AWS is still creating it",
    "Updating": "AWS is still updating it",
    "SystemUpdating": "AWS is maintaining it",
}
LOST = frozenset({"Failed", "OutOfService", "UpdateRollbackFailed", "Deleting"})
ROLLED_BACK = "rolled back"


def in_service(name: str, found: Endpoint | None, bounds: EndpointBounds) -> tuple[str, ...]:
    """Tell what is missing for IN_SERVICE.

    :param found: what DescribeEndpoint tells; None when there is none
    :raises FailedArtifactError: AWS gave it up, deletes it, or went back to another configuration
    :raises RefusedError: its status is not known
    """
    if found is None:
        return (ABSENT,)
    who = f"Endpoint {name}"
    if found.status in UNDERWAY:
        return (UNDERWAY[found.status],)
    if found.status in LOST:
        raise FailedArtifactError(who, found.status, found.failure_reason)
    if found.status == "RollingBack":
        return _rolling_back(who, found, bounds)
    if found.status != "InService":
        raise RefusedError(f"{who} has the status {found.status!r}, which this version of festaf does not know")
    if bounds.configuration and found.configuration_name != bounds.configuration:
        return _other_configuration(who, found, bounds)
    return tuple(missing for variant in found.variants for missing in _variant(variant))


def _rolling_back(who: str, found: Endpoint, bounds: EndpointBounds) -> tuple[str, ...]:
    """Judge a rollback: it fails who waits for the configuration that AWS leaves, and nobody else."""
    wanted = bounds.configuration
    leaving = found.pending_configuration
    if wanted and (leaving == wanted or (leaving is None and found.configuration_name != wanted)):
        raise FailedArtifactError(who, f"RollingBack from configuration {wanted}", found.failure_reason)
    return ("AWS is rolling it back",)


def _other_configuration(who: str, found: Endpoint, bounds: EndpointBounds) -> tuple[str, ...]:
    """Tell a rollback, which is a failure, from an update that is not to be seen yet."""
    moved = bounds.since is not None and found.modified_at > bounds.since
    if moved or (bounds.since is None and found.failure_reason):
        raise FailedArtifactError(
            who,
            f"{ROLLED_BACK} from configuration {bounds.configuration} to {found.configuration_name}",
            found.failure_reason,
        )
    return (f"it runs configuration {found.configuration_name}, not {bounds.configuration}",)


def _variant(variant: EndpointVariant) -> Iterator[str]:
    who = f"variant {variant.name}"
    if variant.states:
        yield f"{who} is {', '.join(variant.states)}"
    current, desired = variant.current_instances, variant.desired_instances
    if desired is not None and current != desired:
        yield f"{who} has {current or 0} of {desired} instances"
    if not same_weight(variant.current_weight, variant.desired_weight):
        yield f"{who} has weight {variant.current_weight} of {variant.desired_weight}"


def same_weight(one: float | None, other: float | None) -> bool:
    """Compare weights, which AWS keeps in single precision."""
    if one is None or other is None:
        return one is other or other is None
    return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-6)
