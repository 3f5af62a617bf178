"""The SQL of deployments, their leases and cursors, and of what the registry knows of their runs and DAGs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, delete, or_, select, update
from sqlalchemy.orm import Session

from festaf.registry_api.airflow.tables import AirflowDagTable, AirflowTable, AskedRunTable, SeenEventTable
from festaf.registry_api.dags.tables import UNFINISHED, DagTable, RunTable
from festaf.registry_api.upsert import insert_missing

CHUNK = 500


class AirflowRepository:
    """Deployments."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, row: AirflowTable) -> None:
        """Store a deployment."""
        self.session.add(row)
        self.session.flush()

    def find(self, name: str) -> AirflowTable | None:
        """Find a deployment by its name."""
        return self.session.scalars(select(AirflowTable).where(AirflowTable.name == name)).first()

    def by_namespace(self, namespace: str) -> AirflowTable | None:
        """Find a deployment by the namespace under which it reports."""
        return self.session.scalars(select(AirflowTable).where(AirflowTable.namespace == namespace)).first()

    def get(self, airflow_pk: int) -> AirflowTable | None:
        """Give a deployment by its id."""
        return self.session.get(AirflowTable, airflow_pk)

    def page(self, after: str | None, limit: int) -> Sequence[AirflowTable]:
        """List deployments by name."""
        query = select(AirflowTable).order_by(AirflowTable.name).limit(limit)
        return self.session.scalars(query if after is None else query.where(AirflowTable.name > after)).all()

    def due(self, now: datetime) -> Sequence[AirflowTable]:
        """List the enabled deployments whose next cycle may begin and that no server reads now."""
        query = select(AirflowTable).where(
            AirflowTable.enabled.is_(True),
            or_(AirflowTable.next_at.is_(None), AirflowTable.next_at <= now),
            or_(AirflowTable.lease_until.is_(None), AirflowTable.lease_until <= now),
        )
        return self.session.scalars(query.order_by(AirflowTable.next_at, AirflowTable.id)).all()

    def forget_reading(self, airflow_pk: int) -> None:
        """Forget what was read of a deployment, so that it is read from its beginning."""
        for table in (SeenEventTable, AirflowDagTable, AskedRunTable):
            self.session.execute(delete(table).where(table.airflow_pk == airflow_pk))

    def remove(self, airflow_pk: int) -> None:
        """Forget a deployment; what it told stays."""
        self.forget_reading(airflow_pk)
        self.session.execute(delete(AirflowTable).where(AirflowTable.id == airflow_pk))

    def take_lease(self, airflow_pk: int, holder: UUID, now: datetime, until: datetime) -> bool:
        """Take the lease, or lengthen one's own; false when another holds it."""
        free = or_(
            AirflowTable.lease_holder.is_(None), AirflowTable.lease_holder == holder, AirflowTable.lease_until <= now
        )
        statement = (
            update(AirflowTable)
            .where(AirflowTable.id == airflow_pk, free)
            .values(lease_holder=holder, lease_until=until)
            .execution_options(synchronize_session=False)
        )
        return cast("CursorResult[Any]", self.session.execute(statement)).rowcount == 1

    def holds_lease(self, airflow_pk: int, holder: UUID) -> bool:
        """Tell whether the lease is still one's own, and keep it so until the transaction ends."""
        query = select(AirflowTable.id).where(AirflowTable.id == airflow_pk, AirflowTable.lease_holder == holder)
        return self.session.scalar(query.with_for_update()) is not None

    def give_lease_back(self, airflow_pk: int, holder: UUID) -> None:
        """Let others have it."""
        self.session.execute(
            update(AirflowTable)
            .where(AirflowTable.id == airflow_pk, AirflowTable.lease_holder == holder)
            .values(lease_holder=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )


class ReadingRepository:
    """How far one deployment was read."""

    def __init__(self, session: Session, airflow_pk: int) -> None:
        self.session = session
        self.airflow_pk = airflow_pk

    def seen(self, event_ids: Collection[int]) -> set[int]:
        """Give those of the asset events that were read already."""
        query = select(SeenEventTable.event_id).where(
            SeenEventTable.airflow_pk == self.airflow_pk, SeenEventTable.event_id.in_(sorted(event_ids))
        )
        return set(self.session.scalars(query))

    def keep_seen(self, moments: Mapping[int, datetime], forget_before: datetime | None) -> None:
        """Note that asset events were read, and forget those far behind the cursor."""
        rows = [{"airflow_pk": self.airflow_pk, "event_id": key, "at": at} for key, at in sorted(moments.items())]
        insert_missing(self.session, SeenEventTable, rows, ["airflow_pk", "event_id"])
        if forget_before is not None:
            self.session.execute(
                delete(SeenEventTable).where(
                    SeenEventTable.airflow_pk == self.airflow_pk, SeenEventTable.at < forget_before
                )
            )

    def dags(self) -> dict[str, AirflowDagTable]:
        """Give what was told of every DAG."""
        query = select(AirflowDagTable).where(AirflowDagTable.airflow_pk == self.airflow_pk)
        return {row.dag_id: row for row in self.session.scalars(query)}

    def dag(self, dag_id: str) -> AirflowDagTable | None:
        """Give what was told of a DAG."""
        return self.session.get(AirflowDagTable, (self.airflow_pk, dag_id))

    def keep_dag(self, dag_id: str, **columns: Any) -> None:
        """Note something of a DAG."""
        row = self.dag(dag_id)
        if row is None:
            row = AirflowDagTable(airflow_pk=self.airflow_pk, dag_id=dag_id, uses_assets=False, inlets={})
            self.session.add(row)
        for name, value in columns.items():
            setattr(row, name, value)

    def asked(self, run_uuids: Collection[UUID]) -> dict[UUID, AskedRunTable]:
        """Give which runs were asked about."""
        query = select(AskedRunTable).where(
            AskedRunTable.airflow_pk == self.airflow_pk, AskedRunTable.run_uuid.in_(sorted(run_uuids))
        )
        return {row.run_uuid: row for row in self.session.scalars(query)}

    def keep_asked(self, run_uuid: UUID, asks: int, next_at: datetime | None) -> None:
        """Note that a run was asked about, and when to ask again."""
        self.session.merge(AskedRunTable(airflow_pk=self.airflow_pk, run_uuid=run_uuid, asks=asks, next_at=next_at))


class KnownRepository:
    """What the registry knows already, by push or by an earlier sync."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def runs(self, run_uuids: Collection[UUID]) -> dict[UUID, RunTable]:
        """Give those of the runs that are known."""
        wanted = sorted(run_uuids)
        found: dict[UUID, RunTable] = {}
        for start in range(0, len(wanted), CHUNK):
            query = select(RunTable).where(RunTable.uuid.in_(wanted[start : start + CHUNK]))
            found |= {run.uuid: run for run in self.session.scalars(query)}
        return found

    def unfinished(
        self, airflow_pk: int, namespace: str, before: datetime, now: datetime, limit: int
    ) -> Sequence[RunTable]:
        """List runs that no event ended, the longest silent first; those that were asked about lately left out."""
        asked = select(AskedRunTable.run_uuid).where(
            AskedRunTable.airflow_pk == airflow_pk,
            AskedRunTable.run_uuid == RunTable.uuid,
            or_(AskedRunTable.next_at.is_(None), AskedRunTable.next_at > now),
        )
        query = (
            select(RunTable)
            .where(RunTable.namespace == namespace, UNFINISHED, RunTable.last_event_at < before, ~asked.exists())
            .order_by(RunTable.last_event_at, RunTable.id)
            .limit(limit)
        )
        return self.session.scalars(query).all()

    def runs_of_job(self, namespace: str, job: str, airflow_run_id: str) -> Sequence[RunTable]:
        """List the runs of a task in one DAG run, by Airflow's id of it."""
        query = select(RunTable).where(
            RunTable.airflow_run_id == airflow_run_id, RunTable.job == job, RunTable.namespace == namespace
        )
        return self.session.scalars(query.order_by(RunTable.id).limit(CHUNK)).all()

    def airflow_run_of_child(self, run_uuid: UUID) -> str | None:
        """Give Airflow's id of a DAG run, from one of its tasks."""
        query = select(RunTable.airflow_run_id).where(
            RunTable.parent_uuid == run_uuid, RunTable.airflow_run_id.is_not(None)
        )
        return self.session.scalar(query.limit(1))

    def dag_id(self, dag_pk: int | None) -> str | None:
        """Give the id of a DAG."""
        return self.session.scalar(select(DagTable.dag_id).where(DagTable.id == dag_pk)) if dag_pk else None

    def dags_of(self, namespace: str) -> dict[str, bool]:
        """Give the DAGs of a namespace, each with whether it is known as deleted."""
        rows = self.session.execute(select(DagTable.dag_id, DagTable.facts).where(DagTable.namespace == namespace))
        return {dag_id: bool((facts.get("deleted") or (None, None, None))[2]) for dag_id, facts in rows}
