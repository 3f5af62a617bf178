"""Rows of a table in memory."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from festaf.provider.errors import InputError
from festaf.provider.ingest.parquet_source import small_pieces
from festaf.provider.ingest.source import CHUNK_ROWS, Chunk, unique

if TYPE_CHECKING:
    from collections.abc import Iterator


class TableSource:
    """The rows of a DataFrame or Arrow table."""

    is_text = False
    pinned = True
    uri: str | None = None
    name = "the DataFrame"

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.total: int | None = table.num_rows
        self.fingerprint = _content_hash(table)

    def types(self) -> dict[str, pa.DataType | None]:
        """Give each column's type."""
        return dict(zip(unique(self._table.column_names, self.name), self._table.schema.types, strict=True))

    def chunks(self, columns: list[str]) -> Iterator[Chunk]:
        """Read the rows, only these columns."""
        start = 1
        for batch in self._table.select(columns).to_batches(max_chunksize=CHUNK_ROWS):
            for piece in small_pieces(batch):
                yield Chunk(piece, np.arange(start, start + piece.num_rows))
                start += piece.num_rows


def as_table(value: Any) -> pa.Table | None:
    """Take a pandas DataFrame or an Arrow table; None when it is neither.

    :raises InputError: a column of the DataFrame holds values of several kinds
    """
    if isinstance(value, pa.Table):
        return value
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(value, pandas.DataFrame):
        return None
    arrays = []
    for position, name in enumerate(value.columns):
        try:
            arrays.append(pa.array(value.iloc[:, position], from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise InputError(f"Column {name!r} of the DataFrame holds values of several kinds: {error}") from error
    return pa.table(arrays, names=[str(name) for name in value.columns])


def _content_hash(table: pa.Table) -> str:
    digest = hashlib.sha256()

    class Sink:
        closed = False

        def write(self, data: Any) -> int:
            digest.update(data)
            return len(data)

        def flush(self) -> None:
            """Nothing is kept back."""

        def close(self) -> None:
            """Nothing is open."""

    with pa.ipc.new_stream(pa.PythonFile(Sink(), mode="w"), table.schema.remove_metadata()) as writer:
        writer.write_table(table.replace_schema_metadata(None), max_chunksize=CHUNK_ROWS)
    return digest.hexdigest()
