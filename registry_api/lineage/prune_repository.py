"""The SQL of removing old runs: what is asked before, and what goes with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from festaf.registry_api.airflow.tables import AskedRunTable
from festaf.registry_api.bulk import chunks, fetch
from festaf.registry_api.catalog.tables import JobRunTable, JobTable, NamespaceTable
from festaf.registry_api.dags.tables import DagFactsTable, DagSayingTable, DagTable, DagVersionTable, RunTable
from festaf.registry_api.graph.tables import NodeTable
from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.table import Table

OWN = frozenset({"job_run"})
"""The tables that hang on a run and go with it; a row of any other keeps the run."""


class PruneRepository:
    """Old runs and all that hangs on them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def last_event(self) -> int:
        """Give the newest event's id."""
        return self.session.scalar(select(func.max(EventTable.id))) or 0

    def runs_after(self, number: int, limit: int) -> Sequence[RunTable]:
        """Give the next runs by id."""
        return self.session.scalars(
            select(RunTable).where(RunTable.id > number).order_by(RunTable.id).limit(limit)
        ).all()

    def runs(self, ids: Collection[int]) -> Sequence[RunTable]:
        """Give runs by id."""
        return self.session.scalars(select(RunTable).where(RunTable.id.in_(sorted(ids)))).all()

    def holding(self, run_ids: Collection[int]) -> set[int]:
        """Give the runs on which more hangs than goes with them: whatever is said of data, now or at any time."""
        found: set[int] = set()
        for table in Table.metadata.sorted_tables:
            for column in table.columns:
                if table.name not in OWN and _refers_to(column, "run"):
                    found |= {row[0] for row in fetch(self.session, select(column), column, run_ids)}
        return found

    def parents(self, uuids: Collection[UUID]) -> set[UUID]:
        """Give those of the runs of which others are parts."""
        return {
            row[0] for row in fetch(self.session, select(RunTable.parent_uuid), RunTable.parent_uuid, uuids) if row[0]
        }

    def events_of(self, uuids: Collection[UUID]) -> dict[UUID, list[EventTable]]:
        """Give the events of runs."""
        found: dict[UUID, list[EventTable]] = defaultdict(list)
        for chunk in chunks(sorted(uuids)):
            for event in self.session.scalars(select(EventTable).where(EventTable.run_uuid.in_(chunk))):
                if event.run_uuid:
                    found[event.run_uuid].append(event)
        return found

    def job_runs(self, run_ids: Collection[int]) -> dict[int, tuple[JobRunTable, JobTable]]:
        """Give the jobs of runs."""
        query = select(JobRunTable, JobTable).join(JobTable, JobTable.id == JobRunTable.job_id)
        found: dict[int, tuple[JobRunTable, JobTable]] = {}
        for chunk in chunks(sorted(run_ids)):
            for own, job in self.session.execute(query.where(JobRunTable.run_id.in_(chunk))):
                found[own.run_id] = (own, job)
        return found

    def before(self, own: JobRunTable) -> JobRunTable | None:
        """Give the run of the same job that came just before."""
        return self.session.scalar(_of_job(own, after=False).limit(1))

    def following(self, own: JobRunTable, limit: int) -> list[JobRunTable]:
        """Give the runs of the same job that came next."""
        return list(self.session.scalars(_of_job(own, after=True).limit(limit)))

    def run(self, run_id: int) -> RunTable:
        """Give a run."""
        return self.session.get_one(RunTable, run_id)

    def node_seen(self, key: str) -> datetime | None:
        """Give when a node was named first."""
        return self.session.scalar(select(NodeTable.first_seen).where(NodeTable.key == key))

    def namespace_seen(self, key: str) -> datetime | None:
        """Give when a namespace was named first."""
        return self.session.scalar(select(NamespaceTable.first_seen).where(NamespaceTable.key == key))

    def dag(self, dag_pk: int) -> DagTable:
        """Give a DAG."""
        return self.session.get_one(DagTable, dag_pk)

    def sayings(self, event_ids: Iterable[int]) -> list[tuple[DagSayingTable, str, int]]:
        """Give what events said of DAGs, with the event's key and the DAG's id."""
        query = (
            select(DagSayingTable, EventTable.dedupe_key, DagFactsTable.dag_pk)
            .join(EventTable, EventTable.id == DagSayingTable.event_id)
            .join(DagFactsTable, DagFactsTable.id == DagSayingTable.facts_pk)
        )
        rows = self.session.execute(query.where(DagSayingTable.event_id.in_(sorted(event_ids)))).all()
        return [(row[0], row[1], row[2]) for row in rows]

    def said_before(self, said: DagSayingTable, key: str, dag_pk: int) -> DagSayingTable | None:
        """Give what was said of the same DAG just before: by time, of two of the same time by the event's key."""
        candidates: list[tuple[datetime, str, DagSayingTable]] = []
        for facts_pk in self.session.scalars(select(DagFactsTable.id).where(DagFactsTable.dag_pk == dag_pk)):
            query = (
                select(DagSayingTable, EventTable.dedupe_key)
                .join(EventTable, EventTable.id == DagSayingTable.event_id)
                .where(DagSayingTable.facts_pk == facts_pk, _earlier(DagSayingTable.said_at, said.said_at, key))
                .order_by(DagSayingTable.said_at.desc(), EventTable.dedupe_key.desc())
                .limit(1)
            )
            candidates += [(row[0].said_at, row[1], row[0]) for row in self.session.execute(query)]
        return max(candidates, key=lambda item: item[:2])[2] if candidates else None

    def version(self, version_pk: int) -> DagVersionTable:
        """Give a content of a DAG."""
        return self.session.get_one(DagVersionTable, version_pk)

    def remove(self, runs: Collection[RunTable], event_ids: Collection[int]) -> None:
        """Remove runs with their events and what goes with them."""
        connection = self.session.connection()
        uuids, ids = sorted(run.uuid for run in runs), sorted(run.id for run in runs)
        for events in chunks(sorted(event_ids)):
            connection.execute(delete(DagSayingTable).where(DagSayingTable.event_id.in_(events)))
            connection.execute(delete(EventTable).where(EventTable.id.in_(events)))
        for part in chunks(uuids):
            connection.execute(delete(AskedRunTable).where(AskedRunTable.run_uuid.in_(part)))
        for numbers in chunks(ids):
            connection.execute(delete(JobRunTable).where(JobRunTable.run_id.in_(numbers)))
            connection.execute(delete(RunTable).where(RunTable.id.in_(numbers)))


def _refers_to(column: Any, name: str) -> bool:
    return any(key.column.table.name == name for key in column.foreign_keys)


def _earlier(column: Any, at: datetime, key: str) -> Any:
    return or_(column < at, and_(column == at, EventTable.dedupe_key < key))


def _of_job(own: JobRunTable, *, after: bool) -> Select[JobRunTable]:
    """Ask for the runs of a job before or after one, the nearest first."""
    query = select(JobRunTable).where(JobRunTable.job_id == own.job_id)
    if after:
        later = or_(JobRunTable.at > own.at, and_(JobRunTable.at == own.at, JobRunTable.run_uuid > own.run_uuid))
        return query.where(later).order_by(JobRunTable.at, JobRunTable.run_uuid)
    earlier = or_(JobRunTable.at < own.at, and_(JobRunTable.at == own.at, JobRunTable.run_uuid < own.run_uuid))
    return query.where(earlier).order_by(JobRunTable.at.desc(), JobRunTable.run_uuid.desc())
