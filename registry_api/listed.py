"""Rows that a question lists, as a table: one parameter and one text of the statement, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, FromClause, Text, bindparam, cast, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session


def is_sqlite(session: Session) -> bool:
    """Tell for which of the two databases a statement is built."""
    return session.get_bind().dialect.name == "sqlite"


def listed(width: int, *, sqlite: bool) -> tuple[FromClause, tuple[ColumnElement[str], ...]]:
    """Give a table of texts to join with, and its columns; the parameter ``listed`` is what ``write_listed`` writes."""
    given = bindparam("listed", type_=Text())
    if sqlite:
        each = func.json_each(given).table_valued("value", name="listed")
        return each, tuple(func.json_extract(each.c.value, f"$[{place}]", type_=Text()) for place in range(width))
    each = func.jsonb_array_elements(cast(given, JSONB)).table_valued("value", name="listed")
    return each, tuple(each.c.value.op("->>", return_type=Text())(place) for place in range(width))


def write_listed(rows: Iterable[Sequence[Any]]) -> dict[str, str]:
    """Give the parameter."""
    return {"listed": orjson.dumps([list(row) for row in rows]).decode()}
