"""Insert what is missing, on both databases, also when two transactions do it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from festaf.registry_api.table import Table

COUNTED = {"preserve_rowcount": True}


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
    statement = _statement(session.get_bind().dialect.name, table, tuple(unique), earliest)
    parameters = [dict(row) for row in rows]
    return session.connection().execute(statement, parameters, execution_options=COUNTED).rowcount


@cache
def _statement(
    dialect: str, table: type[Table], unique: tuple[str, ...], earliest: str | None
) -> postgresql.Insert | sqlite.Insert:
    columns = cast("SqlTable", table.__table__)
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(columns)
    if earliest is None:
        return statement.on_conflict_do_nothing(index_elements=unique)
    new = statement.excluded[earliest]
    return statement.on_conflict_do_update(index_elements=unique, set_={earliest: new}, where=new < columns.c[earliest])
