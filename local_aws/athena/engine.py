"""DuckDB, with nothing but the tables of one query in its reach."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

from festaf.local_aws.athena import collection_macros
from festaf.local_aws.athena.errors import QueryError
from festaf.local_aws.athena.macros import MACROS
from festaf.local_aws.athena.python_functions import register

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb
    import pyarrow as pa

MEMORY_LIMIT = "2GB"
THREADS = 2
SETTINGS = {
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "temp_directory": "",
    "memory_limit": MEMORY_LIMIT,
    "threads": str(THREADS),
}
"""No files, no network, no extensions, no Python objects, and bounds; then the settings are locked."""


class CancelledError(Exception):
    """The query was stopped while it ran."""


class Engine:
    """Runs one query; ``cancel`` may be called from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._cancelled = False

    def run(self, sql: str, tables: Mapping[str, pa.Table], views: Sequence[str] = ()) -> pa.Table:
        """Run a query over Arrow tables, which it sees as views.

        :param views: statements that make further views
        :raises QueryError: the query fails, in Athena's words
        :raises CancelledError: it was cancelled
        """
        import duckdb

        with duckdb.connect(":memory:", config=dict(SETTINGS)) as connection:
            for name, rows in tables.items():
                connection.register(name, rows)
            text = " ".join([sql, *views])
            for macro in _needed(text):
                connection.execute(macro)
            register(connection, text)
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET lock_configuration = true")
            self._make(connection, views)
            with self._lock:
                if self._cancelled:
                    raise CancelledError
                self._connection = connection
            try:
                return connection.sql(sql).to_arrow_table()
            except duckdb.InterruptException as error:
                raise CancelledError from error
            except duckdb.Error as error:
                raise _query_error(error) from error
            finally:
                with self._lock:
                    self._connection = None

    def _make(self, connection: duckdb.DuckDBPyConnection, views: Sequence[str]) -> None:
        import duckdb

        for view in views:
            try:
                connection.execute(view)
            except duckdb.Error as error:
                raise _query_error(error) from error

    def cancel(self) -> None:
        """Stop the query, or never begin it."""
        with self._lock:
            self._cancelled = True
            if self._connection is not None:
                self._connection.interrupt()


_NAMED = re.compile(r"\bathena_\w+")
_MACROS = {_NAMED.findall(macro)[0]: macro for macro in (*MACROS, *collection_macros.MACROS)}


def _needed(text: str) -> list[str]:
    """Give the macros that a text calls, and those that they call before them: making all takes longer than a query."""
    found: dict[str, str] = {}

    def add(within: str) -> None:
        for name in _NAMED.findall(within.lower()):
            if name in _MACROS and name not in found:
                found[name] = ""
                add(_MACROS[name])
                found[name] = found.pop(name) or _MACROS[name]

    add(text)
    return list(found.values())


def _query_error(error: Exception) -> QueryError:
    text = str(error)
    first = text.split("\n", 1)[0].partition(": ")[2] or text
    if raised := re.search(r"Could not convert string '([A-Z_]{6,}): (.*)' to INT64", text):
        return QueryError(raised[1], raised[2])
    for kind, pattern, code, message in _ERRORS:
        if type(error).__name__ == kind and (found := re.search(pattern, text)):
            return QueryError(code, message.format(*found.groups()))
    if told := re.match(r"(?:.*?Error: )?([A-Z_]{6,}): (.*)", first):
        return QueryError(told[1], told[2])
    return QueryError(_CODES.get(type(error).__name__, "GENERIC_INTERNAL_ERROR"), first)


_CODES = {
    "BinderException": "SYNTAX_ERROR",
    "ParserException": "SYNTAX_ERROR",
    "CatalogException": "FUNCTION_NOT_FOUND",
    "ConversionException": "INVALID_CAST_ARGUMENT",
    "OutOfRangeException": "NUMERIC_VALUE_OUT_OF_RANGE",
    "InvalidInputException": "INVALID_FUNCTION_ARGUMENT",
    "OutOfMemoryException": "EXCEEDED_LOCAL_MEMORY_LIMIT",
}
_ERRORS: tuple[tuple[str, str, str, str], ...] = (
    ("InvalidInputException", "Division by zero", "DIVISION_BY_ZERO", "Division by zero"),
    (
        "BinderException",
        r'column "?(\w+)"? must appear in the GROUP BY clause',
        "EXPRESSION_NOT_AGGREGATE",
        "'{0}' must be an aggregate expression or appear in GROUP BY clause",
    ),
    (
        "BinderException",
        r'does not have a column named "([^"]+)"',
        "COLUMN_NOT_FOUND",
        "Column '{0}' cannot be resolved or requester is not authorized to access requested resources",
    ),
    (
        "BinderException",
        r'Referenced table "([^"]+)" not found',
        "COLUMN_NOT_FOUND",
        "Column '{0}' cannot be resolved or requester is not authorized to access requested resources",
    ),
    (
        "BinderException",
        r"No function matches the given name and argument types '([^']+)'",
        "FUNCTION_NOT_FOUND",
        "Unexpected parameters for function: {0}",
    ),
    (
        "ConversionException",
        r"Could not convert string '([^']*)' to (\w+)",
        "INVALID_CAST_ARGUMENT",
        "Cannot cast '{0}' to {1}",
    ),
    ("InvalidInputException", r"Map keys must be unique", "INVALID_FUNCTION_ARGUMENT", "Duplicate map keys"),
)


def whole_numbers(rows: Any) -> pa.Table:
    """Give sums the type that Trino gives them: DuckDB adds bigints up to a wider one.

    :raises QueryError: a sum does not fit into a bigint
    """
    import pyarrow as pa

    for index, field in enumerate(rows.schema):
        if pa.types.is_decimal(field.type) and field.type.precision == 38 and field.type.scale == 0:
            try:
                rows = rows.set_column(index, field.name, rows.column(index).cast(pa.int64()))
            except pa.ArrowInvalid as error:
                raise QueryError("NUMERIC_VALUE_OUT_OF_RANGE", "bigint addition overflow") from error
        elif pa.types.is_unsigned_integer(field.type):
            rows = rows.set_column(index, field.name, rows.column(index).cast(pa.int64()))
    return rows
