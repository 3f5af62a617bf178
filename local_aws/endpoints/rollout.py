"""How traffic moves from an old fleet to a new one: a DeploymentConfig as steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Steps = list[list[float]]
"""Pairs of the new fleet's share of the traffic, 0 to 1, and the seconds for which it is watched; JSON keeps them."""

AT_ONCE: Steps = [[1.0, 0.0]]


def steps_of(deployment: Mapping[str, Any] | None, instances: int) -> Steps:
    """Give the steps of a deployment.

    :param instances: of the new fleet
    """
    if not deployment:
        return AT_ONCE
    if rolling := deployment.get("RollingUpdatePolicy"):
        return _linear(_share(rolling["MaximumBatchSize"], instances), rolling["WaitIntervalInSeconds"])
    routing = deployment.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration")
    if not routing:
        return AT_ONCE
    wait = float(routing["WaitIntervalInSeconds"])
    if routing["Type"] == "CANARY":
        return [[_share(routing["CanarySize"], instances), wait], [1.0, wait]]
    if routing["Type"] == "LINEAR":
        return _linear(_share(routing["LinearStepSize"], instances), wait)
    return [[1.0, wait]]


def drain_seconds(deployment: Mapping[str, Any] | None) -> float:
    """Give how long the old fleet is kept after the last step."""
    return float((deployment or {}).get("BlueGreenUpdatePolicy", {}).get("TerminationWaitInSeconds", 0))


def longest_seconds(deployment: Mapping[str, Any] | None) -> float:
    """Give how long the deployment may take; infinite when nothing is said."""
    for policy in ("BlueGreenUpdatePolicy", "RollingUpdatePolicy"):
        if found := (deployment or {}).get(policy, {}).get("MaximumExecutionTimeoutInSeconds"):
            return float(found)
    return math.inf


def alarms_of(deployment: Mapping[str, Any] | None) -> list[str]:
    """Give the names of the alarms that roll a deployment back."""
    alarms: Sequence[Mapping[str, Any]] = (deployment or {}).get("AutoRollbackConfiguration", {}).get("Alarms", ())
    return [alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm]


def check_deployment(deployment: Mapping[str, Any], instances: int) -> None:
    """Check what AWS documents of deployment configurations.

    :param instances: of the new fleet
    :raises ApiError: ValidationException
    """
    blue_green, rolling = deployment.get("BlueGreenUpdatePolicy"), deployment.get("RollingUpdatePolicy")
    if blue_green and rolling:
        raise _invalid("A deployment can have a BlueGreenUpdatePolicy or a RollingUpdatePolicy, not both.")
    if rolling:
        _check_size("MaximumBatchSize", rolling["MaximumBatchSize"], instances, least=0.05)
    if not blue_green:
        return
    routing = blue_green["TrafficRoutingConfiguration"]
    needed = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(routing["Type"])
    for member in ("CanarySize", "LinearStepSize"):
        if (member in routing) != (member == needed):
            what = "needs a" if member == needed else "takes no"
            raise _invalid(f"TrafficRoutingConfiguration of type {routing['Type']} {what} {member}.")
    if needed:
        _check_size(needed, routing[needed], instances, least=0.1 if needed == "LinearStepSize" else 0.0)


def _check_size(member: str, size: Mapping[str, Any], instances: int, least: float) -> None:
    share = size["Value"] / (100 if size["Type"] == "CAPACITY_PERCENT" else instances)
    if not least <= share <= 0.5:
        raise _invalid(
            f"{member} must be at most 50% of the new fleet's capacity"
            f"{f' and at least {least:.0%}' if least else ''}; it is {share:.0%}."
        )


def _share(size: Mapping[str, Any], instances: int) -> float:
    whole = 100 if size["Type"] == "CAPACITY_PERCENT" else max(1, instances)
    return min(1.0, float(size["Value"]) / whole)


def _linear(share: float, wait: float) -> Steps:
    count = math.ceil(round(1 / share, 6))
    return [[min(1.0, number * share), float(wait)] for number in range(1, count + 1)]


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
