"""Make a company of many divisions from the rows of one, which a registry has taken over HTTP.

    .venv/bin/python -m benchmarks.divisions sqlite:////large/disk/registry.db 100

A registry takes hours for the events of a million features. Here the rows of the first division are read, and written
again for each of the others as the registry would have written them: numbers go on, marks are replaced in every text,
and hashes of names are made anew. ``tests/registry_api/test_divisions.py`` compares the outcome with what the events of
two divisions make.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
import zlib
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import psycopg
from benchmarks.story import mark

from festaf.registry_api.main import create_app  # noqa: F401 - every table is known then.
from festaf.registry_api.table import LongText, Table, natural_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Column
    from sqlalchemy import Table as Schema

FIRST = mark(0)
KEYS: dict[str, Callable[[dict[str, Any]], str]] = {
    "node": lambda row: natural_key(row["kind"], row["namespace"], row["name"], row["field"]),
    "job": lambda row: natural_key("job", row["namespace"], row["name"]),
    "dataset": lambda row: natural_key("dataset", row["namespace"], row["name"]),
    "dag": lambda row: natural_key(row["namespace"], row["dag_id"]),
    "namespace": lambda row: natural_key(row["name"]),
}
"""What the column ``key`` of a table is made from."""
ONCE = frozenset({"audit", "change", "generation", "access_state", "search_variant"})
"""Tables of which a registry has one row, or each row once."""
NUMBERED = {
    ("feature", "version_id"): "feature_version",
    ("feature", "content_id"): "feature_version",
}
"""Numbers of rows that no foreign key says are such."""
UUIDS = frozenset({"uuid", "run_uuid", "parent_uuid", "latest_run"})
ROWS = 20_000
"""How many are written at once."""


@dataclass(frozen=True)
class Copied:
    """A table, and how its rows are changed for another division."""

    schema: Schema
    rows: Sequence[tuple[Any, ...]]
    columns: tuple[str, ...]
    spans: dict[str, int]
    """By how much the numbers of each table go on from one division to the next."""
    texts: dict[str, str]
    """The first division's texts of code, by hash."""

    @cached_property
    def shifts(self) -> dict[int, int]:
        """Give by place of a column by how much its number goes on."""
        found = {}
        for place, name in enumerate(self.columns):
            if (of := _numbered(self.schema.columns[name])) is not None:
                found[place] = self.spans[of]
        return found

    def of(self, division: int) -> Iterator[tuple[Any, ...]]:
        """Give the rows of a division; those that are the same for all come with the first alone."""
        marked = mark(division)
        uuids = {place for place, name in enumerate(self.columns) if name in UUIDS}
        packed = {place for place, name in enumerate(self.columns) if _is_long(self.schema.columns[name])}
        for row in self.rows:
            changed = list(row)
            for place, value in enumerate(row):
                if value is None:
                    continue
                if place in self.shifts:
                    changed[place] = type(value)(int(value) + self.shifts[place] * division)
                elif place in uuids:
                    changed[place] = _other_uuid(value, division)
                elif isinstance(value, str) and FIRST in value:
                    changed[place] = value.replace(FIRST, marked)
                elif isinstance(value, bytes) and place in packed:
                    text = zlib.decompress(value).replace(FIRST.encode(), marked.encode())
                    changed[place] = zlib.compress(text, 1)
            self._hash(changed, row, division)
            if changed != list(row):
                yield tuple(changed)

    def _hash(self, row: list[Any], first: tuple[Any, ...], division: int) -> None:
        """Make the hashes of names and texts anew."""
        name, place = self.schema.name, self.columns.index
        named = dict(zip(self.columns, row, strict=True))
        if name in KEYS:
            row[place("key")] = KEYS[name](named)
        if "namespace_key" in named:
            row[place("namespace_key")] = natural_key(named["namespace"])
        if name == "event":
            row[place("dedupe_key")] = _sha256(f"{named['dedupe_key']}{division}")
        if name == "source_blob":
            row[place("sha256")] = _sha256(named["text"])
        if named.get("source_sha256"):
            text = self.texts[first[place("source_sha256")]]
            row[place("source_sha256")] = _sha256(text.replace(FIRST, mark(division)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _numbered(column: Column[Any]) -> str | None:
    """Give the table whose rows a column numbers."""
    if named := NUMBERED.get((column.table.name, column.name)):
        return named
    for key in column.foreign_keys:
        target = key.column
        return _numbered(target) or target.table.name if target.name != "sha256" else None
    own = column.primary_key and column.name == "id"
    return column.table.name if own else None


def _is_long(column: Column[Any]) -> bool:
    return isinstance(column.type, LongText)


def _other_uuid(value: str, division: int) -> str:
    """Change the first digits of a UUID, which is written as either database does."""
    return f"{int(value[:8], 16) ^ division:08x}{value[8:]}"


def copy(url: str, divisions: int) -> None:
    """Write the rows of the first division again until there are so many."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            for pragma in ("synchronous=OFF", "cache_size=-2000000", "foreign_keys=OFF"):
                connection.execute(f"PRAGMA {pragma}")
            _copy(divisions, _read_sqlite(connection), lambda *rows: _write_sqlite(connection, *rows))
            connection.execute("ANALYZE")
            connection.commit()
        return
    with psycopg.connect(url.replace("+psycopg", "", 1)) as server:
        server.execute("SET session_replication_role = replica")
        _copy(divisions, _read_postgresql(server), lambda *rows: _write_postgresql(server, *rows))
        _go_on(server)
        server.commit()
        server.autocommit = True
        server.execute("VACUUM ANALYZE")


Read = dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]
"""By table its columns and rows."""


def _copy(divisions: int, read: Read, write: Callable[[str, tuple[str, ...], list[tuple[Any, ...]]], None]) -> None:
    spans = {}
    for name, (columns, rows) in read.items():
        numbers = [int(row[columns.index("id")]) for row in rows] if "id" in columns else []
        spans[name] = max(numbers, default=0)
    columns, rows = read["source_blob"]
    texts = {row[columns.index("sha256")]: row[columns.index("text")] for row in rows}
    for schema in Table.metadata.sorted_tables:
        columns, rows = read[schema.name]
        if not rows or schema.name in ONCE:
            continue
        copied = Copied(schema, rows, columns, spans, texts)
        batch: list[tuple[Any, ...]] = []
        for division in range(1, divisions):
            batch += copied.of(division)
            if len(batch) >= ROWS or division == divisions - 1:
                write(schema.name, columns, batch)
                batch = []
            print(f"\r{schema.name}: division {division} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def _read_sqlite(connection: sqlite3.Connection) -> Read:
    found: Read = {}
    for schema in Table.metadata.sorted_tables:
        columns = tuple(column.name for column in schema.columns)
        names = ", ".join(f'"{name}"' for name in columns)
        found[schema.name] = (columns, connection.execute(f'SELECT {names} FROM "{schema.name}"').fetchall())
    return found


def _write_sqlite(
    connection: sqlite3.Connection, name: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    connection.executemany(f'INSERT INTO "{name}" ({names}) VALUES ({marks})', rows)
    connection.commit()


def _read_postgresql(connection: psycopg.Connection[Any]) -> Read:
    found: Read = {}
    for schema in Table.metadata.sorted_tables:
        columns = tuple(column.name for column in schema.columns)
        names = ", ".join(f'CAST("{name}" AS text)' for name in columns)
        found[schema.name] = (columns, connection.execute(f'SELECT {names} FROM "{schema.name}"').fetchall())  # type: ignore[call-overload]
    return found


def _write_postgresql(
    connection: psycopg.Connection[Any], name: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor().copy(f'COPY "{name}" ({names}) FROM STDIN') as into:  # type: ignore[arg-type]
        for row in rows:
            into.write_row(row)


def _go_on(connection: psycopg.Connection[Any]) -> None:
    """Let the numbers of new rows begin behind those that are there."""
    for schema in Table.metadata.sorted_tables:
        if "id" in schema.columns and not schema.columns["id"].foreign_keys:
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{schema.name}', 'id'), max(id)) FROM \"{schema.name}\""  # type: ignore[arg-type]
                " HAVING max(id) IS NOT NULL"
            )


if __name__ == "__main__":
    copy(sys.argv[1], int(sys.argv[2]))
