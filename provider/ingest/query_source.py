"""Rows of an SQL query through any of Airflow's database hooks."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from festaf.provider.errors import AccessError, InputError
from festaf.provider.ingest.source import CHUNK_ROWS, Chunk, fingerprint, unique

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow.providers.common.sql.hooks.sql import DbApiHook


class QuerySource:
    """The rows that a query gives, fetched piece by piece; the query runs once."""

    is_text = False
    pinned = False
    total: int | None = None

    def __init__(self, hook: DbApiHook, sql: str, parameters: Mapping[str, Any] | Sequence[Any] | None) -> None:
        self._hook = hook
        self._sql = sql
        self._parameters = parameters
        self.name = f"the query on connection {hook.get_conn_id()!r}"
        self.uri: str | None = None
        self.fingerprint = fingerprint(hook.get_conn_id(), sql, json.dumps(parameters, default=str, sort_keys=True))
        self._connection: Any = None
        self._cursor: Any = None
        self._names: list[str] = []
        self._first: Sequence[Any] = ()

    def types(self) -> dict[str, pa.DataType | None]:
        """Run the query and give its columns; their types show in the values.

        :raises InputError: the database refuses the query
        """
        if self._cursor is None:
            self._run()
        return dict.fromkeys(self._names)

    def chunks(self, columns: list[str]) -> Iterator[Chunk]:
        """Fetch the rows, only these columns."""
        if self._cursor is None:
            self._run()
        places = [self._names.index(column) for column in columns]
        start = 1
        with closing(self._connection), closing(self._cursor):
            fetched = self._first
            while fetched:
                arrays = [_array([row[place] for row in fetched]) for place in places]
                yield Chunk(pa.RecordBatch.from_arrays(arrays, names=columns), np.arange(start, start + len(fetched)))
                start += len(fetched)
                fetched = self._cursor.fetchmany(CHUNK_ROWS)
        self._cursor = self._connection = None

    def _run(self) -> None:
        try:
            self._connection = self._hook.get_conn()
        except Exception as error:  # Each database driver has exceptions of its own.
            raise AccessError(f"No connection to the database of {self.name}: {error}") from error
        # psycopg gives all rows at once to a cursor without a name.
        named = {"name": "festaf"} if type(self._connection).__module__.startswith("psycopg") else {}
        self._cursor = self._connection.cursor(**named)
        try:
            self._cursor.execute(self._sql, *([self._parameters] if self._parameters else []))
            # A named cursor describes its columns only after the first rows are fetched.
            self._first = self._cursor.fetchmany(CHUNK_ROWS) if self._cursor.description or named else []
        except Exception as error:  # Each database driver has exceptions of its own.
            self._connection.close()
            raise InputError(f"The database refused {self.name}: {' '.join(str(error).split())}") from error
        if not self._cursor.description:
            raise InputError(f"Statement {self._sql!r} gives no rows: give a SELECT")
        self._names = unique([item[0] for item in self._cursor.description], self.name)


def open_query(sql: str, conn_id: str | None, parameters: Any) -> QuerySource:
    """Find the database hook of a connection.

    :raises AccessError: there is no such connection, or it is not to a database
    """
    from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook
    from airflow.providers.common.sql.hooks.sql import DbApiHook

    if not conn_id:
        raise InputError("sql needs conn_id: the connection to the database that answers it")
    try:
        hook = BaseHook.get_hook(conn_id)
    except AirflowNotFoundException as error:
        raise AccessError(
            f"There is no Airflow connection {conn_id!r}: create it, or name another in conn_id"
        ) from error
    if not isinstance(hook, DbApiHook):
        raise AccessError(f"Connection {conn_id!r} ({type(hook).__name__}) is not to a database that speaks SQL")
    return QuerySource(hook, sql, parameters)


def _array(values: list[Any]) -> pa.Array:
    """Let Arrow find the type; a column that mixes kinds becomes text, and is parsed as text."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
