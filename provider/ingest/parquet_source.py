"""Rows of Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from festaf.provider.errors import InputError
from festaf.provider.ingest.source import CHUNK_BYTES, CHUNK_ROWS, Chunk, fingerprint, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.provider.ingest.files import SourceFile


class ParquetSource:
    """The rows of one Parquet file, or of a folder of them in the order of their names."""

    is_text = False
    pinned = True

    def __init__(self, uri: str, files: list[SourceFile]) -> None:
        self.name = uri
        self.uri: str | None = files[0].uri if len(files) == 1 else _folder_uri(uri, files)
        self.fingerprint = fingerprint(*(part for file in files for part in (file.uri, file.version)))
        self._files = files
        self._schema, rows = _read_schemas(files)
        self.total: int | None = rows

    def types(self) -> dict[str, pa.DataType | None]:
        """Give each column's type."""
        return dict(zip(unique(self._schema.names, self.name), self._schema.types, strict=True))

    def chunks(self, columns: list[str]) -> Iterator[Chunk]:
        """Read the rows, only these columns."""
        start = 1
        for file in self._files:
            with file.open() as handle, pq.ParquetFile(handle, pre_buffer=False) as parquet:
                for batch in parquet.iter_batches(batch_size=CHUNK_ROWS, columns=columns):
                    for piece in small_pieces(batch):
                        yield Chunk(piece, np.arange(start, start + piece.num_rows))
                        start += piece.num_rows


def small_pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch so that no piece is much larger than CHUNK_BYTES."""
    step = max(1, min(batch.num_rows, batch.num_rows * CHUNK_BYTES // max(1, batch.nbytes)))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


def _folder_uri(uri: str, files: list[SourceFile]) -> str:
    return uri if "://" in uri else files[0].uri[: files[0].uri.index(uri.rstrip("/")) + len(uri.rstrip("/"))]


def _read_schemas(files: list[SourceFile]) -> tuple[pa.Schema, int]:
    """Read every file's footer: all must have the same columns."""
    first: pa.Schema | None = None
    total = 0
    for file in files:
        try:
            with file.open() as handle, pq.ParquetFile(handle, pre_buffer=False) as parquet:
                schema, rows = parquet.schema_arrow.remove_metadata(), parquet.metadata.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"{file.uri} is no Parquet file: {error}") from error
        total += rows
        if first is None:
            first = schema
        elif not first.equals(schema):
            odd = {str(item) for item in first} ^ {str(item) for item in schema}
            raise InputError(
                f"{file.uri} has not the columns of {files[0].uri}: {', '.join(sorted(odd)) or 'another order'}"
            )
    assert first is not None
    return first, total
