"""A view as Athena keeps it in Glue: its query and its columns, as JSON in base 64 in a comment."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.errors import ParseError

from festaf.local_aws.athena.errors import NotSupportedError, QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

_STORED = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=]+) \*/")


@dataclass(frozen=True)
class StoredView:
    """What a view is."""

    sql: str
    schema: str
    """The database in which its unqualified tables are looked up."""
    columns: tuple[tuple[str, str], ...]
    """Names and types, as Trino writes them."""

    @classmethod
    def read(cls, table: Mapping[str, Any], database: str, name: str) -> StoredView:
        """Read a view out of Glue's table.

        :raises QueryError: it is none of Athena's, or broken
        """
        found = _STORED.search(table.get("ViewOriginalText") or "")
        if found is None:
            raise NotSupportedError(f"the view {database}.{name}, which is none of Athena's")
        try:
            content = json.loads(base64.b64decode(found[1]))
            columns = tuple((column["name"].lower(), column["type"]) for column in content["columns"])
            return cls(content["originalSql"], (content.get("schema") or database).lower(), columns)
        except (ValueError, KeyError, TypeError) as error:
            raise QueryError("HIVE_INVALID_VIEW_DATA", f"Invalid view JSON of {database}.{name}: {error}") from error

    def text(self) -> str:
        """Write the view as ``ViewOriginalText``."""
        content = {
            "originalSql": self.sql,
            "catalog": "awsdatacatalog",
            "schema": self.schema,
            "columns": [{"name": name, "type": kind} for name, kind in self.columns],
            "runAsInvoker": False,
            "properties": {},
        }
        return f"/* Presto View: {base64.b64encode(json.dumps(content).encode()).decode()} */"

    def types(self) -> tuple[tuple[str, exp.DataType], ...]:
        """Give the columns with their types.

        :raises QueryError: a type cannot be read
        """
        try:
            return tuple((name, exp.DataType.build(kind, dialect="trino")) for name, kind in self.columns)
        except ParseError as error:
            raise QueryError("HIVE_INVALID_VIEW_DATA", f"The types of the view cannot be read: {error}") from error
