"""Where rows come from: what every source tells, and the choice among them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pyarrow as pa

    from festaf.provider.hooks.feature_store import FeatureStoreHook

CHUNK_ROWS = 4000
"""A multiple of the 25 rows of a call."""
CHUNK_BYTES = 32 << 20
PARQUET = (".parquet", ".pq", ".parq")
CSV = (".csv", ".csv.gz")


@dataclass(frozen=True)
class BrokenRow:
    """A row that could not be read at all."""

    row: int
    reason: str
    text: str


@dataclass(frozen=True)
class Chunk:
    """Some rows of a source, in its order."""

    batch: pa.RecordBatch
    rows: np.ndarray[Any, np.dtype[np.int64]]
    """The number of each row in the source, from 1."""
    broken: tuple[BrokenRow, ...] = field(default=())
    """Rows between these that could not be read."""


class Source(Protocol):
    """Rows with named columns, read in chunks."""

    uri: str | None
    """URI of the rows, if they have one."""
    name: str
    """What messages call it."""
    total: int | None
    """How many rows there are, when that is known before they are read."""
    fingerprint: str
    """Hash that changes when the rows may have changed."""
    is_text: bool
    """Whether all values come as text that must be parsed, as from CSV."""
    pinned: bool
    """Whether the fingerprint stands for the content; if not, only the values themselves can tell."""

    def types(self) -> dict[str, pa.DataType | None]:
        """Give each column's type; None where only the values can tell."""
        ...

    def chunks(self, columns: list[str]) -> Iterator[Chunk]:
        """Read the rows, only these columns."""
        ...


def fingerprint(*parts: str) -> str:
    """Hash what identifies a source's content."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def unique(names: list[str], where: str) -> list[str]:
    """Give the names back when none stands twice.

    :raises InputError: one does
    """
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"Column {name!r} stands twice in {where}")
    return names


def open_source(source: Any, source_format: str | None, hook: FeatureStoreHook) -> Source:
    """Open a path, a URI or a table in memory as a source.

    :raises InputError: there is nothing there, or it is none of these
    """
    from festaf.provider.ingest.csv_source import CsvSource
    from festaf.provider.ingest.files import find_files
    from festaf.provider.ingest.parquet_source import ParquetSource
    from festaf.provider.ingest.table_source import TableSource, as_table

    if isinstance(source, str) and source:
        kind = source_format or ("csv" if source.lower().endswith(CSV) else "parquet")
        if kind == "csv":
            files = find_files(source, CSV, hook)
            if len(files) > 1:
                raise InputError(f"{source} holds {len(files)} CSV files: give one of them")
            return CsvSource(files[0])
        return ParquetSource(source, find_files(source, PARQUET, hook))
    table = as_table(source)
    if table is None:
        raise InputError(f"The source is {type(source).__name__}: give a path, a URI or a DataFrame")
    return TableSource(table)
