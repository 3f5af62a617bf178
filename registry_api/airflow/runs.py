"""Read how runs ended of which the registry knows no end: those that are new in Airflow, and those left open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from festaf.registry_api.airflow import telling
from festaf.registry_api.airflow.answers import DagRun, TaskInstance
from festaf.registry_api.airflow.details import CLEARS, Details, path_of
from festaf.registry_api.airflow.errors import AbsentError, RefusedError, UnexpectedError
from festaf.registry_api.airflow.repository import AirflowRepository, KnownRepository, ReadingRepository
from festaf.registry_api.airflow.work import Event, Work
from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.lineage import reading as facets_of
from festaf.registry_api.lineage.folding import bodies, read_state

OVERLAP = timedelta(minutes=10)
FIRST_LOOK = timedelta(days=7)
"""How far back runs without asset events are read at first; runs of asset events are told however old."""
SILENT = timedelta(minutes=2)
"""A run that said something this lately is left alone."""
OPEN_RUNS = 50
LONGEST_WAIT = timedelta(hours=6)


class RunReader:
    """Reads the runs of one deployment."""

    def __init__(self, work: Work, details: Details) -> None:
        self.work = work
        self.details = details

    def read(self) -> None:
        """Read the runs that ended lately, then ask about those left open."""
        self._read_ended()
        self._read_open()

    def _read_ended(self) -> None:
        """Tell runs of DAGs that use assets, from the cursor on."""
        with self.work.database.reading() as session:
            row = AirflowRepository(session).get(self.work.deployment.pk)
            noted = ReadingRepository(session, self.work.deployment.pk).dags()
        read_to = row.runs_read_to if row else None
        since = read_to - OVERLAP if read_to else self.work.client.now() - FIRST_LOOK
        wanted = {dag_id for dag_id, dag in noted.items() if dag.uses_assets}
        offset = 0
        while True:
            items, total = self.work.page(
                "/dags/~/dagRuns",
                "dag_runs",
                order_by="end_date",
                end_date_gte=since.isoformat(),
                limit=self.work.client.pace.page,
                offset=offset,
            )
            runs = [run for item in items if (run := self.work.read(DagRun, item))]
            told = [event for run in runs if run.dag_id in wanted for event in self.details.run_events(run)]
            ends = [run.end_date for run in runs if run.end_date]
            last, now = max(ends, default=None), self.work.client.now()
            self._keep(told, max((end for end in ends if end <= now), default=None))
            if not items or offset + len(items) >= total:
                return
            if last is None or last == since:
                offset += len(items)
            else:
                offset, since = sum(run.end_date == last for run in runs), last

    def _keep(self, told: list[Event], read_to: datetime | None) -> None:
        def note(session: Session, _: ReadingRepository) -> None:
            row = AirflowRepository(session).get(self.work.deployment.pk)
            if row is not None and read_to and (row.runs_read_to is None or read_to > row.runs_read_to):
                row.runs_read_to = read_to

        self.work.commit(told, note)

    def _read_open(self) -> None:
        now = self.work.clock()
        with self.work.database.reading() as session:
            known = KnownRepository(session)
            open_runs = known.unfinished(self.work.deployment.pk, self.work.namespace, now - SILENT, now, OPEN_RUNS)
            asked = ReadingRepository(session, self.work.deployment.pk).asked([run.uuid for run in open_runs])
        for run in open_runs:
            before = asked.get(run.uuid)
            self._ask(run, before.asks if before else 0)

    def _ask(self, run: RunTable, asks: int) -> None:
        """Ask how a run ended; less and less often while it has not, and never again about one that is gone."""
        told: list[Event] = []
        next_at: datetime | None = self.work.clock() + min(SILENT * 2**asks, LONGEST_WAIT)
        try:
            told = self._ended(run)
        except AbsentError:
            next_at = None
        except (RefusedError, UnexpectedError):
            next_at = self.work.clock() + LONGEST_WAIT
        self.work.commit(told, lambda _, reading: reading.keep_asked(run.uuid, min(asks + 1, 20), next_at))

    def _ended(self, run: RunTable) -> list[Event]:
        with self.work.database.reading() as session:
            known = KnownRepository(session)
            dag_id = known.dag_id(run.dag_pk)
            child = known.airflow_run_of_child(run.uuid)
        state = read_state(run.folded)
        facets = bodies(state.run_facets)
        task = facets_of.task_run(facets)
        seen = _seen_by_airflow(facets)
        dag_id = dag_id or seen.get("dag_id") or run.job
        run_id = (task.run_id if task else None) or seen.get("run_id") or child
        if run.job == dag_id:
            found = self._dag_run(dag_id, run_id, run)
            events = telling.dag_run_events(self.work.namespace, found, run.uuid, ()) if found else []
            return [event for event in events if event.event_type is not None and event.event_type.terminal]
        if run_id is None:
            raise AbsentError("it is no run of Airflow")
        task_id = task.task_id if task else run.job.removeprefix(f"{dag_id}.")
        index = task.map_index if task else int(seen.get("map_index", -1))
        number = task.try_number if task else int(seen.get("try_number") or 1)
        path = path_of("dags", dag_id, "dagRuns", run_id, "taskInstances", task_id)
        path += path_of(index) if index >= 0 else ""
        dag_run = self.work.one(DagRun, path_of("dags", dag_id, "dagRuns", run_id))
        tries = self.work.every(TaskInstance, f"{path}/tries", "task_instances")
        chosen = next((item for item in tries if item.try_number == number), None)
        event = telling.ended_event(self.work.namespace, dag_run, chosen, run.uuid, run.job) if chosen else None
        return [event] if event else []

    def _dag_run(self, dag_id: str, run_id: str | None, run: RunTable) -> DagRun | None:
        """Find a DAG run by its id, or by when it started: events of DAG runs do not say the id."""
        if run_id is not None:
            return self.work.one(DagRun, path_of("dags", dag_id, "dagRuns", run_id))
        if run.started_at is None:
            return None
        near = timedelta(seconds=1)
        items, _ = self.work.page(
            path_of("dags", dag_id, "dagRuns"),
            "dag_runs",
            start_date_gte=(run.started_at - near).isoformat(),
            start_date_lte=(run.started_at + near).isoformat(),
        )
        for item in items:
            found = self.work.read(DagRun, item)
            if found and run.uuid in _ids(self.work.namespace, found):
                return found
        raise AbsentError("Airflow has no such run")


def _ids(namespace: str, run: DagRun) -> set[UUID]:
    return {telling.parent_id(namespace, run, number) for number in range(CLEARS + 1)}


def _seen_by_airflow(facets: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Read what Airflow's own OpenLineage provider says of a run."""
    found: dict[str, Any] = {}
    for name in ("airflow", "airflowDagRun"):
        about = facets.get(name, {})
        for part in ("dag", "dagRun", "taskInstance"):
            inner = about.get(part)
            if isinstance(inner, dict):
                wanted = ("dag_id", "run_id", "map_index", "try_number")
                found |= {key: inner[key] for key in wanted if inner.get(key) is not None}
    return found
