"""Move traffic between the variants of an endpoint, at once or in steps, and back when an alarm goes off."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.provider.endpoints.bounds import EndpointBounds
from festaf.provider.endpoints.given import number
from festaf.provider.endpoints.ladder import in_service, same_weight
from festaf.provider.errors import FailedArtifactError, InputError, NotReadyError, RefusedError
from festaf.provider.hooks.endpoint import says_busy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk.types import Logger

    from festaf.provider.artifacts.endpoint import Endpoint
    from festaf.provider.endpoints.patience import Patience
    from festaf.provider.hooks.endpoint import EndpointHook

TRAFFIC_TAG = "festaf:traffic"
"""Tag of an endpoint: the weights before and after the shift that was begun last, ``A=1 B=0 : A=0.9 B=0.1``."""

LONGEST_TAG = 256
WATCH_SECONDS = 10.0
"""How often alarms are looked at during a pause."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Weights and instance counts as they are asked for, by variant; a variant that is not named stays as it is.

    :param steps: in how many equal steps the weights move
    :param pause: seconds between two steps
    :param alarms: names of CloudWatch alarms; one that goes off brings the former weights back
    """

    endpoint: str
    weights: Mapping[str, float]
    instances: Mapping[str, int] = field(default_factory=dict)
    steps: int = 1
    pause: float = 0.0
    alarms: Sequence[str] = ()

    def check(self) -> None:
        """Find what cannot be right before AWS is asked.

        :raises InputError: something is
        """
        if not self.weights and not self.instances:
            raise InputError("There is nothing to shift: give weights or instances, by variant")
        for what, values, kind in (("weights", self.weights, float), ("instances", self.instances, int)):
            if not hasattr(values, "items"):
                raise InputError(f"{what} is {values!r}: write a mapping from variant to number")
            for variant, value in values.items():
                if number(f"{what} of {variant}", value, kind) < 0:
                    raise InputError(f"{what} of {variant} is {value}: write 0 or more")
        if number("steps", self.steps) < 1:
            raise InputError(f"steps is {self.steps}: write 1 or more")
        if isinstance(self.alarms, str):
            raise InputError(f"alarms is the text {self.alarms!r}: write a list of names")


@dataclass
class Traffic:
    """The steps from one distribution of the traffic to another."""

    hook: EndpointHook
    log: Logger
    patience: Patience

    def move(self, shift: Shift) -> dict[str, float]:
        """Bring about the weights and instances, and give the weights from before.

        A task that was killed on the way goes on when it runs again, and still gives the weights from before it began.

        :raises InputError: there is no such endpoint, variant or alarm
        :raises FailedArtifactError: an alarm went off, or the endpoint failed
        :raises NotReadyError: the weights are not in force at the deadline
        """
        found = self._settled(shift.endpoint)
        self._check(shift, found)
        former = self.patience.persist(lambda: self._former(shift, found))
        asked = {variant: float(weight) for variant, weight in shift.weights.items()}
        begin = {variant: _weight(found, variant) for variant in asked}
        moves = [variant for variant in asked if not same_weight(begin[variant], asked[variant])]
        steps = int(shift.steps) if moves else 1
        self._watch(shift, former)
        for step in range(1, steps + 1):
            weights = {name: begin[name] + (asked[name] - begin[name]) * step / steps for name in moves}
            weights |= {name: asked[name] for name in moves if step == steps}
            self._set(shift, weights, shift.instances if step == steps else {})
            if step < steps:
                self._pause(shift, former)
        self._watch(shift, former)
        return former

    def _check(self, shift: Shift, found: Endpoint) -> None:
        names = [variant.name for variant in found.variants]
        for name in (*shift.weights, *shift.instances):
            if name not in names:
                raise InputError(f"Endpoint {shift.endpoint} has no variant {name!r}: it has {', '.join(names)}")
        after = {name: float(shift.weights.get(name, _weight(found, name))) for name in names}
        if not any(after.values()):
            raise InputError(f"Every variant of endpoint {shift.endpoint} would have the weight 0, so none is asked")
        for name in shift.instances:
            if (variant := found.variant(name)) and variant.serverless:
                raise InputError(f"Variant {name} of endpoint {shift.endpoint} is serverless: it has no instances")

    def _former(self, shift: Shift, found: Endpoint) -> dict[str, float]:
        """Give the weights from before: the tag's when it tells of this very shift, begun by a task that was killed."""
        now = {variant.name: _weight(found, variant.name) for variant in found.variants}
        after = now | {name: float(weight) for name, weight in shift.weights.items()}
        tagged = self.hook.tags(found.arn).get(TRAFFIC_TAG, "")
        before, _, goal = tagged.partition(" : ")
        if _read(goal) == _read(_write(after)) and (begun := _read(before)) and _between(begun, now, after):
            return begun
        text = f"{_write(now)} : {_write(after)}"
        if len(text) <= LONGEST_TAG:
            self.hook.add_tags(found.arn, {TRAFFIC_TAG: text})
        return now

    def _set(self, shift: Shift, weights: Mapping[str, float], instances: Mapping[str, int]) -> None:
        """Ask for weights and instances, and wait until they are in force; those that are already are not asked for."""
        wanted = {name: int(count) for name, count in instances.items()}

        def attempt() -> Endpoint | None:
            found = self._settled(shift.endpoint)
            changes = _changes(found, weights, wanted)
            if not changes:
                return found
            try:
                self.hook.shift(shift.endpoint, changes)
            except RefusedError as error:
                if not says_busy(error):
                    raise
            else:
                self.log.info("AWS shifts endpoint %s: %s", shift.endpoint, changes)
            return None

        self.patience.until(attempt, lambda: self._late(shift.endpoint, ("the weights are not in force",)))

    def _settled(self, name: str) -> Endpoint:
        """Wait until the endpoint is InService with what was asked for before.

        :raises FailedArtifactError: it failed
        """
        said: tuple[str, ...] = ()

        def look() -> Endpoint | None:
            nonlocal said
            found = self.hook.find(name)
            if found is None:
                raise InputError(f"There is no endpoint {name} in {self.hook.place}")
            missing = in_service(name, found, EndpointBounds())
            if missing and missing != said:
                self.log.info("Endpoint %s: %s", name, "; ".join(missing))
            said = missing
            return None if missing else found

        return self.patience.until(look, lambda: self._late(name, said))

    def _late(self, name: str, missing: tuple[str, ...]) -> NotReadyError:
        return NotReadyError(f"Endpoint {name}", "shifted", missing, self.patience.seconds)

    def _pause(self, shift: Shift, former: Mapping[str, float]) -> None:
        """Wait for the pause between two steps, looking at the alarms."""
        end = self.patience.clock() + shift.pause
        while True:
            self._watch(shift, former)
            left = end - self.patience.clock()
            if left <= 0:
                return
            self.patience.sleep(min(left, WATCH_SECONDS) if shift.alarms else left)

    def _watch(self, shift: Shift, former: Mapping[str, float]) -> None:
        """Look at the alarms, and bring the former weights back when one goes off.

        :raises FailedArtifactError: one does
        :raises InputError: one does not exist
        """
        if not shift.alarms:
            return
        states = self.patience.persist(lambda: self.hook.alarm_states(shift.alarms))
        if absent := [name for name in shift.alarms if name not in states]:
            raise InputError(f"There is no CloudWatch alarm {', '.join(absent)} in {self.hook.place}")
        if off := [name for name, state in states.items() if state == "ALARM"]:
            self.log.warning("Alarm %s went off; bringing the former weights back: %s", ", ".join(off), former)
            self._set(shift, former, {})
            raise FailedArtifactError(
                f"Endpoint {shift.endpoint}", "back at its former weights", f"alarm {', '.join(off)} went off"
            )


