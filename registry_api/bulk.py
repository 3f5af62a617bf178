"""Read and write many rows in few statements, on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Dialect, Row, Select, bindparam, func, insert, select, tuple_, update
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import InstrumentedAttribute, Session

from festaf.registry_api.memory import recall
from festaf.registry_api.prepared import STATEMENTS, Prepared, prepare
from festaf.registry_api.table import Table
from festaf.registry_api.upsert import insert_missing

CHUNK = 400
Item = TypeVar("Item")
Key = tuple[Any, ...]


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Split items into lists that fit into one statement."""
    every = list(items)
    return (every[start : start + size] for start in range(0, len(every), size))


def fetch(
    session: Session,
    query: Select[*tuple[Any, ...]],
    column: ColumnElement[Any] | InstrumentedAttribute[Any],
    keys: Iterable[Any],
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Run a query for the rows whose column, or tuple of columns, is one of the keys."""
    connection = session.connection()
    for chunk in chunks(sorted(keys)):
        yield from connection.execute(query.where(column.in_(chunk)))


def add_rows(session: Session, table: type[Table], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; all of them have the same columns."""
    if rows:
        connection = session.connection()
        _inserting(connection.dialect, table, tuple(rows[0])).run(connection, rows)


def add_columns(session: Session, table: type[Table], columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows that are given by column: for what comes in so many rows that a dictionary for each is felt."""
    if next(iter(columns.values())):
        connection = session.connection()
        _inserting(connection.dialect, table, tuple(columns)).run_columns(connection, columns)


def add_numbered(
    session: Session, table: type[Table], key: InstrumentedAttribute[int], rows: Sequence[Mapping[str, Any]]
) -> list[int]:
    """Insert rows and give the keys that the database gave them, in the order of the rows."""
    if not rows:
        return []
    connection = session.connection()
    if connection.dialect.name == "sqlite":  # It would take a statement for each row, and nobody else writes now.
        last = connection.execute(select(func.max(key))).scalar() or 0
        ids = list(range(last + 1, last + 1 + len(rows)))
        add_rows(session, table, [{**row, key.key: number} for number, row in zip(ids, rows, strict=True)])
        return ids
    statement = insert(_sql(table)).returning(key, sort_by_parameter_order=True)
    return list(connection.execute(statement, [dict(row) for row in rows]).scalars())


def change_rows(
    session: Session, table: type[Table], key: InstrumentedAttribute[int], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Change columns of rows; the row to change stands under ``which``, and all have the same columns."""
    if not rows:
        return
    connection = session.connection()
    _changing(connection.dialect, table, key, tuple(name for name in rows[0] if name != "which")).run(connection, rows)


@lru_cache(maxsize=STATEMENTS)
def _inserting(dialect: Dialect, table: type[Table], names: tuple[str, ...]) -> Prepared:
    return prepare(insert(_sql(table)), dialect, names)


@lru_cache(maxsize=STATEMENTS)
def _changing(
    dialect: Dialect, table: type[Table], key: InstrumentedAttribute[int], names: tuple[str, ...]
) -> Prepared:
    columns = {name: _sql(table).c[name] for name in names}
    values = {column: bindparam(f"new_{name}", type_=column.type) for name, column in columns.items()}
    statement = update(_sql(table)).where(key == bindparam("which")).values(values)
    prepared = prepare(statement, dialect, ())
    return replace(prepared, names=tuple(name.removeprefix("new_") for name in prepared.names))


def ensure(
    session: Session,
    table: type[Table],
    key: InstrumentedAttribute[int],
    unique: Sequence[InstrumentedAttribute[Any]],
    rows: Mapping[Key, Mapping[str, Any]],
    *,
    remembered: bool = True,
) -> tuple[dict[Key, int], set[Key]]:
    """Give the ids of rows that are never removed by their unique columns, made if they are not there, and which were.

    :param rows: by the values of the unique columns, what a new row holds
    :param remembered: False where the caller remembers many of them at once
    """
    column = tuple_(*unique) if len(unique) > 1 else unique[0]
    query = select(key, *unique)
    memory, name = recall(session), table.__tablename__

    def find(keys: Iterable[Key]) -> dict[Key, int]:
        wanted = keys if len(unique) > 1 else [item for (item,) in keys]
        found = {tuple(row[1:]): row[0] for row in fetch(session, query, column, wanted)}
        for item, number in found.items() if remembered else ():
            memory.put((name, item), number)
        return found

    found: dict[Key, int] = {}
    if remembered:
        found = {item: number for item in rows if (number := memory.get((name, item))) is not None}
    found |= find(rows.keys() - found.keys())
    missing = rows.keys() - found.keys()
    if missing:
        insert_missing(session, table, [rows[item] for item in sorted(missing)], [item.key for item in unique])
        found |= find(missing)
    return found, set(missing)


def _sql(table: type[Table]) -> SqlTable:
    return cast("SqlTable", table.__table__)
