"""Rows of a CSV file with a header line."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from festaf.provider.errors import InputError
from festaf.provider.ingest.source import BrokenRow, Chunk, fingerprint, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.provider.ingest.files import SourceFile

BLOCK_BYTES = 2 << 20
# A number with leading zeros, such as a postal code, is text.
WHOLE = r"^\s*[+-]?(0|[1-9]\d{0,17})\s*$"
NUMBER = r"^\s*[+-]?((0|[1-9]\d{0,98})(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?\s*$"


class CsvSource:
    """The rows of a CSV file; every value is text, an empty one without quotes is missing."""

    is_text = True
    pinned = True
    total: int | None = None

    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self.name = file.uri
        self.uri: str | None = file.uri
        self.fingerprint = fingerprint(file.uri, file.version)
        self._names: list[str] = unique(self._header(), self.name)

    def types(self) -> dict[str, pa.DataType | None]:
        """Give each column's type: text."""
        return dict.fromkeys(self._names, pa.string())

    def chunks(self, columns: list[str]) -> Iterator[Chunk]:
        """Read the rows, only these columns; a row with too few or too many values comes as broken."""
        broken: list[BrokenRow] = []
        start = 1
        try:
            with self._file.open() as handle:
                for batch in self._open(handle, columns, broken):
                    count, seen = batch.num_rows, len(broken)
                    rows = _numbers(start, count, [item.row for item in broken])
                    end = int(rows[-1]) if count else start - 1
                    inside = bisect.bisect_right([item.row for item in broken], end)
                    yield Chunk(batch, rows, tuple(broken[:inside]))
                    del broken[:inside]
                    start = end + 1
                    assert seen >= inside
        except pa.ArrowInvalid as error:
            raise InputError(f"{self.name} cannot be read as CSV in UTF-8 near row {start}: {error}") from error
        if broken:
            nothing = pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in columns], names=columns)
            yield Chunk(nothing, np.arange(0), tuple(broken))

    def inferred_types(self) -> list[tuple[str, pa.DataType]]:
        """Read every row to tell each column's type: whole numbers, numbers, or text."""
        kinds = dict.fromkeys(self._names, pa.null())
        for chunk in self.chunks(self._names):
            for name in self._names:
                kinds[name] = _wider(kinds[name], chunk.batch.column(name))
        return list(kinds.items())

    def _header(self) -> list[str]:
        try:
            with self._file.open() as handle:
                lenient = pcsv.ParseOptions(invalid_row_handler=lambda row: "skip", newlines_in_values=True)
                reader = pcsv.open_csv(handle, read_options=_read_options(), parse_options=lenient)
                names: list[str] = reader.schema.names
        except pa.ArrowInvalid as error:
            raise InputError(f"{self.name} is no CSV file with a header line: {error}") from error
        return names

    def _open(self, handle: object, columns: list[str], broken: list[BrokenRow]) -> pcsv.CSVStreamingReader:
        def skip(row: pcsv.InvalidRow) -> str:
            reason = f"the row has {row.actual_columns} values, the header has {row.expected_columns}"
            broken.append(BrokenRow(row.number - 1, reason, row.text))
            return "skip"

        return pcsv.open_csv(
            handle,
            read_options=_read_options(),
            parse_options=pcsv.ParseOptions(invalid_row_handler=skip, newlines_in_values=True),
            convert_options=pcsv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                include_columns=columns,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )


def _wider(known: pa.DataType, column: pa.Array) -> pa.DataType:
    """Give the narrowest type that holds what is known and these values."""
    if known == pa.string() or column.null_count == len(column):
        return known
    if known != pa.float64() and _all_match(column, WHOLE):
        return pa.int64()
    return pa.float64() if _all_match(column, NUMBER) else pa.string()


def _all_match(column: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(column, pattern), skip_nulls=True).as_py())


def _read_options() -> pcsv.ReadOptions:
    return pcsv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False)


def _numbers(start: int, count: int, broken: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Number the good rows from ``start``, leaving out the numbers of broken ones."""
    numbers = np.arange(start, start + count + len(broken), dtype=np.int64)
    return numbers[~np.isin(numbers, broken)][:count]
