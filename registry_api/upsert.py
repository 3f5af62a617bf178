"""Insert what is missing, on both databases, also when two transactions do it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Dialect
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from festaf.registry_api.prepared import STATEMENTS, Prepared, prepare
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
    prepared = _statement(connection.dialect, table, tuple(rows[0]), tuple(unique), earliest)
    return prepared.run(connection, rows)


@lru_cache(maxsize=STATEMENTS)
def _statement(
    dialect: Dialect, table: type[Table], names: tuple[str, ...], unique: tuple[str, ...], earliest: str | None
) -> Prepared:
    columns = cast("SqlTable", table.__table__)
    statement = (postgresql.insert if dialect.name == "postgresql" else sqlite.insert)(columns)
    if earliest is None:
        return prepare(statement.on_conflict_do_nothing(index_elements=unique), dialect, names)
    new = statement.excluded[earliest]
    keeping = statement.on_conflict_do_update(
        index_elements=unique, set_={earliest: new}, where=new < columns.c[earliest]
    )
    return prepare(keeping, dialect, names)
