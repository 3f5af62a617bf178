"""What asset events do not say: the run, the try, the code and the inlets; asked once per cycle each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from festaf.contract.names import sha256_of
from festaf.registry_api.airflow import telling
from festaf.registry_api.airflow.answers import Answer, AssetEvent, DagRun, TaskInstance, Version
from festaf.registry_api.airflow.errors import AbsentError, RefusedError, UnexpectedError
from festaf.registry_api.airflow.repository import KnownRepository, ReadingRepository
from festaf.registry_api.airflow.work import Event, Work

CLEARS = 4
"""A DAG run cleared more often is looked for under its last known id."""
ENDED = {"COMPLETE", "FAIL", "ABORT"}


class Source(Answer):
    """The text of a DAG version."""

    content: str | None = None
    version_number: int | None = None


class Details:
    """Answers of one cycle, kept until its end."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._runs: dict[tuple[str, str], DagRun] = {}
        self._uncertain: set[tuple[str, str]] = set()
        self._told: set[UUID] = set()
        self._sources: dict[tuple[str, int], str | None] = {}

    def run(self, event: AssetEvent) -> DagRun:
        """Give the DAG run that an event came from; of a deleted one, what its id says."""
        dag_id, run_id = event.source_dag_id or "", event.source_run_id or ""
        if (dag_id, run_id) not in self._runs:
            try:
                self._runs[dag_id, run_id] = self.work.one(DagRun, path_of("dags", dag_id, "dagRuns", run_id))
            except (AbsentError, UnexpectedError, RefusedError):
                self._runs[dag_id, run_id] = self.run_without(event)
                self._uncertain.add((dag_id, run_id))
        return self._runs[dag_id, run_id]

    def certain(self, run: DagRun) -> bool:
        """Tell whether Airflow itself gave the run."""
        return (run.dag_id, run.dag_run_id) not in self._uncertain

    def run_without(self, event: AssetEvent) -> DagRun:
        """Give what the event alone tells of its DAG run."""
        return telling.run_without(event.source_dag_id or "", event.source_run_id or "", event.timestamp)

    def instance(self, run: DagRun, task_id: str, map_index: int | None, at: datetime) -> TaskInstance | None:
        """Give the try of a task that succeeded at a time; None when Airflow has deleted it."""
        path = path_of("dags", run.dag_id, "dagRuns", run.dag_run_id, "taskInstances", task_id)
        if map_index is not None and map_index >= 0:
            path += path_of(map_index)
        try:
            now = self.work.one(TaskInstance, path)
            if now.try_number <= 1 and now.state == "success":
                return now
            tries = self.work.every(TaskInstance, f"{path}/tries", "task_instances")
        except (AbsentError, UnexpectedError, RefusedError):
            return None
        return _that_succeeded(tries, at) or now.model_copy(update={"end_date": at})

    def parent(self, run: DagRun) -> UUID:
        """Give the OpenLineage run id of a DAG run: the one that the registry knows, else that of a run never cleared.

        The id counts how often the run was cleared, which Airflow's REST API does not say.
        """
        ids = [telling.parent_id(self.work.namespace, run, number) for number in range(CLEARS + 1)]
        with self.work.database.reading() as session:
            known = KnownRepository(session).runs(ids)
        return next((run_id for run_id in reversed(ids) if run_id in known), ids[0])

    def run_events(self, run: DagRun) -> list[Event]:
        """Tell a DAG run once, unless the registry knows how it ended."""
        run_id = self.parent(run)
        if run_id in self._told:
            return []
        self._told.add(run_id)
        with self.work.database.reading() as session:
            known = KnownRepository(session).runs([run_id]).get(run_id)
        if known is not None and known.state in ENDED:
            return []
        triggers = self._triggers(run) if run.run_type == "asset_triggered" else []
        events = telling.dag_run_events(self.work.namespace, run, run_id, triggers)
        if known is not None and len(events) < 2:
            return []
        self.work.figures.add("dag_runs", bool(events))
        return list(events)

    def inlets(self, dag_id: str, task_id: str, version_id: UUID | None) -> list[str]:
        """Give the inlets of a task; nothing when another version ran than the one whose inlets Airflow tells."""
        with self.work.database.reading() as session:
            dag = ReadingRepository(session, self.work.deployment.pk).dag(dag_id)
        if dag is None or version_id is None or dag.version_id != version_id:
            return []
        return [str(uri) for uri in dag.inlets.get(task_id, ())]

    def code(self, dag_id: str, version: Version | None, sha256: str | None) -> tuple[str, str] | None:
        """Give path and text of the DAG file as it ran: only when its hash is the one that the task attached."""
        if version is None or sha256 is None:
            return None
        with self.work.database.reading() as session:
            dag = ReadingRepository(session, self.work.deployment.pk).dag(dag_id)
        if dag is None or dag.path is None:
            return None
        text = self.source(dag_id, version.version_number)
        return (dag.path, text) if text is not None and sha256_of(text) == sha256 else None

    def source(self, dag_id: str, number: int, *, again: bool = False) -> str | None:
        """Give the text of a DAG version as Airflow has it now; None when it may not be read.

        :param again: ask for it, although it was given in this cycle
        """
        if again or (dag_id, number) not in self._sources:
            try:
                found = self.work.one(Source, path_of("dagSources", dag_id), version_number=number)
                redacted = found.content is None or found.content.startswith("REDACTED - ")
                self._sources[dag_id, number] = None if redacted else found.content
            except (AbsentError, UnexpectedError, RefusedError):
                self._sources[dag_id, number] = None
        return self._sources[dag_id, number]

    def _triggers(self, run: DagRun) -> list[str]:
        try:
            path = path_of("dags", run.dag_id, "dagRuns", run.dag_run_id, "upstreamAssetEvents")
            items, _ = self.work.page(path, "asset_events")
        except (AbsentError, UnexpectedError, RefusedError):
            return []
        events = [event for item in items if (event := self.work.read(AssetEvent, item))]
        return [event.asset for event in events if event.asset]


def path_of(*parts: str | int) -> str:
    """Join names into a path, whatever stands in them."""
    return "/" + "/".join(quote(str(part), safe="~") for part in parts)


def _that_succeeded(tries: Iterable[TaskInstance], at: datetime) -> TaskInstance | None:
    succeeded = [instance for instance in tries if instance.state == "success" and instance.end_date]
    return min(succeeded, key=lambda item: abs(item.end_date - at) if item.end_date else abs(at - at), default=None)
