"""What every source of monitored rows can tell: totals, counts between points, and the most frequent categories."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from festaf.contract.monitor import ColumnKind, Frequencies
    from festaf.provider.monitoring.window import Window

LISTED = 100
"""How many categories of a column are listed; the rest is counted together."""


@dataclass(frozen=True)
class ColumnTotals:
    """One column of a window."""

    present: int
    infinite: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    quantiles: tuple[float, ...] = ()
    """Of the finite values; empty unless asked for."""


@dataclass(frozen=True)
class Totals:
    """A window as a whole."""

    rows: int
    first: datetime | None = None
    last: datetime | None = None
    columns: Mapping[str, ColumnTotals] = field(default_factory=dict)


class Rows(Protocol):
    """Rows of one dataset, counted where they lie."""

    @property
    def uri(self) -> str:
        """Name the rows."""

    @property
    def columns(self) -> Mapping[str, ColumnKind]:
        """Give what is monitored."""

    @property
    def left_out(self) -> Mapping[str, str]:
        """Give the other columns, with the reason."""

    def newest(self) -> datetime | None:
        """Give the newest event time of all; None when there are no rows or no event time."""

    def totals(self, window: Window, *, quantiles: bool) -> Totals:
        """Count and measure every column."""

    def histograms(self, window: Window, points: Mapping[str, Sequence[float]]) -> dict[str, list[int]]:
        """Count the values below, between and from the points, exactly."""

    def frequencies(self, window: Window, known: Mapping[str, Collection[str]]) -> dict[str, Frequencies]:
        """Count the most frequent categories of each column, and the known ones, exactly."""
