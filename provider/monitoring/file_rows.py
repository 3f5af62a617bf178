"""Rows of Parquet or CSV files, local or in S3, counted in the worker batch by batch: memory stays bounded."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from festaf.contract.monitor import Frequencies
from festaf.provider.errors import InputError
from festaf.provider.monitoring.distance import QUANTILES
from festaf.provider.monitoring.rows import LISTED, ColumnTotals, Totals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from festaf.contract.monitor import ColumnKind
    from festaf.provider.ingest.source import Source
    from festaf.provider.monitoring.window import Window

Doubles = np.ndarray[Any, np.dtype[np.float64]]
SAMPLE = 100_000
"""Values per column from which the quantiles are taken; the counts between them are exact."""
WORDS = 1_000_000
"""Different categories of a column that are told apart at most."""
MODERATE = 1e150
SEED = 20130101


@dataclass(frozen=True)
class FileRows:
    """The rows of files; each question reads them once."""

    source: Source
    uri: str
    columns: Mapping[str, ColumnKind]
    left_out: Mapping[str, str] = field(default_factory=dict)
    event_time: str | None = None

    def newest(self) -> datetime | None:
        """Give the newest event time."""
        if self.event_time is None:
            return None
        greatest = [float(np.nanmax(found)) for found in self._moments() if not np.all(np.isnan(found))]
        return datetime.fromtimestamp(max(greatest), UTC) if greatest else None

    def totals(self, window: Window, *, quantiles: bool) -> Totals:
        """Count and measure every column."""
        columns = {name: _Column(kind, quantiles=quantiles) for name, kind in self.columns.items()}
        rows, first, last = 0, math.inf, -math.inf
        for batch, moments in self._batches(window, list(columns)):
            rows += batch.num_rows
            if moments is not None and not np.all(np.isnan(moments)):
                first, last = min(first, float(np.nanmin(moments))), max(last, float(np.nanmax(moments)))
            for name, column in columns.items():
                column.add(batch.column(name))
        return Totals(rows, _time(first), _time(last), {name: column.totals() for name, column in columns.items()})

    def histograms(self, window: Window, points: Mapping[str, Sequence[float]]) -> dict[str, list[int]]:
        """Count the values between the points."""
        places = {name: np.asarray(found, dtype=np.float64) for name, found in points.items()}
        counts = {name: np.zeros(len(found) + 1, dtype=np.int64) for name, found in places.items()}
        if not places:
            return {}
        for batch, _ in self._batches(window, list(places)):
            for name, found in places.items():
                values = _doubles(batch.column(name))
                intervals = np.searchsorted(found, values, side="right")
                counts[name] += np.bincount(intervals, minlength=len(found) + 1)
        return {name: [int(count) for count in found] for name, found in counts.items()}

    def frequencies(self, window: Window, known: Mapping[str, Collection[str]]) -> dict[str, Frequencies]:
        """Count the categories.

        :raises InputError: a column has more different values than are told apart
        """
        counters: dict[str, Counter[str]] = {name: Counter() for name in known}
        for batch, _ in self._batches(window, list(known)):
            for name, counter in counters.items():
                for item in pc.value_counts(_texts(batch.column(name)).drop_null()).to_pylist():
                    counter[item["values"]] += item["counts"]
                if len(counter) > WORDS:
                    raise InputError(f"Column {name!r} has more than {WORDS:,} different values: leave it out")
        return {name: _frequencies(counter, known[name]) for name, counter in counters.items()}

    def _batches(self, window: Window, names: list[str]) -> Iterator[tuple[pa.RecordBatch, Doubles | None]]:
        """Read the window's rows, batch by batch, with their event times as seconds since 1970."""
        bounded = window.start or window.end or window.rows
        if bounded and self.event_time is None:
            raise InputError(f"A window of {self.uri} needs event_time: the column that holds the event time")
        since = self._since(window) if window.rows else -math.inf
        if window.start:
            since = max(since, window.start.timestamp())
        until = window.end.timestamp() if window.end else math.inf
        wanted = list(dict.fromkeys([*names, *([self.event_time] if self.event_time else [])]))
        for chunk in self.source.chunks(wanted):
            if self.event_time is None:
                yield chunk.batch, None
                continue
            moments = _moments(chunk.batch.column(self.event_time), self.event_time)
            if bounded:
                kept = (moments >= since) & (moments < until)
                yield chunk.batch.filter(pa.array(kept)), moments[kept]
            else:
                yield chunk.batch, moments

    def _since(self, window: Window) -> float:
        """Find the event time of the oldest of the newest rows."""
        assert window.rows is not None
        until = window.end.timestamp() if window.end else math.inf
        newest = np.empty(0)
        for moments in self._moments():
            newest = np.concatenate([newest, moments[moments < until]])
            if len(newest) > window.rows:
                newest = np.partition(newest, len(newest) - window.rows)[-window.rows :]
        return float(newest.min()) if len(newest) else math.inf

    def _moments(self) -> Iterator[Doubles]:
        assert self.event_time is not None
        for chunk in self.source.chunks([self.event_time]):
            yield _moments(chunk.batch.column(self.event_time), self.event_time)


