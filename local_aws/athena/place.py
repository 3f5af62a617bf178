"""Where in the text of a query something stands, as Trino's messages begin: ``line 1:8: ``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from festaf.local_aws.athena.errors import QueryError

if TYPE_CHECKING:
    from sqlglot import exp


def place_of(node: exp.Expr, sql: str) -> str:
    """Give ``line L:C: `` of the first name in a part of a query, or '' when it has none."""
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    return place_at(min(starts), sql) if starts else ""


def place_at(offset: int, sql: str) -> str:
    """Give ``line L:C: `` of an offset in the text; both count from 1."""
    before = sql[:offset]
    return f"line {before.count(chr(10)) + 1}:{offset - (before.rfind(chr(10)) + 1) + 1}: "


def located(error: QueryError, sql: str) -> QueryError:
    """Add the place of the name that an error of DuckDB's names, where it can be found in the query."""
    named = re.match(r"(?:Column )?'(\w+)'", error.message)
    if named and (found := re.search(rf"\b{re.escape(named[1])}\b", sql, re.IGNORECASE)):
        return QueryError(error.code, f"{place_at(found.start(), sql)}{error.message}")
    return error
