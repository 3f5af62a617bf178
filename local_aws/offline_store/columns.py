"""Rows as typed columns: what a feature's type is in Parquet and in Glue, and how text becomes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from festaf.local_aws.offline_store.layout import Group
    from festaf.local_aws.offline_store.row import OfflineRow, Value

ADDED = {"write_time": "timestamp", "api_invocation_time": "timestamp", "is_deleted": "boolean"}
"""The columns that the store adds, with their types in Glue."""

_GLUE_TYPES = {"Integral": "bigint", "Fractional": "double", "String": "string"}


class BadValueError(Exception):
    """A value is not of its feature's type; the row should not have been accepted."""


def glue_columns(group: Group) -> list[dict[str, str]]:
    """Give the columns of the group's table, as Glue's CreateTable takes them."""
    features = [
        {"Name": definition["FeatureName"].lower(), "Type": _glue_type(definition)}
        for definition in group["FeatureDefinitions"]
    ]
    return features + [{"Name": name, "Type": kind} for name, kind in ADDED.items()]


def arrow_table(group: Group, rows: Sequence[OfflineRow], write_time: float) -> pa.Table:
    """Make one Parquet-ready table of the rows, in their order.

    Integral is int64, Fractional float64, String string, a collection a list of these; the times are milliseconds UTC.

    :param write_time: epoch seconds
    :raises BadValueError: a value is not of its feature's type
    """
    import pyarrow as pa

    values = [row.values for row in rows]
    columns: dict[str, Any] = {
        definition["FeatureName"]: _column(definition, values) for definition in group["FeatureDefinitions"]
    }
    moment = pa.timestamp("ms")
    columns["write_time"] = pa.array([round(write_time * 1000)] * len(rows), moment)
    columns["api_invocation_time"] = pa.array([round(row.api_invocation_time * 1000) for row in rows], moment)
    columns["is_deleted"] = pa.array([row.is_deleted for row in rows], pa.bool_())
    return pa.table(columns)


def event_seconds(group: Group, rows: Sequence[OfflineRow]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Read the event times, in epoch seconds, whether they were sent as a number or as ISO 8601.

    :raises BadValueError: an event time is neither
    """
    import pyarrow as pa

    texts = pa.array([row.event_time for row in rows], pa.string())
    name = group["EventTimeFeatureName"]
    kind = next(item["FeatureType"] for item in group["FeatureDefinitions"] if item["FeatureName"] == name)
    try:
        if kind == "String":
            numbers = texts.cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy(zero_copy_only=False) / 1000
        else:
            numbers = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid as error:
        raise BadValueError(f"an event time in the feature {name} cannot be read: {error}") from error
    seconds: np.ndarray[Any, np.dtype[np.float64]] = numbers
    return seconds


def _glue_type(definition: Mapping[str, str]) -> str:
    scalar = _GLUE_TYPES[definition["FeatureType"]]
    return f"array<{scalar}>" if definition.get("CollectionType") else scalar


def _column(definition: Mapping[str, str], rows: Sequence[Mapping[str, Value]]) -> pa.Array:
    import pyarrow as pa

    name, kind = definition["FeatureName"], definition["FeatureType"]
    scalar, read = _SCALARS[kind]
    target = getattr(pa, scalar)()
    listed = bool(definition.get("CollectionType"))
    texts = [row.get(name) for row in rows]
    try:
        as_text = pa.array(texts, pa.list_(pa.string()) if listed else pa.string())
        return as_text.cast(pa.list_(target) if listed else target)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return _column_one_by_one(name, kind, read, texts, pa.list_(target) if listed else target)


def _column_one_by_one(
    name: str, kind: str, read: Callable[[str], object], texts: Sequence[Value | None], target: pa.DataType
) -> pa.Array:
    """Read what Python reads and Arrow does not, such as ``+1``; slow, and needed for few."""
    import pyarrow as pa

    try:
        read_values = [
            None if text is None else read(text) if isinstance(text, str) else [read(item) for item in text]
            for text in texts
        ]
        return pa.array(read_values, target)
    except (ValueError, OverflowError, pa.ArrowException) as error:
        raise BadValueError(f"a value of the feature {name} is not {kind}: {error}") from error


_SCALARS: dict[str, tuple[str, Callable[[str], object]]] = {
    "Integral": ("int64", int),
    "Fractional": ("float64", float),
    "String": ("string", str),
}
