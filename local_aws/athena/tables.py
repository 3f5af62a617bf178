"""The rows of Glue's tables, read from S3 once and kept until they change there."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from festaf.local_aws.athena.catalog import Catalog, Partition
from festaf.local_aws.athena.errors import QueryError
from festaf.local_aws.athena.files import read_file
from festaf.local_aws.athena.types import arrow_type
from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from festaf.local_aws.athena.catalog import GlueTable
    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.objects import ObjectStat

KEPT_BYTES = 1 << 30
"""How many bytes of tables are kept; the table that was used longest ago goes first."""


@dataclass
class _Kept:
    """One table in memory, as it was when ``mark`` was taken."""

    table: GlueTable
    mark: int
    rows: pa.Table
    paths: tuple[str, ...]
    """Where its files stand, as ``Changes`` knows them."""
    size: int
    """Bytes of its files in S3."""
    parts: dict[str, tuple[str, pa.Table]] = field(default_factory=dict)
    """ETag and rows of each file by its key; the rows are a part of ``rows``."""


@dataclass(frozen=True)
class TableRows:
    """What a query reads of a table."""

    rows: pa.Table
    scanned: int
    """Bytes of the files in S3."""


class Tables:
    """Reads tables; safe to call from several threads."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._kept: OrderedDict[tuple[str, str, str], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, table: GlueTable) -> TableRows:
        """Give all rows of a table, its partition keys as its last columns.

        :raises QueryError: a file cannot be read as the table says
        """
        key = (table.region, table.database, table.name)
        with self._lock:
            kept = self._kept.pop(key, None)
            if kept is None or kept.table != table or self._stale(kept):
                kept = self._load(table, kept if kept and kept.table == table else None)
            self._kept[key] = kept
            self._shrink()
            return TableRows(kept.rows, kept.size)

    def _stale(self, kept: _Kept) -> bool:
        watched = [*kept.paths, "glue"] if kept.table.keys else kept.paths
        return self._cloud.changes.since(kept.mark, watched)

    def _load(self, table: GlueTable, before: _Kept | None) -> _Kept:
        import pyarrow as pa

        mark = self._cloud.changes.mark()
        objects = Objects(self._cloud, table.region)
        known = before.parts if before else {}
        homes = self._homes(table)
        inside = any(_within(folder, _folder(table.location)) for folder in homes)
        folders = _outermost([*homes, _folder(table.location)] if inside else homes)
        parts: list[tuple[str, str, pa.Table]] = []
        values: list[tuple[str, ...]] = []
        size = 0
        for bucket, stat, partition in _files(table, objects, homes, folders):
            path = f"{bucket}/{stat.key}"
            kept = known.get(path)
            same = kept is not None and kept[0] == stat.etag
            rows = kept[1] if kept and same else read_file(table, f"s3://{path}", objects.get(bucket, stat.key))
            parts.append((path, stat.etag, rows))
            values.append(partition.values)
            size += stat.size
        schema = pa.schema([(name, arrow_type(kind)) for name, kind in table.columns])
        rows = pa.concat_tables([schema.empty_table(), *(rows for _, _, rows in parts)]).combine_chunks()
        slices, start = {}, 0
        for path, etag, part in parts:
            slices[path] = (etag, rows.slice(start, len(part)))
            start += len(part)
        rows = _with_keys(table, rows, values, [len(part) for _, _, part in parts])
        return _Kept(table, mark, rows, tuple(f"/{bucket}/{prefix}" for bucket, prefix in folders), size, slices)

    def _homes(self, table: GlueTable) -> dict[tuple[str, str], Partition]:
        """Give the folders to read, as bucket and prefix; of a partitioned table those that Glue knows, as Athena."""
        if not table.keys:
            return {_folder(table.location): Partition((), table.location)}
        partitions = Catalog(self._cloud, table.region).partitions(table)
        return {_folder(partition.location or table.location): partition for partition in partitions}

    def _shrink(self) -> None:
        total = sum(kept.rows.nbytes for kept in self._kept.values())
        while total > KEPT_BYTES and len(self._kept) > 1:
            total -= self._kept.popitem(last=False)[1].rows.nbytes


def _folder(location: str) -> tuple[str, str]:
    try:
        bucket, key = split_uri(location)
    except ValueError as error:
        raise QueryError("HIVE_INVALID_METADATA", f"Table location {location!r} is no S3 location") from error
    return bucket, f"{key}/" if key else ""


def _within(folder: tuple[str, str], outer: tuple[str, str]) -> bool:
    return folder[0] == outer[0] and folder[1].startswith(outer[1])


def _outermost(folders: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Drop the folders that stand in another one: one listing covers them."""
    found: list[tuple[str, str]] = []
    for bucket, prefix in sorted(folders):
        if not (found and found[-1][0] == bucket and prefix.startswith(found[-1][1])):
            found.append((bucket, prefix))
    return found


def _files(
    table: GlueTable,
    objects: Objects,
    homes: Mapping[tuple[str, str], Partition],
    folders: Sequence[tuple[str, str]],
) -> Iterator[tuple[str, ObjectStat, Partition]]:
    try:
        for bucket, prefix in folders:
            for stat in objects.under(bucket, prefix):
                owner = _owner(homes, bucket, stat.key)
                if owner is not None and stat.size and not _hidden(stat.key):
                    yield bucket, stat, owner
    except ObjectStoreError as error:
        raise QueryError("HIVE_FILESYSTEM_ERROR", f"{table.database}.{table.name}: {error}") from error


def _owner(homes: Mapping[tuple[str, str], Partition], bucket: str, key: str) -> Partition | None:
    """Find the partition in whose folder, or in a folder of whose folder, a file stands."""
    folder = key
    while folder:
        folder = folder[: folder.rfind("/", 0, len(folder) - 1) + 1]
        if found := homes.get((bucket, folder)):
            return found
    return None


def _hidden(key: str) -> bool:
    """Say whether Hive passes the file over: its name begins with a dot or an underscore."""
    return key[key.rfind("/") + 1 :].startswith((".", "_"))


def _with_keys(table: GlueTable, rows: pa.Table, values: list[tuple[str, ...]], counts: list[int]) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    for index, (name, kind) in enumerate(table.keys):
        distinct = {value: number for number, value in enumerate(dict.fromkeys(row[index] for row in values))}
        codes = np.repeat(np.array([distinct[row[index]] for row in values], np.int32), counts)
        texts = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(list(distinct), pa.string()))
        rows = rows.append_column(name, texts.dictionary_decode().cast(arrow_type(kind)))
    return rows