def _weight(found: Endpoint, name: str) -> float:
    variant = found.variant(name)
    weight = variant.desired_weight if variant else None
    return float(weight if weight is not None else (variant.current_weight if variant else None) or 0.0)


def _changes(found: Endpoint, weights: Mapping[str, float], instances: Mapping[str, int]) -> list[dict[str, Any]]:
    changes = []
    for variant in found.variants:
        change: dict[str, Any] = {}
        if variant.name in weights and not same_weight(variant.current_weight, weights[variant.name]):
            change["DesiredWeight"] = weights[variant.name]
        if variant.name in instances and variant.current_instances != instances[variant.name]:
            change["DesiredInstanceCount"] = instances[variant.name]
        if change:
            changes.append({"VariantName": variant.name, **change})
    return changes


def _between(begun: Mapping[str, float], now: Mapping[str, float], after: Mapping[str, float]) -> bool:
    """Tell whether the weights of now lie on the way from one distribution to the other."""
    if set(begun) != set(now):
        return False
    spans = [
        (low - 1e-4 <= now[name] <= high + 1e-4) for name in now for low, high in [sorted((begun[name], after[name]))]
    ]
    return all(spans)


def _write(weights: Mapping[str, float]) -> str:
    return " ".join(f"{name}={weight:.6g}" for name, weight in sorted(weights.items()))


def _read(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"([a-zA-Z0-9-]+)=([0-9.e+-]+)", text)}
