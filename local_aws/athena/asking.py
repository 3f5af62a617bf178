"""Runs one query over the tables of the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from festaf.local_aws.athena.catalog import Catalog
from festaf.local_aws.athena.engine import whole_numbers
from festaf.local_aws.athena.translate import translate

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

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


class Asker:
    """Runs queries; safe to call from several threads."""

    def __init__(self, cloud: Cloud, clock: Clock, tables: Tables) -> None:
        self._cloud = cloud
        self._clock = clock
        self._tables = tables

    def ask(self, execution: Execution, query: exp.Query) -> Answer:
        """Run a query for an execution, which counts what is scanned.

        :raises QueryError: it fails, in Athena's words
        :raises CancelledError: the execution was cancelled
        """
        catalog = Catalog(self._cloud, execution.region)
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        translated = translate(query, execution.statement.text, catalog, execution.database, now)
        tables = {}
        for name, table in translated.tables.items():
            read = self._tables.read(table)
            tables[name] = read.rows
            execution.scanned += read.scanned
        rows = whole_numbers(execution.engine.run(translated.sql, tables))
        return Answer(rows, translated.names, translated.named)
