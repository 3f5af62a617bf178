"""What stands in one column of a dataset: types, completeness, numbers and texts.

Types follow Deequ, on which AWS's analyzer is built: a column is Integral when every value that is there is a whole
number, Fractional when every one is a number, else String; one without any value is Unknown.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMERIC = ("Integral", "Fractional")

_INTEGRAL = re.compile(r"[+-]?\d+")


def type_of(text: str) -> str:
    """Give the type of one value."""
    if _INTEGRAL.fullmatch(text):
        return "Integral"
    try:
        number = float(text)
    except ValueError:
        return "String"
    return "Fractional" if math.isfinite(number) else "String"


@dataclass(frozen=True)
class Column:
    """One column of a dataset.

    :param values: as text; None where nothing is
    """

    name: str
    values: Sequence[str | None]

    @cached_property
    def present(self) -> list[str]:
        """Give the values that are there."""
        return [value for value in self.values if value is not None]

    @cached_property
    def types(self) -> Counter[str]:
        """Count the values that are there by their type."""
        return Counter(map(type_of, self.present))

    @property
    def missing(self) -> int:
        """Count the places where nothing is."""
        return len(self.values) - len(self.present)

    @property
    def completeness(self) -> float:
        """Give the share of the values that are there; 1 for an empty column."""
        return len(self.present) / len(self.values) if self.values else 1.0

    @property
    def inferred_type(self) -> str:
        """Give Integral, Fractional, String or Unknown."""
        if not self.types:
            return "Unknown"
        if self.types["String"]:
            return "String"
        return "Fractional" if self.types["Fractional"] else "Integral"

    @cached_property
    def numbers(self) -> list[float]:
        """Give the values that are numbers, in ascending order."""
        return sorted(float(value) for value in self.present if type_of(value) != "String")

    @cached_property
    def counts(self) -> Counter[str]:
        """Count the values that are there."""
        return Counter(self.present)

    def match(self, expected: str) -> float:
        """Give the share of the values that are of a type: a whole number is a number, and everything is a text."""
        if not self.present or expected in ("String", "Unknown"):
            return 1.0
        fitting = self.types["Integral"] + (self.types["Fractional"] if expected == "Fractional" else 0)
        return fitting / len(self.present)
