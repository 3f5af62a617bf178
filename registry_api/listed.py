"""Rows and values that a question lists: one parameter and one text of the statement, however many there are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import JSON, ColumnElement, FromClause, Select, String, Text, Tuple, any_, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine


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
    """Say of a column, or a tuple of columns, that it is one of those of the parameter ``name``.

    ``write_values`` writes the parameter.
    """
    given = bindparam(name, type_=Text())
    among: ColumnElement[bool]
    if isinstance(column, Tuple):
        kinds = [part.type for part in column.clauses]
        if sqlite:
            value = func.json_each(given).table_valued("value").c.value
            parts: list[ColumnElement[Any]] = [
                func.json_extract(value, f"$[{place}]", type_=kind) for place, kind in enumerate(kinds)
            ]
        else:
            value = func.json_array_elements(cast(given, JSON)).column_valued("listed")
            parts = [typed(value.op("->>", return_type=Text())(place), kind) for place, kind in enumerate(kinds)]
        among = column.in_(select(*parts))
    elif sqlite:
        among = among_rows(column, select(func.json_each(given).table_valued("value").c.value), sqlite=True)
    else:
        values = select(typed(func.json_array_elements_text(cast(given, JSON), type_=Text()), column.type))
        among = among_rows(column, values, sqlite=False)
    return among


def among_rows(column: Any, rows: Select[Any], *, sqlite: bool) -> ColumnElement[bool]:
    """Say of a column that it is one of few rows, so that the database asks the column's index for each."""
    if sqlite:
        return column.in_(rows)  # type: ignore[no-any-return]  # the column is any
    # As an array, and not as a table to join with: PostgreSQL then asks the index, however small the table was.
    return column == any_(func.array(rows.scalar_subquery()))  # type: ignore[no-any-return]


def typed(text: ColumnElement[str], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """Give a text of PostgreSQL as a value; a text stays what it is, for a cast would cut one that is too long."""
    return text if isinstance(kind, String) else cast(text, kind)


def write_values(values: Iterable[Any]) -> str:
    """Give the parameter."""
    given = list(values)
    try:
        return orjson.dumps(given).decode()
    except TypeError:  # A number of more than 64 bits, or half of a surrogate pair.
        return json.dumps(given, default=str)
