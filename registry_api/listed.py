"""Rows and values that a question lists: one parameter and one text of the statement, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, FromClause, Text, any_, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
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


def one_of(column: Any, name: str, *, sqlite: bool) -> ColumnElement[bool]:
    """Say of a column that it is one of the values of the parameter ``name``, which ``write_values`` writes."""
    if sqlite:
        each = func.json_each(bindparam(name, type_=Text())).table_valued("value")
        among: ColumnElement[bool] = column.in_(select(each.c.value))
    else:
        among = column == any_(bindparam(name, type_=ARRAY(column.type)))
    return among


def write_values(values: Iterable[Any], *, sqlite: bool) -> Any:
    """Give the parameter."""
    given = list(values)
    return orjson.dumps(given).decode() if sqlite else given
