"""Read and write many rows in few statements, on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Delete, Dialect, Row, Select, Tuple, Update, func, select, tuple_, update
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import InstrumentedAttribute, Session

from festaf.registry_api.listed import one_of, write_values
from festaf.registry_api.memory import recall
from festaf.registry_api.prepared import STATEMENTS, Prepared, given, inserting, prepare
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
    if asked := _asked(connection.dialect, column, keys):
        among = one_of(column, "keys", sqlite=connection.dialect.name == "sqlite")
        yield from connection.execute(query.where(among), asked)


def change(
    session: Session,
    statement: Delete | Update,
    column: ColumnElement[Any] | InstrumentedAttribute[Any],
    keys: Iterable[Any],
) -> None:
    """Change or remove the rows whose column, or tuple of columns, is one of the keys."""
    connection = session.connection()
    if asked := _asked(connection.dialect, column, keys):
        among = one_of(column, "keys", sqlite=connection.dialect.name == "sqlite")
        connection.execute(statement.where(among), asked)


def add_rows(session: Session, table: type[Table], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; all of them have the same columns."""
    if rows:
        connection = session.connection()
        _adding(connection.dialect, table, tuple(rows[0])).run(connection, rows)


def add_columns(session: Session, table: type[Table], columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows that are given by column: for what comes in so many rows that a dictionary for each is felt."""
    if next(iter(columns.values())):
        connection = session.connection()
        _adding(connection.dialect, table, tuple(columns)).run_columns(connection, columns)


def add_numbered(
    session: Session, table: type[Table], key: InstrumentedAttribute[int], rows: Sequence[Mapping[str, Any]]
) -> list[int]:
    """Insert rows and give the keys that the database gave them, in the order of the rows."""
    if not rows:
        return []
    connection = session.connection()
    if connection.dialect.name == "sqlite":  # Nobody else writes now.
        last = connection.execute(select(func.max(key))).scalar() or 0
        ids = list(range(last + 1, last + 1 + len(rows)))
    else:
        sequence = func.pg_get_serial_sequence(table.__tablename__, key.key)
        each = select(func.nextval(sequence)).select_from(func.generate_series(1, len(rows)).table_valued())
        ids = list(connection.execute(each).scalars())
    add_rows(session, table, [{**row, key.key: number} for number, row in zip(ids, rows, strict=True)])
    return ids


def change_rows(
    session: Session, table: type[Table], key: InstrumentedAttribute[int], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Change columns of rows; the row to change stands under ``which``, and all have the same columns."""
    if not rows:
        return
    connection = session.connection()
    last = list({row["which"]: row for row in rows}.values())  # A statement of PostgreSQL changes a row once.
    _changing(connection.dialect, table, key, tuple(name for name in rows[0] if name != "which")).run(connection, last)


@lru_cache(maxsize=STATEMENTS)
def _adding(dialect: Dialect, table: type[Table], names: tuple[str, ...]) -> Prepared:
    types = {name: _sql(table).c[name].type for name in names}
    return prepare(inserting(dialect, _sql(table), given(dialect, types)), dialect, types)


@lru_cache(maxsize=STATEMENTS)
def _changing(
    dialect: Dialect, table: type[Table], key: InstrumentedAttribute[int], names: tuple[str, ...]
) -> Prepared:
    types = {"which": key.type, **{name: _sql(table).c[name].type for name in names}}
    row = given(dialect, types)
    statement = update(_sql(table)).where(key == row["which"]).values({name: row[name] for name in names})
    return prepare(statement, dialect, types)


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


def _asked(
    dialect: Dialect, column: ColumnElement[Any] | InstrumentedAttribute[Any], keys: Iterable[Any]
) -> dict[str, str]:
    """Write keys for ``one_of``, as the database keeps them; nothing for none."""
    ordered = sorted(keys)
    if not ordered:
        return {}
    if isinstance(column, Tuple):
        parts = zip(column.clauses, zip(*ordered, strict=True), strict=True)
        return {"keys": write_values(zip(*(_processed(dialect, part, values) for part, values in parts), strict=True))}
    return {"keys": write_values(_processed(dialect, column, ordered))}


def _processed(dialect: Dialect, column: Any, values: Iterable[Any]) -> Iterable[Any]:
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    return map(process, values) if process else values


def _sql(table: type[Table]) -> SqlTable:
    return cast("SqlTable", table.__table__)
