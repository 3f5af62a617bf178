"""Statements as the driver takes them, for many rows: compiled once, and each row written without SQLAlchemy.

For a single row SQLAlchemy's own work is not felt; for the tens of thousands of an ingest it was most of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Update

STATEMENTS = 1_000
"""How many are kept at most: tests open many databases, each with a dialect of its own."""
COUNTED = {"preserve_rowcount": True}
Write = Insert | Update
Processor = Callable[[Any], Any]


@dataclass(frozen=True)
class Prepared:
    """A statement that writes rows, in the words of one driver."""

    sql: str
    binds: tuple[str, ...]
    """Of its values; in the order of the question marks where the driver has those."""
    names: tuple[str, ...]
    """Of what a row gives for each of them."""
    processors: tuple[Processor | None, ...]
    positional: bool

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it once for each row; give how many rows of the table were written."""
        return self.run_columns(connection, {name: [row[name] for row in rows] for name in self.names})

    def run_columns(self, connection: Connection, columns: Mapping[str, Sequence[Any]]) -> int:
        """Run it once for each row, of which the values are given by column."""
        processed = [
            columns[name] if processor is None else list(map(processor, columns[name]))
            for name, processor in zip(self.names, self.processors, strict=True)
        ]
        values = zip(*processed, strict=True)
        given: Any = list(values) if self.positional else [dict(zip(self.binds, item, strict=True)) for item in values]
        return connection.exec_driver_sql(self.sql, given, execution_options=COUNTED).rowcount


def prepare(statement: Write, dialect: Dialect, names: Sequence[str]) -> Prepared:
    """Compile a statement of which each row gives the values of these names."""
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
    ordered = tuple(compiled.positiontup if compiled.positional else compiled.binds)
    types = [compiled.binds[name].type.dialect_impl(dialect) for name in ordered]
    return Prepared(
        str(compiled),
        ordered,
        ordered,
        tuple(kind.bind_processor(dialect) for kind in types),
        compiled.positional,
    )
