"""Rows as one table in the order of the hours of their event times: what becomes a file each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from festaf.local_aws.offline_store.columns import BadValueError, arrow_table, event_seconds
from festaf.local_aws.offline_store.layout import partition_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from festaf.local_aws.offline_store.layout import Group
    from festaf.local_aws.offline_store.row import OfflineRow

LARGE_ROWS = 1000
"""From how many rows on a file gets dictionaries and statistics."""


class Hour(NamedTuple):
    """The rows of one hour of event time, in UTC: ``table[start:stop]``."""

    values: tuple[str, ...]
    """Year, month, day, hour, as the partition keys have them."""
    start: int
    stop: int
    latest: float
    """The latest event time, in epoch seconds."""


class Hours(NamedTuple):
    """Rows by hour; within an hour they stand in the order in which they came."""

    table: pa.Table
    order: Sequence[int]
    """``table[i]`` was the row ``order[i]``."""
    hours: Sequence[Hour]

    def parquet(self, hour: Hour) -> bytes:
        """Write the rows of one hour as a Parquet file.

        What helps a reader of many rows costs half of the time of writing few, so small files go without it.
        """
        import pyarrow as pa
        import pyarrow.parquet as parquet

        count = hour.stop - hour.start
        large = count >= LARGE_ROWS
        sink = pa.BufferOutputStream()
        parquet.write_table(
            self.table.slice(hour.start, count),
            sink,
            compression="snappy",
            use_dictionary=large,
            write_statistics=large,
            store_schema=False,
        )
        content: bytes = sink.getvalue().to_pybytes()
        return content


def by_hour(group: Group, rows: Sequence[OfflineRow], write_time: float) -> Hours:
    """Sort rows into the hours of their event times.

    :param write_time: epoch seconds
    :raises BadValueError: a value or an event time is not of its feature's type
    """
    import numpy as np

    seconds = event_seconds(group, rows)
    if not np.isfinite(seconds).all():
        raise BadValueError("an event time is not a finite number")
    numbers = np.floor_divide(seconds, 3600).astype(np.int64)
    order = np.argsort(numbers, kind="stable")
    ordered, moments = numbers[order], seconds[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    stops = np.append(starts[1:], len(ordered))
    latest = np.maximum.reduceat(moments, starts)
    hours = [
        Hour(_values(int(ordered[start])), int(start), int(stop), float(last))
        for start, stop, last in zip(starts, stops, latest, strict=True)
    ]
    table = arrow_table(group, rows, write_time)
    return Hours(table if len(hours) == 1 else table.take(order), order.tolist(), hours)


def set_apart(group: Group, rows: Sequence[OfflineRow]) -> tuple[list[OfflineRow], list[OfflineRow]]:
    """Part the rows that ``by_hour`` reads from those that it does not, by halving."""
    try:
        by_hour(group, rows, 0.0)
    except BadValueError:
        if len(rows) == 1:
            return [], list(rows)
        middle = len(rows) // 2
        good_before, bad_before = set_apart(group, rows[:middle])
        good_after, bad_after = set_apart(group, rows[middle:])
        return good_before + good_after, bad_before + bad_after
    return list(rows), []


def _values(hour: int) -> tuple[str, ...]:
    try:
        return partition_values(hour)
    except ValueError as error:
        raise BadValueError(str(error)) from error
