"""Statements as the driver takes them, for many rows: compiled once, and each row written without SQLAlchemy.

For a single row SQLAlchemy's own work is not felt; for the tens of thousands of an ingest it was most of the time.
SQLite takes a row at once. To PostgreSQL all rows go in one statement, as a JSON array for each column: its driver
would bind each row, or write an array, value by value in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    LargeBinary,
    Table,
    Update,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import Text, TypeEngine

from festaf.registry_api.listed import typed, write_values

STATEMENTS = 1_000
"""How many are kept at most: tests open many databases, each with a dialect of its own."""
COUNTED = {"preserve_rowcount": True}
GIVEN = "given_"
Write = Insert | Update
Processor = Callable[[Any], Any]
Types = Mapping[str, TypeEngine[Any]]


@dataclass(frozen=True)
class Prepared:
    """A statement that writes rows, in the words of one driver."""

    sql: str
    names: tuple[str, ...]
    """Of what a row gives; in the order of the question marks where the driver has those."""
    processors: tuple[Processor | None, ...]
    together: bool
    """Whether one run of the statement writes all rows."""

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Write rows; give how many rows of the table were written."""
        return self.run_columns(connection, {name: [row[name] for row in rows] for name in self.names})

    def run_columns(self, connection: Connection, columns: Mapping[str, Sequence[Any]]) -> int:
        """Write rows, of which the values are given by column."""
        processed = [
            columns[name] if processor is None else list(map(processor, columns[name]))
            for name, processor in zip(self.names, self.processors, strict=True)
        ]
        given: Any = list(zip(*processed, strict=True))
        if self.together:
            given = {GIVEN + name: write_values(values) for name, values in zip(self.names, processed, strict=True)}
        return connection.exec_driver_sql(self.sql, given, execution_options=COUNTED).rowcount


def given(dialect: Dialect, types: Types) -> dict[str, ColumnElement[Any]]:
    """Give what stands in a statement for the values of a row."""
    if dialect.name == "sqlite":
        return {name: bindparam(GIVEN + name, type_=kind) for name, kind in types.items()}
    values = []
    for name, kind in types.items():
        column = cast(bindparam(GIVEN + name, type_=Text()), JSON)
        values.append(typed(func.json_array_elements_text(column, type_=Text()), kind).label(name))
    return dict(select(*values).subquery("given").c)


def inserting(
    dialect: Dialect, table: Table, row: Mapping[str, ColumnElement[Any]]
) -> postgresql.Insert | sqlite.Insert:
    """Give the statement that inserts rows."""
    if dialect.name == "sqlite":
        return sqlite.insert(table).values(dict(row))
    return postgresql.insert(table).from_select(list(row), select(*row.values()))


def prepare(statement: Write, dialect: Dialect, types: Types) -> Prepared:
    """Compile a statement of which each row gives values of these types."""
    compiled: Any = statement.compile(dialect=dialect)
    together = not compiled.positional
    names = tuple(name.removeprefix(GIVEN) for name in (compiled.binds if together else compiled.positiontup))
    return Prepared(str(compiled), names, tuple(_processor(types[name], dialect) for name in names), together)


def _processor(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    own = kind.dialect_impl(dialect)
    if dialect.name == "postgresql":
        if isinstance(own, JSON):  # The driver's own type would leave the writing to the driver.
            writing: Processor = JSON.bind_processor(own, dialect)  # type: ignore[no-untyped-call]
            return writing
        if isinstance(own, LargeBinary):
            return _write_bytes
    return own.bind_processor(dialect)


def _write_bytes(value: bytes | None) -> str | None:
    return None if value is None else rf"\x{value.hex()}"
