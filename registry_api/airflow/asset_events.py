"""Read asset events, which Airflow stores in the transaction of a task's success, and tell what push did not."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from festaf.contract.datasets import asset_dataset
from festaf.registry_api.airflow import telling
from festaf.registry_api.airflow.answers import AssetEvent, DagRun, TaskInstance
from festaf.registry_api.airflow.details import Details
from festaf.registry_api.airflow.errors import AirflowAwayError, AirflowError, AnswerTooLargeError
from festaf.registry_api.airflow.repository import AirflowRepository, KnownRepository, ReadingRepository
from festaf.registry_api.airflow.work import Event, Work
from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.lineage import reading as facets_of
from festaf.registry_api.lineage.folding import bodies, read_state

log = logging.getLogger(__name__)
OVERLAP = timedelta(minutes=10)
"""How far behind the cursor is read again: an event may be committed later than a younger one."""
SAME = timedelta(minutes=2)
"""A try that ended this close to an event wrote it, unless another ended closer."""
GUESSED_TRIES = 3
PATIENCE = 3
"""How often an event is tried whose details Airflow answers with status 500."""

Key = tuple[str, str, str, int]


class AssetEventReader:
    """Reads the asset events of one deployment from its cursor on."""

    def __init__(self, work: Work, details: Details, since: datetime | None = None) -> None:
        self.work = work
        self.details = details
        self.since = since

    def read(self) -> None:
        """Read until there is no more.

        :raises AirflowError: Airflow stopped answering; what was read before stands
        """
        since = self.since or self._start()
        offset, size = 0, self.work.client.pace.page
        while True:
            try:
                items, total = self._page(since, offset, size)
            except AnswerTooLargeError:
                if size == 1:
                    self.work.figures.add("answers_unreadable")
                    offset += 1
                size = max(1, size // 2)
                continue
            events = [event for item in items if (event := self.work.read(AssetEvent, item))]
            self._take(events)
            if not items or offset + len(items) >= total:
                return
            last = max((event.timestamp for event in events), default=None)
            if last is None or last == since:
                offset += len(items)
            else:
                offset = sum(event.timestamp == last for event in events)
                since = last

    def _start(self) -> datetime | None:
        with self.work.database.reading() as session:
            row = AirflowRepository(session).get(self.work.deployment.pk)
            read_to = row.events_read_to if row else None
        return read_to - OVERLAP if read_to else None

    def _page(self, since: datetime | None, offset: int, size: int) -> tuple[list[Any], int]:
        return self.work.page(
            "/assets/events",
            "asset_events",
            order_by="timestamp",
            limit=size,
            offset=offset,
            timestamp_gte=since.isoformat() if since else None,
        )

    def _take(self, events: Sequence[AssetEvent]) -> None:
        """Tell the events of a page that are new, and move the cursor with them."""
        with self.work.database.reading() as session:
            seen = ReadingRepository(session, self.work.deployment.pk).seen([event.id for event in events])
        fresh = [event for event in events if event.id not in seen]
        told: list[Event] = []
        done: dict[int, datetime] = {}
        try:
            for group in _groups(fresh):
                told += self._understood(group)
                done |= {event.id: event.timestamp for event in group}
        except AirflowError as error:
            failing = isinstance(error, AirflowAwayError) and error.failing
            stumbled = next((event.id for event in fresh if event.id not in done), None) if failing else None
            self._keep(told, done, None, stumbled)
            raise
        # An api-server whose clock is ahead must not carry the cursor past what others have yet to write.
        now = self.work.client.now()
        read_to = max((event.timestamp for event in events if event.timestamp <= now), default=None)
        self._keep(told, done, read_to, None)

    def _keep(
        self, told: list[Event], done: dict[int, datetime], read_to: datetime | None, stumbled: int | None
    ) -> None:
        def note(session: Session, reading: ReadingRepository) -> None:
            row = AirflowRepository(session).get(self.work.deployment.pk)
            assert row is not None
            if read_to and (row.events_read_to is None or read_to > row.events_read_to):
                row.events_read_to = read_to
            if stumbled is not None:
                row.stumbles = row.stumbles + 1 if row.stumbled_on == stumbled else 1
                row.stumbled_on = stumbled
            reading.keep_seen(done, row.events_read_to - 3 * OVERLAP if row.events_read_to else None)

        self.work.commit(told, note)
        self.work.figures.add("asset_events", len(done))
        if done:
            self.work.say(f"{len(done)} asset events read, {len(told)} lineage events told, up to {read_to}")

    def _understood(self, group: Sequence[AssetEvent]) -> list[Event]:
        """Tell a group; one that makes no event, whatever stands in it, must not keep the others back."""
        try:
            return self._tell(group)
        except ValueError as error:
            log.warning("Asset event %d of Airflow %s is left out: %s", group[0].id, self.work.deployment.name, error)
            self.work.figures.add("events_refused")
            return []

    def _tell(self, group: Sequence[AssetEvent]) -> list[Event]:
        """Tell the new events of one task instance, or one event of no task."""
        first = group[0]
        if not (first.source_dag_id and first.source_task_id and first.source_run_id):
            event = telling.outside_event(self.work.namespace, first)
            return [event] if event else []
        if self._stumbled(first):
            run = self.details.run_without(first)
            return [self._task(run, _unknown_try(first), group)]
        run = self.details.run(first)
        if self._known_already(run, group):
            self.work.figures.add("known_already", len(group))
            return self.details.run_events(run)
        instance = self.details.instance(run, first.source_task_id, first.source_map_index, first.timestamp)
        return [self._task(run, instance or _unknown_try(first), group), *self.details.run_events(run)]

    def _stumbled(self, event: AssetEvent) -> bool:
        with self.work.database.reading() as session:
            row = AirflowRepository(session).get(self.work.deployment.pk)
            return row is not None and row.stumbled_on == event.id and row.stumbles >= PATIENCE

    def _task(self, run: DagRun, instance: TaskInstance, group: Sequence[AssetEvent]) -> Event:
        version = instance.dag_version
        return telling.task_event(
            self.work.namespace,
            run,
            self.details.parent(run),
            instance,
            group,
            self.details.inlets(run.dag_id, instance.task_id, version.id if version else None),
            self.details.code(run.dag_id, version, telling.logic_of(group)),
        )

    def _known_already(self, run: DagRun, group: Sequence[AssetEvent]) -> bool:
        """Tell whether the registry has what the events say: a try that ended then and wrote these assets."""
        first = group[0]
        index = _map_index(first)
        guessed = [
            telling.task_id_of(
                self.work.namespace,
                run,
                TaskInstance(
                    dag_id=run.dag_id,
                    task_id=first.source_task_id or "",
                    dag_run_id=run.dag_run_id,
                    map_index=index,
                    try_number=number,
                ),
            )
            for number in range(1, GUESSED_TRIES + 1)
        ]
        job = f"{run.dag_id}.{first.source_task_id}"
        names = {name for event in group if event.asset and (name := asset_dataset(event.asset))}
        with self.work.database.reading() as session:
            repository = KnownRepository(session)
            known = list(repository.runs(guessed).values())
            if not self.details.certain(run):
                told = repository.runs_of_job(self.work.namespace, job, run.dag_run_id)
                known += [record for record in told if _is_instance(record, index)]
        datasets = {(name.namespace, name.name) for name in names}
        return any(_wrote(record, datasets, first.timestamp) for record in known)


def _is_instance(run: RunTable, index: int) -> bool:
    """Tell whether a run is of one instance of a mapped task: another instance's may have written the same assets."""
    task = facets_of.task_run(bodies(read_state(run.folded).run_facets))
    return task is not None and task.map_index == index


