"""The rows of Glue's tables, read from S3 once and kept until they change there."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.local_aws.athena.catalog import PATH, Catalog, Partition
from festaf.local_aws.athena.errors import QueryError
from festaf.local_aws.athena.files import FileReader
from festaf.local_aws.athena.hive_paths import NO_VALUE
from festaf.local_aws.athena.types import arrow_type
from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pyarrow as pa

    from festaf.local_aws.athena.catalog import GlueTable
    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.objects import ObjectStat
    from festaf.local_aws.written_files import WrittenFiles

KEPT_BYTES = 1 << 30
"""How many bytes of tables are kept; the table that was used longest ago goes first."""

Folder = tuple[str, str]
"""Bucket and prefix; the prefix ends with a slash."""
Files = dict[tuple[str, str], "ObjectStat"]
"""What stands in S3, by bucket and key, in the order of both."""


@dataclass(frozen=True)
class _Kept:
    """One table in memory, as it was when ``mark`` was taken."""

    table: GlueTable
    mark: int
    homes: dict[Folder, Partition]
    """The folders that are read."""
    folders: tuple[Folder, ...]
    """Folders that hold all of these."""
    files: Files
    rows: pa.Table
    parts: dict[tuple[str, str], tuple[str, pa.Table]]
    """ETag and rows of each file that was read; the rows are a part of ``rows``."""

    @property
    def size(self) -> int:
        """Give the bytes of its files in S3."""
        return sum(self.files[place].size for place in self.parts)


@dataclass(frozen=True)
class TableRows:
    """What a query reads of a table."""

    rows: pa.Table
    scanned: int
    """Bytes of the files in S3."""
    files: tuple[tuple[str, int], ...] = ()
    """URIs of the files in the order of the rows, with how many rows are of each."""

    def with_paths(self) -> pa.Table:
        """Give the rows with the hidden column that says their file."""
        import numpy as np
        import pyarrow as pa

        codes = np.repeat(np.arange(len(self.files), dtype=np.int32), [count for _, count in self.files])
        uris = pa.array([uri for uri, _ in self.files], pa.string())
        paths = pa.DictionaryArray.from_arrays(pa.array(codes), uris).dictionary_decode()
        return self.rows.append_column(PATH, paths)


class Tables:
    """Reads tables; safe to call from several threads."""

    def __init__(self, cloud: Cloud, written: WrittenFiles) -> None:
        self._cloud = cloud
        self._reader = FileReader(written)
        self._kept: OrderedDict[tuple[str, str, str], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, table: GlueTable, go_on: Callable[[], None] = lambda: None) -> TableRows:
        """Give all rows of a table, its partition keys as its last columns.

        :param go_on: called before each file that is read; it may raise to end the reading
        :raises QueryError: a file cannot be read as the table says
        """
        key = (table.region, table.database, table.name)
        with self._lock:
            before = self._kept.get(key)
            try:
                kept = self._current(table, before if before and before.table == table else None, go_on)
            except ObjectStoreError as error:
                raise QueryError("HIVE_FILESYSTEM_ERROR", f"{table.database}.{table.name}: {error}") from error
            self._kept[key] = kept
            self._kept.move_to_end(key)
            self._shrink()
            files = tuple((f"s3://{'/'.join(place)}", len(part)) for place, (_, part) in kept.parts.items())
            return TableRows(kept.rows, kept.size, files)

    def _current(self, table: GlueTable, kept: _Kept | None, go_on: Callable[[], None]) -> _Kept:
        """Give the table as it is now, of what is kept as much as still holds."""
        mark = self._cloud.changes.mark()
        objects = Objects(self._cloud, table.region)
        read = self._reader.of(table, objects, go_on)
        changes = self._cloud.changes.since(kept.mark) if kept else None
        if kept is None or changes is None:
            homes = self._homes(table)
            folders = _folders(table, homes)
            return _load(table, mark, homes, folders, _list(objects, folders), read, kept)
        moved = _in_folders(changes, kept.folders)
        registered = not table.keys or not {"/", "glue", f"glue:{table.database}.{table.name}"} & set(changes)
        if registered and not moved:
            return kept
        homes = kept.homes if registered else self._homes(table)
        folders = kept.folders if registered else _folders(table, homes)
        known = folders == kept.folders and all(changed.count("/") > 1 for changed in moved)
        files = _follow(objects, kept.files, moved) if known else _list(objects, folders)
        return _load(table, mark, homes, folders, files, read, kept)

    def _homes(self, table: GlueTable) -> dict[Folder, Partition]:
        """Find the folders to read; of a partitioned table those that Glue knows, as Athena does."""
        if not table.keys:
            return {_folder(table.location): Partition((), table.location)}
        partitions = Catalog(self._cloud, table.region).partitions(table)
        return {_folder(partition.location or table.location): partition for partition in partitions}

    def _shrink(self) -> None:
        total = sum(kept.rows.nbytes for kept in self._kept.values())
        while total > KEPT_BYTES and len(self._kept) > 1:
            total -= self._kept.popitem(last=False)[1].rows.nbytes


def table_schema(table: GlueTable) -> pa.Schema:
    """Give the types of all columns of a table."""
    import pyarrow as pa

    return pa.schema([(name, arrow_type(kind)) for name, kind in table.all_columns.items()])


def _load(
    table: GlueTable,
    mark: int,
    homes: dict[Folder, Partition],
    folders: tuple[Folder, ...],
    files: Files,
    read_one: Callable[[ObjectStat, str], pa.Table],
    before: _Kept | None,
) -> _Kept:
    """Read the files that changed, and put the table together."""
    import pyarrow as pa

    known = before.parts if before else {}
    owners = {place: _owner(homes, *place) for place, stat in files.items() if stat.size and not _hidden(place[1])}
    read = {}
    values = []
    for place, owner in owners.items():
        if owner is None:
            continue
        etag = files[place].etag
        kept = known.get(place)
        if kept is None or kept[0] != etag:
            kept = (etag, read_one(files[place], place[0]))
        read[place] = kept
        values.append(owner.values)
    schema = pa.schema([(name, arrow_type(kind)) for name, kind in table.columns])
    rows = pa.concat_tables([schema.empty_table(), *(part for _, part in read.values())]).combine_chunks()
    parts, counts, start = {}, [], 0
    for place, (etag, part) in read.items():
        parts[place] = (etag, rows.slice(start, len(part)))
        counts.append(len(part))
        start += len(part)
    return _Kept(table, mark, homes, folders, files, _with_keys(table, rows, values, counts), parts)


def _folder(location: str) -> Folder:
    try:
        bucket, key = split_uri(location)
    except ValueError as error:
        raise QueryError("HIVE_INVALID_METADATA", f"Table location {location!r} is no S3 location") from error
    return bucket, f"{key}/" if key else ""


def _folders(table: GlueTable, homes: Iterable[Folder]) -> tuple[Folder, ...]:
    """Give the fewest folders that hold all that is read: one listing each."""
    bucket, prefix = _folder(table.location)
    found: list[Folder] = []
    for folder in sorted([*homes, (bucket, prefix)]):
        if not (found and found[-1][0] == folder[0] and folder[1].startswith(found[-1][1])):
            found.append(folder)
    return tuple(found)


def _list(objects: Objects, folders: Iterable[Folder]) -> Files:
    return {(bucket, stat.key): stat for bucket, prefix in folders for stat in objects.under(bucket, prefix)}


def _in_folders(changes: Iterable[str], folders: Iterable[Folder]) -> set[str]:
    """Keep the changes of S3 that touch one of the folders."""
    paths = [f"/{bucket}/{prefix}" for bucket, prefix in folders]
    return {
        changed
        for changed in changes
        if changed.startswith("/")
        for path in paths
        if changed.startswith(path) or path.startswith(f"{changed.rstrip('/')}/")
    }


def _follow(objects: Objects, files: Files, changed: Iterable[str]) -> Files:
    """Look at the objects that changed instead of listing all."""
    now = dict(files)
    for path in changed:
        bucket, _, key = path[1:].partition("/")
        stat = objects.stat(bucket, key)
        if stat is None:
            now.pop((bucket, key), None)
        else:
            now[bucket, key] = stat
    return dict(sorted(now.items()))


def _owner(homes: Mapping[Folder, Partition], bucket: str, key: str) -> Partition | None:
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


def _with_keys(table: GlueTable, rows: pa.Table, values: Sequence[tuple[str, ...]], counts: list[int]) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    for index, (name, kind) in enumerate(table.keys):
        distinct = {value: number for number, value in enumerate(dict.fromkeys(row[index] for row in values))}
        codes = np.repeat(np.array([distinct[row[index]] for row in values], np.int32), counts)
        texts = pa.DictionaryArray.from_arrays(
            pa.array(codes), pa.array([None if value == NO_VALUE else value for value in distinct], pa.string())
        )
        rows = rows.append_column(name, texts.dictionary_decode().cast(arrow_type(kind)))
    return rows
