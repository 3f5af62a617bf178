"""Measure a window: by itself, to become a baseline, or at the points of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.contract.monitor import ColumnStatistics, Histogram, Statistics
from festaf.provider.monitoring.distance import points_of

if TYPE_CHECKING:
    from datetime import datetime

    from festaf.contract.monitor import Frequencies
    from festaf.provider.monitoring.rows import ColumnTotals, Rows, Totals
    from festaf.provider.monitoring.window import Window


def measure(rows: Rows, window: Window, now: datetime, base: Statistics | None = None) -> Statistics:
    """Measure the rows of a window.

    :param now: when this is
    :param base: the statistics whose points and categories are used, so that both can be compared; None chooses them
        from these rows
    """
    totals = rows.totals(window, quantiles=base is None)
    numeric = [name for name, kind in rows.columns.items() if kind == "numeric"]
    points = {name: _points(name, totals, base) for name in numeric}
    counts = rows.histograms(window, {name: found for name, found in points.items() if found})
    known = {name: _known(name, base) for name, kind in rows.columns.items() if kind == "category"}
    frequencies = rows.frequencies(window, known) if known else {}
    columns = []
    for name in rows.columns:
        histogram = Histogram(points=points[name], counts=tuple(counts[name])) if name in counts else None
        columns.append(_column(name, rows, totals, histogram, frequencies.get(name)))
    return Statistics(
        source=rows.uri,
        window=str(window),
        rows=totals.rows,
        first_event_time=totals.first,
        last_event_time=totals.last,
        measured_at=now,
        columns=tuple(columns),
    )


def _column(
    name: str, rows: Rows, totals: Totals, histogram: Histogram | None, frequencies: Frequencies | None
) -> ColumnStatistics:
    found: ColumnTotals = totals.columns[name]
    return ColumnStatistics(
        name=name,
        kind=rows.columns[name],
        present=found.present,
        missing=totals.rows - found.present,
        infinite=found.infinite,
        minimum=found.minimum,
        maximum=found.maximum,
        mean=found.mean,
        deviation=found.deviation,
        histogram=histogram,
        frequencies=frequencies,
    )


def _points(name: str, totals: Totals, base: Statistics | None) -> tuple[float, ...]:
    if base is None:
        found = totals.columns[name]
        ends = [value for value in (found.minimum, found.maximum) if value is not None]
        return points_of([*found.quantiles, *ends])
    column = base.column(name)
    return column.histogram.points if column and column.histogram else ()


def _known(name: str, base: Statistics | None) -> tuple[str, ...]:
    column = base.column(name) if base else None
    return tuple(column.frequencies.counts) if column and column.frequencies else ()
