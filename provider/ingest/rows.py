"""Check the rows of a chunk and write each as an entry of BatchWriteRecord in JSON, without a Python loop over rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from festaf.provider.ingest.columns import texts
from festaf.provider.ingest.moments import moments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from festaf.provider.artifacts import Feature, FeatureSet
    from festaf.provider.ingest.source import Chunk

RECORD_BYTES = 350 * 1024
IDENTIFIER_BYTES = 2 * 1024

Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class RejectedRow:
    """A row that is not in the feature set, and why."""

    row: int
    reason: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class EncodedRows:
    """The good rows of a chunk, ready to be sent."""

    entries: list[bytes]
    """One JSON entry of BatchWriteRecord for each row."""
    rows: Numbers
    """The rows' numbers in the source."""
    milliseconds: Numbers
    """Their event times, since 1970."""
    rejected: tuple[RejectedRow, ...]
    read: int
    """Rows of the chunk, good and bad."""


class RowEncoder:
    """Encodes chunks for one feature set.

    :param columns: by feature name: the column that holds its values
    """

    def __init__(
        self,
        feature_set: FeatureSet,
        columns: Mapping[str, str],
        *,
        is_text: bool,
        target_stores: Sequence[str] | None = None,
        ttl: Mapping[str, Any] | None = None,
    ) -> None:
        self._identifier = feature_set.record_identifier
        self._event_time = feature_set.event_time
        self._features = [feature for feature in feature_set.features if feature.name in columns]
        self._columns = columns
        self._is_text = is_text
        self.head = f'{{"FeatureGroupName":{json.dumps(feature_set.name)},'
        self._tail = _tail(target_stores, ttl)

    def encode(self, chunk: Chunk) -> EncodedRows:
        """Check and encode a chunk."""
        reasons: dict[int, str] = {}
        cells = []
        milliseconds: Numbers = np.zeros(chunk.batch.num_rows, np.int64)
        for feature in self._features:
            column = _valid(chunk.batch.column(self._columns[feature.name]), feature.name, reasons)
            if feature.name == self._event_time:
                when = moments(feature, column, is_text=self._is_text)
                values, wrong, milliseconds = when.values, when.wrong, when.milliseconds
            else:
                found = texts(feature, column, is_text=self._is_text)
                values, wrong = found.values, found.wrong
            for position, reason in wrong.items():
                reasons.setdefault(position, f"{feature.name}: {reason}")
            if feature.name in {self._identifier, self._event_time}:
                _require(feature.name, values, reasons, IDENTIFIER_BYTES)
            cells.append(_cells(feature, values))
        return self._encoded(chunk, cells, milliseconds, reasons)

    def _encoded(
        self, chunk: Chunk, cells: list[pa.Array], milliseconds: Numbers, reasons: dict[int, str]
    ) -> EncodedRows:
        record = pc.binary_join_element_wise(*cells, ",", null_handling="skip")
        entries = pc.binary_join_element_wise(self.head + '"Record":[', record, "]" + self._tail, "")
        for position in pc.indices_nonzero(pc.greater(pc.binary_length(entries), RECORD_BYTES)).to_pylist():
            if (size := _record_bytes(entries[position].as_py())) > RECORD_BYTES:
                reasons.setdefault(position, f"the record has {size:,} bytes, AWS takes {RECORD_BYTES:,}")
        rejected = tuple(_rejected(chunk, reasons))
        rows = chunk.rows
        if reasons:
            good = np.ones(len(rows), bool)
            good[list(reasons)] = False
            entries, rows, milliseconds = entries.filter(pa.array(good)), rows[good], milliseconds[good]
        return EncodedRows(
            entries=pc.cast(entries, pa.binary()).to_pylist(),
            rows=rows,
            milliseconds=milliseconds,
            rejected=rejected,
            read=chunk.batch.num_rows + len(chunk.broken),
        )


