"""Compare a challenger with the champion: one metric, one direction, one margin, on the same held-out data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from festaf.provider.models.evaluation import Evaluation

Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True)
class Contender:
    """A version with what was measured of it."""

    name: str
    version: int
    evaluation: Evaluation


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came out; every figure is in the metric's own unit."""

    better: bool
    reason: str
    metric: str
    direction: str
    margin: float
    challenger: str
    challenger_version: int
    challenger_value: float
    champion: str | None = None
    champion_version: int | None = None
    champion_value: float | None = None
    improvement: float | None = None
    """By how much the challenger is better; negative when it is worse."""
    held_out: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """By what two versions are compared.

    :param margin: by how much the challenger must be better, at least; equal is never better
    """

    metric: str
    direction: str
    margin: float = 0.0

    def check(self) -> None:
        """Find what cannot be.

        :raises InputError: the direction or the margin cannot
        """
        if self.direction not in get_args(Direction):
            raise InputError(f"direction is {self.direction!r}: write minimize or maximize")
        if not 0 <= self.margin < float("inf"):
            raise InputError(f"margin is {self.margin!r}: give how much better is enough, 0 or more")

    def judge(self, challenger: Contender, champion: Contender | None) -> Verdict:
        """Decide; without a champion the challenger wins.

        :raises InputError: a metric is not known, or the two were not measured on the same data
        """
        value = self._value(challenger)
        common: dict[str, Any] = {
            "metric": self.metric,
            "direction": self.direction,
            "margin": self.margin,
            "challenger": challenger.name,
            "challenger_version": challenger.version,
            "challenger_value": value,
            "held_out": challenger.evaluation.held_out,
        }
        if champion is None:
            reason = f"{challenger.name} has no champion to beat, with {self.metric} {value:g}"
            return Verdict(better=True, reason=reason, **common)
        check_same_data(challenger, champion)
        other = self._value(champion)
        improvement = other - value if self.direction == "minimize" else value - other
        better = improvement > 0 and improvement >= self.margin
        least = f", {self.margin:g} is asked for" if self.margin else ""
        by = (
            f"better by {improvement:g}"
            if improvement > 0
            else f"worse by {-improvement:g}"
            if improvement
            else "equal"
        )
        return Verdict(
            better=better,
            reason=f"{self.metric} of {challenger.name} is {value:g}, of {champion.name} {other:g}: {by}{least}",
            champion=champion.name,
            champion_version=champion.version,
            champion_value=other,
            improvement=improvement,
            **common,
        )

    def _value(self, contender: Contender) -> float:
        metrics = contender.evaluation.metrics
        if self.metric not in metrics:
            known = ", ".join(sorted(metrics)) or "none"
            raise InputError(
                f"Metric {self.metric!r} of model {contender.name} is not known; known from "
                f"{contender.evaluation.source}: {known}"
            )
        return metrics[self.metric]


def check_same_data(challenger: Contender, champion: Contender) -> None:
    """Make sure that both were measured on the same held-out data; hashes decide where both have one.

    :raises InputError: they were not, or nobody noted on what
    """
    one, other = challenger.evaluation, champion.evaluation
    for contender in (challenger, champion):
        if not contender.evaluation.held_out and not contender.evaluation.sha256:
            raise InputError(
                f"Nobody noted on which held-out data model {contender.name} was measured, so it is not compared: "
                "register it with held_out, or give evaluate, which measures both on the same data"
            )
    same = one.sha256 == other.sha256 if one.sha256 and other.sha256 else one.held_out == other.held_out
    if not same:
        raise InputError(
            f"Model {challenger.name} was measured on {one.data} and {champion.name} on {other.data}, so they are not "
            "compared: measure both on the same held-out data, or give evaluate, which does"
        )