def _wrote(run: RunTable, datasets: set[tuple[str, str]], at: datetime) -> bool:
    if run.state != "COMPLETE" or run.ended_at is None or abs(run.ended_at - at) > SAME:
        return False
    outputs = read_state(run.folded).outputs.values()
    return datasets <= {(output.namespace, output.name) for output in outputs}


def _groups(events: Iterable[AssetEvent]) -> list[list[AssetEvent]]:
    """Put the events of one task instance together, in the order of the first of each; the others stand alone."""
    groups: dict[Key | int, list[AssetEvent]] = {}
    for event in events:
        key: Key | int = event.id
        if event.source_dag_id and event.source_task_id and event.source_run_id:
            key = (event.source_dag_id, event.source_run_id, event.source_task_id, _map_index(event))
        groups.setdefault(key, []).append(event)
    return list(groups.values())


def _map_index(event: AssetEvent) -> int:
    return -1 if event.source_map_index is None else event.source_map_index


def _unknown_try(event: AssetEvent) -> TaskInstance:
    """Give what the event alone tells of the try that wrote."""
    return TaskInstance(
        dag_id=event.source_dag_id or "",
        task_id=event.source_task_id or "",
        dag_run_id=event.source_run_id or "",
        map_index=_map_index(event),
        end_date=event.timestamp,
    )
