"""How traffic moves to a new configuration: all at once, a canary first, in steps, or batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.provider.endpoints.given import given, number, without_none
from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class AllAtOnce:
    """A new fleet takes all traffic at once; the old one stands by for a while.

    :param alarms: names of CloudWatch alarms; one that goes off rolls the deployment back
    :param bake_seconds: how long AWS watches the alarms after the shift, 0 to 3,600
    :param termination_wait_seconds: how long the old fleet is kept after that, 0 to 3,600
    :param max_seconds: after so long AWS gives the deployment up, 600 to 28,800
    """

    alarms: tuple[str, ...] = ()
    bake_seconds: int = 0
    termination_wait_seconds: int = 0
    max_seconds: int | None = None

    def request(self) -> dict[str, Any]:
        """Write AWS's DeploymentConfig."""
        return _blue_green(self, {"Type": "ALL_AT_ONCE"})


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A part of the new fleet takes traffic first; the rest follows when no alarm went off while it baked.

    :param percent: how much of the fleet is the canary; or give ``instances``
    """

    percent: int | None = None
    instances: int | None = None
    alarms: tuple[str, ...] = ()
    bake_seconds: int = 300
    termination_wait_seconds: int = 0
    max_seconds: int | None = None

    def request(self) -> dict[str, Any]:
        """Write AWS's DeploymentConfig."""
        return _blue_green(self, {"Type": "CANARY", "CanarySize": _size(self.percent, self.instances, "Canary")})


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Traffic moves in equal steps, each baking before the next.

    :param percent: how much of the fleet is one step; or give ``instances``
    """

    percent: int | None = None
    instances: int | None = None
    alarms: tuple[str, ...] = ()
    bake_seconds: int = 300
    termination_wait_seconds: int = 0
    max_seconds: int | None = None

    def request(self) -> dict[str, Any]:
        """Write AWS's DeploymentConfig."""
        return _blue_green(self, {"Type": "LINEAR", "LinearStepSize": _size(self.percent, self.instances, "Linear")})


@dataclass(frozen=True, kw_only=True)
class Rolling:
    """Instances are replaced batch by batch, for fleets too large to be doubled.

    :param percent: how much of the fleet is one batch, 5 to 50; or give ``instances``
    :param bake_seconds: how long each batch bakes, 0 to 3,600
    """

    percent: int | None = None
    instances: int | None = None
    alarms: tuple[str, ...] = ()
    bake_seconds: int = 300
    max_seconds: int | None = None

    def request(self) -> dict[str, Any]:
        """Write AWS's DeploymentConfig."""
        policy = {
            "MaximumBatchSize": _size(self.percent, self.instances, "Rolling"),
            "WaitIntervalInSeconds": number("bake_seconds", self.bake_seconds),
            "MaximumExecutionTimeoutInSeconds": _optional("max_seconds", self.max_seconds),
        }
        return {"RollingUpdatePolicy": without_none(policy)} | _alarms(self.alarms)


Policy = AllAtOnce | Canary | Linear | Rolling
KINDS: dict[str, type[Policy]] = {
    "all_at_once": AllAtOnce,
    "canary": Canary,
    "linear": Linear,
    "rolling": Rolling,
}


def policy_of(value: Policy | Mapping[str, Any] | None) -> Policy | None:
    """Read a policy: one of the classes, or a mapping with its ``kind`` (all_at_once, canary, linear, rolling).

    :raises InputError: it is none
    """
    if value is None or isinstance(value, Policy):
        return value
    kind = dict(value).get("kind")
    if kind not in KINDS:
        raise InputError(f"The kind of a deployment policy is {kind!r}: write one of {', '.join(KINDS)}")
    return given(KINDS[kind], {key: item for key, item in value.items() if key != "kind"})


def _blue_green(policy: AllAtOnce | Canary | Linear, routing: dict[str, Any]) -> dict[str, Any]:
    routing = routing | {"WaitIntervalInSeconds": number("bake_seconds", policy.bake_seconds)}
    update = {
        "TrafficRoutingConfiguration": routing,
        "TerminationWaitInSeconds": number("termination_wait_seconds", policy.termination_wait_seconds),
        "MaximumExecutionTimeoutInSeconds": _optional("max_seconds", policy.max_seconds),
    }
    return {"BlueGreenUpdatePolicy": without_none(update)} | _alarms(policy.alarms)


def _alarms(names: Any) -> dict[str, Any]:
    if isinstance(names, str):
        raise InputError(f"alarms is the text {names!r}: write a list of names")
    return {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in names]}} if names else {}


def _size(percent: int | None, instances: int | None, kind: str) -> dict[str, Any]:
    if (percent is None) == (instances is None):
        raise InputError(f"{kind} needs percent or instances, and not both")
    if percent is not None:
        return {"Type": "CAPACITY_PERCENT", "Value": number("percent", percent)}
    return {"Type": "INSTANCE_COUNT", "Value": number("instances", instances)}


def _optional(what: str, value: int | None) -> int | None:
    return None if value is None else int(number(what, value))
