"""The SQL of recording DAGs, versions and runs: each table is read and written once for a whole batch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from festaf.registry_api.bulk import Key, add_numbered, change_rows, ensure, fetch
from festaf.registry_api.dags.tables import (
    DagTable,
    DagVersionNumberTable,
    DagVersionTable,
    RunTable,
    SourceBlobTable,
)
from festaf.registry_api.table import natural_key
from festaf.registry_api.upsert import insert_missing

RUN_COLUMNS = ("id", "uuid", "dag_pk", "folded")
Rows = Sequence[Mapping[str, Any]]


class DagRecordRepository:
    """Rows of DAGs and runs, as batches change them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def keep_code(self, blobs: Mapping[str, str]) -> None:
        """Store the texts that are not there yet."""
        query = select(SourceBlobTable.sha256)
        known = {row[0] for row in fetch(self.session, query, SourceBlobTable.sha256, blobs)}
        rows = [{"sha256": sha256, "text": blobs[sha256]} for sha256 in sorted(blobs.keys() - known)]
        insert_missing(self.session, SourceBlobTable, rows, ["sha256"])

    def ensure_dags(self, seen: Mapping[tuple[str, str], datetime]) -> dict[tuple[str, str], Any]:
        """Give the rows of DAGs by namespace and id, made if they are new.

        :param seen: when each was seen
        """
        names = {natural_key(*name): name for name in seen}
        rows: dict[Key, dict[str, Any]] = {
            (key,): {
                "key": key,
                "namespace": name[0],
                "dag_id": name[1],
                "facts": {},
                "first_seen": seen[name],
                "last_seen": seen[name],
            }
            for key, name in names.items()
        }
        ensure(self.session, DagTable, DagTable.id, (DagTable.key,), rows)
        query = select(DagTable.key, DagTable.id, DagTable.facts, DagTable.first_seen, DagTable.last_seen)
        return {names[row.key]: row for row in fetch(self.session, query, DagTable.key, names)}

    def change_dags(self, rows: Rows) -> None:
        """Change what is known of DAGs."""
        change_rows(self.session, DagTable, DagTable.id, rows)

    def ensure_versions(self, rows: Mapping[Key, Mapping[str, Any]]) -> dict[Key, Any]:
        """Give the rows of contents by DAG and hash, made if they are new."""
        unique = (DagVersionTable.dag_pk, DagVersionTable.content_sha256)
        ids, _ = ensure(self.session, DagVersionTable, DagVersionTable.id, unique, rows)
        query = select(DagVersionTable.id, DagVersionTable.first_seen, DagVersionTable.last_seen)
        found = {row.id: row for row in fetch(self.session, query, DagVersionTable.id, ids.values())}
        return {key: found[version] for key, version in ids.items()}

    def version_ids(self, keys: Collection[Key]) -> dict[Key, int]:
        """Give the ids of contents by DAG and hash, those that are known."""
        column = tuple_(DagVersionTable.dag_pk, DagVersionTable.content_sha256)
        query = select(DagVersionTable.dag_pk, DagVersionTable.content_sha256, DagVersionTable.id)
        return {(row[0], row[1]): row[2] for row in fetch(self.session, query, column, keys)}

    def change_versions(self, rows: Rows) -> None:
        """Change when contents were seen."""
        change_rows(self.session, DagVersionTable, DagVersionTable.id, rows)

    def keep_numbers(self, numbers: Mapping[tuple[int, UUID], int]) -> None:
        """Store the numbers of version ids; the first that was told stays, since Airflow never renumbers."""
        rows = [
            {"dag_pk": dag_pk, "version_id": version_id, "number": number}
            for (dag_pk, version_id), number in sorted(numbers.items())
        ]
        insert_missing(self.session, DagVersionNumberTable, rows, ["dag_pk", "version_id"])

    def runs(self, uuids: Collection[UUID]) -> dict[UUID, Any]:
        """Give the rows of runs that are known."""
        query = select(*(getattr(RunTable, name) for name in RUN_COLUMNS))
        return {row.uuid: row for row in fetch(self.session, query, RunTable.uuid, uuids)}

    def add_runs(self, rows: Rows) -> list[int]:
        """Store new runs; give their ids."""
        return add_numbered(self.session, RunTable, RunTable.id, rows)

    def change_runs(self, rows: Rows) -> None:
        """Change runs."""
        change_rows(self.session, RunTable, RunTable.id, rows)


def widened(row: Any, moments: Iterable[datetime]) -> tuple[datetime, datetime]:
    """Give when something was first and last seen, with more times at which it was."""
    every = [row.first_seen, row.last_seen, *moments]
    return min(every), max(every)
