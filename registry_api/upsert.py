"""Insert what is missing, on both databases, also when two transactions do it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Dialect
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session

from festaf.registry_api.prepared import STATEMENTS, Prepared, given, inserting, prepare
from festaf.registry_api.table import Table


def insert_missing(
    session: Session,
    table: type[Table],
    rows: Sequence[Mapping[str, Any]],
    unique: Sequence[str],
    earliest: str | None = None,
) -> int:
    """Insert the rows whose ``unique`` columns are not there yet; give how many were inserted or changed.

    :param earliest: a column of times that a row which stands keeps the smaller one of
    """
    if not rows:
        return 0
    connection = session.connection()
    prepared = _missing(connection.dialect, table, tuple(rows[0]), tuple(unique), earliest)
    return prepared.run(connection, rows if earliest is None else _earliest(rows, unique, earliest))


def insert_or_change(
    session: Session,
    table: type[Table],
    rows: Sequence[Mapping[str, Any]],
    unique: Sequence[str],
    changing: Sequence[str],
) -> None:
    """Insert rows; where the ``unique`` columns are there, change the others; of two that are alike the last counts."""
    if rows:
        connection = session.connection()
        prepared = _changing(connection.dialect, table, tuple(rows[0]), tuple(unique), tuple(changing))
        prepared.run(connection, list({tuple(row[name] for name in unique): row for row in rows}.values()))


def _earliest(rows: Sequence[Mapping[str, Any]], unique: Sequence[str], earliest: str) -> list[Mapping[str, Any]]:
    """Choose of rows with the same unique columns the earliest: PostgreSQL changes a row once in a statement."""
    found: dict[Any, Mapping[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in unique)
        if key not in found or row[earliest] < found[key][earliest]:
            found[key] = row
    return list(found.values())


@lru_cache(maxsize=STATEMENTS)
def _changing(
    dialect: Dialect, table: type[Table], names: tuple[str, ...], unique: tuple[str, ...], changing: tuple[str, ...]
) -> Prepared:
    columns = cast("SqlTable", table.__table__)
    types = {name: columns.c[name].type for name in names}
    statement = inserting(dialect, columns, given(dialect, types))
    new = {name: statement.excluded[name] for name in changing}
    return prepare(statement.on_conflict_do_update(index_elements=unique, set_=new), dialect, types)


@lru_cache(maxsize=STATEMENTS)
def _missing(
    dialect: Dialect, table: type[Table], names: tuple[str, ...], unique: tuple[str, ...], earliest: str | None
) -> Prepared:
    columns = cast("SqlTable", table.__table__)
    types = {name: columns.c[name].type for name in names}
    statement = inserting(dialect, columns, given(dialect, types))
    if earliest is None:
        return prepare(statement.on_conflict_do_nothing(index_elements=unique), dialect, types)
    new = statement.excluded[earliest]
    keeping = statement.on_conflict_do_update(
        index_elements=unique, set_={earliest: new}, where=new < columns.c[earliest]
    )
    return prepare(keeping, dialect, types)
