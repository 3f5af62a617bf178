"""Event times: checked, written as AWS takes them, and understood as points in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from festaf.provider.ingest.columns import moment_texts, texts

if TYPE_CHECKING:
    from festaf.provider.artifacts import Feature

ISO = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$"
UTC_MS = pa.timestamp("ms", "UTC")
EXAMPLE = "write it in UTC as 2013-01-31T05:00:00Z"


@dataclass(frozen=True)
class Moments:
    """The event times of some rows."""

    values: pa.Array
    """As text; null where missing or wrong."""
    milliseconds: np.ndarray[Any, np.dtype[np.int64]]
    """Since 1970 UTC; meaningless where the text is null."""
    wrong: dict[int, str]
    """By position: why the value is wrong."""


def moments(feature: Feature, column: pa.Array, *, is_text: bool) -> Moments:
    """Turn the event time column into texts and points in time."""
    if feature.type == "Fractional":
        return _fractional(feature, column, is_text=is_text)
    if pa.types.is_timestamp(column.type):
        values = moment_texts(column)
        return Moments(values, _milliseconds(values), {})
    return _iso(texts(feature, column, is_text=is_text).values)


def _iso(values: pa.Array) -> Moments:
    """Take ISO 8601 texts as they are."""
    fits = pc.fill_null(pc.match_substring_regex(values, ISO), True)
    if pc.all(fits).as_py():
        try:
            return Moments(values, _milliseconds(values), {})
        except pa.ArrowInvalid:
            pass
    wrong = {}
    for position, value in enumerate(values.to_pylist()):
        if value is not None and not _is_iso(value):
            wrong[position] = f"event time {value[:40]!r} is no time: {EXAMPLE}"
    kept = pc.if_else(pa.array([position not in wrong for position in range(len(values))]), values, None)
    return Moments(kept, _milliseconds(kept), wrong)


def _is_iso(value: str) -> bool:
    one = pa.array([value], pa.string())
    try:
        pc.cast(one, UTC_MS)
    except pa.ArrowInvalid:
        try:
            pc.cast(one, pa.timestamp("ns", "UTC"))
        except pa.ArrowInvalid:
            return False
    return bool(pc.match_substring_regex(one, ISO)[0].as_py())


def _milliseconds(values: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Read ISO 8601 texts, whatever the number of digits of the second.

    :raises pyarrow.ArrowInvalid: one of them is no time
    """
    short = pc.replace_substring_regex(values, r"(\.\d{3})\d+Z$", r"\1Z")
    stamps = pc.cast(pc.cast(short, UTC_MS), pa.int64())
    return np.asarray(pc.fill_null(stamps, 0))


def _fractional(feature: Feature, column: pa.Array, *, is_text: bool) -> Moments:
    """Take numbers as seconds since 1970, and write timestamps as such."""
    if pa.types.is_timestamp(column.type):
        naive = pc.cast(column, pa.timestamp("ms", column.type.tz), safe=False)
        column = pc.divide(pc.cast(pc.cast(naive, pa.int64()), pa.float64()), 1000.0)
    found = texts(feature, column, is_text=is_text)
    seconds = pc.fill_null(pc.cast(found.values, pa.float64()), 0.0)
    wrong = dict(found.wrong)
    for position in pc.indices_nonzero(pc.greater(pc.abs(seconds), 253402300799.0)).to_pylist():
        wrong[position] = f"event time {found.values[position]} is not in seconds since 1970"
    clean = np.where(np.abs(np.asarray(seconds)) > 253402300799.0, 0, np.asarray(seconds))
    return Moments(found.values, np.round(clean * 1000).astype(np.int64), wrong)


def moment_of(milliseconds: int | None) -> datetime | None:
    """Give a point in time from milliseconds since 1970."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
