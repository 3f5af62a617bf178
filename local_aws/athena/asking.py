"""Runs one query over the tables of the catalog."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from festaf.local_aws.athena.catalog import Catalog
from festaf.local_aws.athena.engine import CancelledError, whole_numbers
from festaf.local_aws.athena.errors import QueryError
from festaf.local_aws.athena.tables import table_schema
from festaf.local_aws.athena.translate import Home, Translated, translate

if TYPE_CHECKING:
    import pyarrow as pa

    from festaf.local_aws.athena.execution import Execution
    from festaf.local_aws.athena.tables import Tables
    from festaf.local_aws.clock import Clock
    from festaf.local_aws.cloud import Cloud


@dataclass(frozen=True)
class Answer:
    """What a query gives."""

    rows: pa.Table
    names: tuple[str, ...]
    """The columns as Athena names them; one without a name of its own is ``_col`` and its place from 0."""
    named: tuple[bool, ...]
    """Whether the query itself names the column."""
    json: frozenset[int] = frozenset()
    """The places of the columns of type JSON, which stands as text in the rows."""


class Asker:
    """Runs queries; safe to call from several threads."""

    def __init__(self, cloud: Cloud, clock: Clock, tables: Tables) -> None:
        self._cloud = cloud
        self._clock = clock
        self._tables = tables

    def describe(self, execution: Execution, query: exp.Query, making: tuple[str, str]) -> Answer:
        """Give the columns of a query, without reading or giving any row.

        :param making: the view that is being made of it, which it must not read
        :raises QueryError: it fails, in Athena's words
        """
        translated = self._translated(execution, query, (making,))
        empty = {name: table_schema(table).empty_table() for name, table in translated.tables.items()}
        sql = f"SELECT * FROM ({translated.sql}) LIMIT 0"
        rows = whole_numbers(execution.engine.run(sql, empty, translated.views))
        return Answer(rows, translated.names, translated.named, _json_places(translated))

    def ask(self, execution: Execution, query: exp.Query) -> Answer:
        """Run a query for an execution, which counts what is scanned.

        :raises QueryError: it fails, in Athena's words
        :raises CancelledError: the execution was cancelled
        """
        translated = self._translated(execution, query, ())
        tables = {}
        for name, table in translated.tables.items():
            read = self._tables.read(table, execution.go_on)
            tables[name] = read.with_paths() if translated.paths else read.rows
            execution.scanned += read.scanned
            execution.rows_read += read.rows.num_rows
            if execution.cutoff is not None and execution.scanned > execution.cutoff:
                raise CancelledError("Query cancelled! : Bytes scanned limit was exceeded")
        rows = whole_numbers(execution.engine.run(translated.sql, tables, translated.views))
        return Answer(rows, translated.names, translated.named, _json_places(translated))

    def _translated(self, execution: Execution, query: exp.Query, making: tuple[tuple[str, str], ...]) -> Translated:
        catalog = Catalog(self._cloud, execution.region)
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        home = Home(catalog, execution.database, now, making)
        return translate(query, execution.statement.read_from, home)


def _json_places(translated: Translated) -> frozenset[int]:
    found = {place for place, kind in enumerate(translated.kinds) if kind is not None and kind.this == exp.DType.JSON}
    return frozenset(found)


def check_names(answer: Answer) -> None:
    """Check that the columns can be those of a table or view.

    :raises QueryError: one has no name, or another's
    """
    if answer.json:
        raise QueryError("NOT_SUPPORTED", "Unsupported Hive type: json")
    for place, named in enumerate(answer.named, start=1):
        if not named:
            raise QueryError("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {place}")
    for name, times in Counter(answer.names).items():
        if times > 1:
            raise QueryError("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{name}' specified more than once")
