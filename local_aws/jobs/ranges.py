"""The space that a tuning job looks through: ranges of hyperparameters, as points of a unit cube and as texts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.rules import invalid

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

Scale = tuple[Callable[[float], float], Callable[[float], float]]

_SCALES: Mapping[str, Scale] = {
    "Linear": (float, float),
    "Logarithmic": (math.log, math.exp),
    "ReverseLogarithmic": (lambda value: -math.log1p(-value), lambda value: -math.expm1(-value)),
}


@dataclass(frozen=True)
class _Number:
    """A range of numbers; a share of it is from 0 to 1."""

    name: str
    low: float
    high: float
    whole: bool
    scale: Scale

    def text(self, share: float) -> str:
        """Give the value at a share of the range."""
        there, back = self.scale
        low, high = there(self.low), there(self.high)
        value = min(max(back(low + share * (high - low)), self.low), self.high)
        return str(round(value)) if self.whole else repr(value)

    def shares(self, text: str) -> list[float]:
        """Give where a value is in the range."""
        there, _ = self.scale
        low, high = there(self.low), there(self.high)
        return [(there(float(text)) - low) / (high - low) if high > low else 0.0]


@dataclass(frozen=True)
class _Choice:
    """One of several texts."""

    name: str
    values: Sequence[str]

    def text(self, share: float) -> str:
        """Give the value at a share of the list."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def shares(self, text: str) -> list[float]:
        """Give a place for each value, so that none is nearer to another."""
        return [float(text == value) for value in self.values]


class Ranges:
    """All ranges of a tuning job.

    :param given: in ParameterRanges' shape
    :raises ApiError: ValidationException, when a range is empty, wrongly scaled or named twice
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        numbers = [
            _number(one, whole=kind == "Integer")
            for kind in ("Integer", "Continuous")
            for one in given.get(f"{kind}ParameterRanges", ())
        ]
        choices = [_Choice(one["Name"], one["Values"]) for one in given.get("CategoricalParameterRanges", ())]
        self._ranges: list[_Number | _Choice] = [*numbers, *choices]
        names = [one.name for one in self._ranges]
        if not names:
            raise invalid("ParameterRanges must have at least one range.")
        if len(set(names)) < len(names):
            raise invalid(f"The names of parameter ranges must be unique: {', '.join(names)}")
        self.only_choices = not numbers

    def drawn(self, chance: random.Random) -> dict[str, str]:
        """Draw a point at random."""
        return {one.name: one.text(chance.random()) for one in self._ranges}

    def grid(self) -> Iterator[dict[str, str]]:
        """Give every combination of choices."""
        choices = [one for one in self._ranges if isinstance(one, _Choice)]
        for values in itertools.product(*(one.values for one in choices)):
            yield {one.name: value for one, value in zip(choices, values, strict=True)}

    def grid_size(self) -> int:
        """Count the combinations of choices."""
        return math.prod(len(one.values) for one in self._ranges if isinstance(one, _Choice))

    def place(self, point: Mapping[str, str]) -> list[float]:
        """Give a point as numbers from 0 to 1."""
        return [share for one in self._ranges for share in one.shares(point[one.name])]


def _number(given: Mapping[str, Any], *, whole: bool) -> _Number:
    name = given["Name"]
    try:
        low, high = float(given["MinValue"]), float(given["MaxValue"])
    except ValueError:
        raise invalid(f"MinValue and MaxValue of parameter {name} must be numbers.") from None
    if not low <= high or not math.isfinite(low) or not math.isfinite(high):
        raise invalid(f"MinValue of parameter {name} must not be greater than MaxValue.")
    if whole and (low != int(low) or high != int(high)):
        raise invalid(f"MinValue and MaxValue of parameter {name} must be whole numbers.")
    scaling = given.get("ScalingType", "Auto")
    if scaling == "Logarithmic" and low <= 0:
        raise invalid(f"Logarithmic scaling of parameter {name} needs values greater than 0.")
    if scaling == "ReverseLogarithmic" and not 0 <= low <= high < 1:
        raise invalid(f"ReverseLogarithmic scaling of parameter {name} needs values from 0 to below 1.")
    return _Number(name, low, high, whole, _SCALES["Linear" if scaling == "Auto" else scaling])