class _Column:
    """What is added up of one column."""

    def __init__(self, kind: ColumnKind, *, quantiles: bool) -> None:
        self._kind = kind
        self._quantiles = quantiles
        self._random = np.random.default_rng(SEED)
        self._present = self._infinite = self._count = self._seen = 0
        self._mean = self._squares = 0.0
        self._minimum, self._maximum = math.inf, -math.inf
        self._sample = np.empty(0)

    def add(self, column: pa.Array) -> None:
        """Add the values of a batch."""
        if self._kind == "category":
            self._present += len(column) - column.null_count
            return
        values = _doubles(column)
        finite = values[np.isfinite(values)]
        self._present += len(values)
        self._infinite += len(values) - len(finite)
        if not len(finite):
            return
        self._minimum, self._maximum = min(self._minimum, finite.min()), max(self._maximum, finite.max())
        self._add_moderate(finite[np.abs(finite) <= MODERATE])
        if self._quantiles:
            self._add_sample(finite)

    def totals(self) -> ColumnTotals:
        """Give what was added up."""
        known = math.isfinite(self._minimum)
        return ColumnTotals(
            present=self._present,
            infinite=self._infinite,
            minimum=float(self._minimum) if known else None,
            maximum=float(self._maximum) if known else None,
            mean=self._mean if self._count else None,
            deviation=math.sqrt(self._squares / self._count) if self._count else None,
            quantiles=tuple(np.quantile(self._sample, QUANTILES, method="inverted_cdf")) if len(self._sample) else (),
        )

    def _add_moderate(self, values: Doubles) -> None:
        """Join mean and squared deviations of two parts (Chan, Golub and LeVeque 1979)."""
        if not len(values):
            return
        mean, count = float(values.mean()), len(values)
        gap, total = mean - self._mean, self._count + count
        self._squares += float(((values - mean) ** 2).sum()) + gap * gap * self._count * count / total
        self._mean += gap * count / total
        self._count = total

    def _add_sample(self, values: Doubles) -> None:
        """Keep each value seen so far with the same chance (Vitter 1985, algorithm R)."""
        free = SAMPLE - len(self._sample)
        self._sample = np.concatenate([self._sample, values[:free]])
        later = values[free:] if free > 0 else values
        self._seen += len(values)
        if len(later):
            places = self._random.integers(0, np.arange(self._seen - len(later) + 1, self._seen + 1))
            kept = places < SAMPLE
            self._sample[places[kept]] = later[kept]


def _doubles(column: pa.Array) -> Doubles:
    """Give the values that are there; not a number counts as none."""
    if pa.types.is_decimal(column.type) or pa.types.is_boolean(column.type):
        column = column.cast(pa.float64() if pa.types.is_decimal(column.type) else pa.int8())
    values = np.asarray(column.drop_null().to_numpy(zero_copy_only=False), dtype=np.float64)
    return values[~np.isnan(values)]


def _texts(column: pa.Array) -> pa.Array:
    return column.cast(pa.string())


def _moments(column: pa.Array, name: str) -> Doubles:
    """Read event times as seconds since 1970; not a number where there is none.

    :raises InputError: texts that are no ISO 8601
    """
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column = column.cast(pa.timestamp("us", "UTC"))
        except pa.ArrowInvalid as error:
            raise InputError(f"Column {name!r} holds a text that is no time: {error}") from error
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(column.type):
        column = pc.divide(column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).cast(pa.float64()), 1e6)
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _frequencies(counter: Counter[str], known: Collection[str]) -> Frequencies:
    listed = dict(sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:LISTED])
    listed |= {word: counter[word] for word in known if word in counter}
    return Frequencies(counts=listed, others=counter.total() - sum(listed.values()), distinct=len(counter))


def _time(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if math.isfinite(seconds) else None