def _rejected(chunk: Chunk, reasons: dict[int, str]) -> Iterator[RejectedRow]:
    for broken in chunk.broken:
        yield RejectedRow(broken.row, broken.reason, {"text": broken.text})
    positions = sorted(reasons)
    if not positions:
        return
    columns = [_python_values(chunk.batch.column(place).take(positions)) for place in range(chunk.batch.num_columns)]
    for number, position in enumerate(positions):
        values = {name: column[number] for name, column in zip(chunk.batch.schema.names, columns, strict=True)}
        yield RejectedRow(int(chunk.rows[position]), reasons[position], values)


def _python_values(column: pa.Array) -> list[Any]:
    """Give a column's values, also where text is not what its type says."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        content = column.cast(pa.large_binary()).to_pylist()
        return [None if value is None else value.decode(errors="replace") for value in content]
    return list(column.to_pylist())


def _valid(column: pa.Array, name: str, reasons: dict[int, str]) -> pa.Array:
    """Take out of a column of strings those that are not UTF-8, which a file may hold against its own type."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        kept: list[str | None] = []
        for position, value in enumerate(column.cast(pa.large_binary()).to_pylist()):
            try:
                kept.append(None if value is None else value.decode())
            except UnicodeDecodeError:
                kept.append(None)
                reasons.setdefault(position, f"{name}: the text is not UTF-8")
        return pa.array(kept, pa.large_string())
    return column


def _require(name: str, values: pa.Array, reasons: dict[int, str], limit: int) -> None:
    """Refuse rows without an identifier or event time, or with an overlong one."""
    lengths = pc.fill_null(pc.binary_length(values), 0)
    for position in pc.indices_nonzero(pc.equal(lengths, 0)).to_pylist():
        reasons.setdefault(position, f"{name}: the value is missing")
    for position in pc.indices_nonzero(pc.greater(lengths, limit)).to_pylist():
        reasons.setdefault(position, f"{name}: the value has {lengths[position]} bytes, AWS takes {limit:,}")


def _cells(feature: Feature, values: pa.Array) -> pa.Array:
    """Write each value as one element of a Record; null stays null."""
    name = json.dumps(feature.name)
    if not feature.collection:
        text = _escaped(values) if feature.type == "String" else values
        return pc.binary_join_element_wise(f'{{"FeatureName":{name},"ValueAsString":"', text, '"}', "")
    elements = _escaped(values.flatten()) if feature.type == "String" else values.flatten()
    quoted = pc.binary_join_element_wise('"', elements, '"', "", null_handling="replace", null_replacement="")
    lengths = pc.fill_null(pc.list_value_length(values), 0)
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])
    lists = pc.binary_join(pa.ListArray.from_arrays(offsets, quoted), ",")
    lists = pc.if_else(pc.is_null(values), pa.scalar(None, pa.string()), lists)
    return pc.binary_join_element_wise(f'{{"FeatureName":{name},"ValueAsStringList":[', lists, "]}", "")


def _escaped(values: pa.Array) -> pa.Array:
    """Escape what JSON does not take inside quotes; most columns have nothing of it."""
    content = np.frombuffer(pa.concat_arrays([values]).buffers()[2] or b"", np.uint8)
    if not ((content < 0x20) | (content == 0x22) | (content == 0x5C)).any():
        return values
    return pa.array([None if text is None else json.dumps(text)[1:-1] for text in values.to_pylist()], pa.string())


def _tail(target_stores: Sequence[str] | None, ttl: Mapping[str, Any] | None) -> str:
    tail = f',"TargetStores":{json.dumps(list(target_stores))}' if target_stores else ""
    return f'{tail},"TtlDuration":{json.dumps(dict(ttl))}}}' if ttl else f"{tail}}}"


def _record_bytes(entry: str) -> int:
    """Measure a record as AWS counts it: names and values."""
    record = json.loads(entry)["Record"]
    return sum(
        len(item["FeatureName"].encode())
        + sum(len(text.encode()) for text in item.get("ValueAsStringList", [item.get("ValueAsString", "")]))
        for item in record
    )
