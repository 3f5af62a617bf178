"""Insert what is missing, on both databases, also when two transactions do it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from festaf.registry_api.table import Table

COUNTED = {"preserve_rowcount": True}
BATCH = 500
"""Rows per statement: SQLite bounds the number of parameters."""


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
    changed = 0
    for start in range(0, len(rows), BATCH):
        statement = _statement(session, table, rows[start : start + BATCH], unique, earliest)
        changed += max(session.connection().execute(statement, execution_options=COUNTED).rowcount, 0)
    return changed


def _statement(
    session: Session, table: type[Table], rows: Sequence[Mapping[str, Any]], unique: Sequence[str], earliest: str | None
) -> postgresql.Insert | sqlite.Insert:
    build = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = build(table).values([dict(row) for row in rows])
    if earliest is None:
        return statement.on_conflict_do_nothing(index_elements=unique)
    column = getattr(table, earliest)
    new = statement.excluded[earliest]
    return statement.on_conflict_do_update(index_elements=unique, set_={earliest: new}, where=new < column)
