"""From what Airflow's REST API answers to OpenLineage events, with the run ids and the words of the push side.

Pure functions. What only a worker knows, such as the text that ran, is left out rather than guessed.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from festaf.contract import facets
from festaf.contract.datasets import asset_dataset, attached, input_datasets, inputs, outputs
from festaf.contract.facts.told import Worker
from festaf.contract.feature_set import EXTRA_KEY
from festaf.contract.names import dag_run_id, owners_of, task_run_id
from festaf.contract.openlineage import (
    DAG_FACET,
    PARTITION_FACET,
    PRODUCER,
    RUN_EVENT_SCHEMA,
    TASK_FACET,
    AssetPartitions,
    DagSnapshot,
    Dataset,
    DatasetEvent,
    EventType,
    Job,
    JobEvent,
    OutputDataset,
    Run,
    RunEvent,
    TaskRun,
)
from festaf.registry_api.airflow.answers import AssetEvent, Dag, DagRun, TaskInstance, Version

SYNC = f"{PRODUCER}/registry_api/airflow"
"""The producer of every event that the sync tells."""
BEFORE = timedelta(microseconds=1)
"""What the worker itself said of a run stands before what the sync says: its event is dated this much later."""
SKEW = timedelta(seconds=5)
"""By so much the clocks of a scheduler and a worker may differ."""
OUTSIDE = "asset_events"
"""The job of facts that came with an asset event of no task."""
_SPEC = RUN_EVENT_SCHEMA.removesuffix("RunEvent")


def run_moment(run: DagRun) -> datetime:
    """Give the moment that the run ids are derived from."""
    return run.logical_date or run.run_after


def run_without(dag_id: str, run_id: str, timestamp: datetime) -> DagRun:
    """Give what is still known of a DAG run that Airflow has deleted: its id mostly holds its time."""
    kind, _, rest = run_id.partition("__")
    moment = None
    for text in (rest, rest.rpartition("_")[0]):
        try:
            moment = moment or datetime.fromisoformat(text)
        except ValueError:
            continue
    known = moment if moment and moment.tzinfo else timestamp
    return DagRun(dag_id=dag_id, dag_run_id=run_id, run_after=known, run_type=kind if rest else None)


def logic_of(events: Iterable[AssetEvent]) -> str | None:
    """Give the hash of the DAG file that our operators attach to their asset events."""
    return _said_of_code(events, "logic_sha256")


def commit_of(run: DagRun, instance: TaskInstance, events: Sequence[AssetEvent]) -> str | None:
    """Give the version of the bundle that a try ran: as our operators attach it, else that of the DAG run.

    A run that was queued again after the try began was cleared, and may have been moved to the newest version.
    """
    if attached_version := _said_of_code(events, "bundle_version"):
        return attached_version
    began = instance.start_date or instance.end_date or events[-1].timestamp
    return None if run.queued_at and run.queued_at - began > SKEW else run.bundle_version


def _said_of_code(events: Iterable[AssetEvent], name: str) -> str | None:
    for event in events:
        fact = (event.extra or {}).get(EXTRA_KEY)
        if isinstance(fact, dict) and isinstance(fact.get(name), str):
            return str(fact[name])
    return None


def task_id_of(namespace: str, run: DagRun, instance: TaskInstance) -> uuid.UUID:
    """Give the OpenLineage run id of one try."""
    return task_run_id(
        namespace=namespace,
        dag_id=run.dag_id,
        task_id=instance.task_id,
        try_number=instance.try_number,
        map_index=instance.map_index,
        moment=run_moment(run),
    )


def task_event(
    namespace: str,
    run: DagRun,
    parent: uuid.UUID,
    instance: TaskInstance,
    events: Sequence[AssetEvent],
    inlets: Iterable[str],
    code: tuple[str, str] | None,
) -> RunEvent:
    """Tell that a try succeeded and wrote assets.

    :param parent: the OpenLineage run id of the DAG run
    :param code: path and text of the DAG file, when it is proven that this text ran
    """
    version = instance.dag_version
    bundle, commit = version.bundle_name if version else None, commit_of(run, instance, events)
    said = attached(
        ((event.asset, event.extra or {}) for event in events),
        Worker(logic_of(events), bundle, commit),
    )
    ended = instance.end_date or events[-1].timestamp
    task_run = TaskRun(
        dag_id=run.dag_id,
        task_id=instance.task_id,
        run_id=run.dag_run_id,
        try_number=instance.try_number,
        map_index=instance.map_index,
        operator=instance.operator_name or instance.operator,
        state="success",
        started_at=instance.start_date,
        ended_at=ended,
        logical_date=run.logical_date,
        run_after=run.run_after,
        run_type=run.run_type,
        dag_version_id=version.id if version else None,
        bundle_name=bundle,
        bundle_version=commit,
        hostname=instance.hostname or None,
    )
    about = {
        "parent": facets.parent(namespace, run.dag_id, parent),
        TASK_FACET: facets.own("openlineage", "task", task_run),
        **_nominal(run),
    }
    path, text = code or (None, None)
    snapshot = _snapshot(run, version).model_copy(update={"path": path, "source": text, "bundle_version": commit})
    return RunEvent(
        event_type=EventType.COMPLETE,
        event_time=ended - BEFORE,
        producer=SYNC,
        schema_url=RUN_EVENT_SCHEMA,
        run=Run(run_id=task_id_of(namespace, run, instance), facets=about),
        job=_job(namespace, f"{run.dag_id}.{instance.task_id}", "TASK", snapshot),
        inputs=inputs(inlets, said),
        outputs=_partitioned(outputs((), said), events),
    )


def dag_run_events(namespace: str, run: DagRun, run_id: uuid.UUID, triggers: Iterable[str]) -> list[RunEvent]:
    """Tell that a DAG run started, by which assets, and how it ended."""
    moments = [(EventType.START, run.start_date)]
    if run.state in {"success", "failed"}:
        moments.append((EventType.COMPLETE if run.state == "success" else EventType.FAIL, run.end_date))
    read = input_datasets(triggers)
    return [
        RunEvent(
            event_type=kind,
            event_time=moment,
            producer=SYNC,
            schema_url=RUN_EVENT_SCHEMA,
            run=Run(run_id=run_id, facets=_nominal(run)),
            job=_job(namespace, run.dag_id, "DAG", _snapshot(run, run.version)),
            inputs=read if kind is EventType.START else (),
        )
        for kind, moment in moments
        if moment is not None
    ]


def parent_id(namespace: str, run: DagRun, clear_number: int = 0) -> uuid.UUID:
    """Give the OpenLineage run id of a DAG run that was cleared so many times; Airflow's REST API does not say it."""
    return dag_run_id(namespace=namespace, dag_id=run.dag_id, clear_number=clear_number, moment=run_moment(run))


def ended_event(namespace: str, run: DagRun, instance: TaskInstance, run_id: uuid.UUID, job: str) -> RunEvent | None:
    """Tell how a try ended of which only the start is known; None when it has not ended."""
    kinds = {"success": EventType.COMPLETE, "failed": EventType.FAIL, "skipped": EventType.ABORT}
    kind = kinds.get(instance.state or "")
    if kind is None or instance.end_date is None:
        return None
    return RunEvent(
        event_type=kind,
        event_time=instance.end_date - BEFORE,
        producer=SYNC,
        schema_url=RUN_EVENT_SCHEMA,
        run=Run(run_id=run_id, facets=_nominal(run)),
        job=Job(namespace=namespace, name=job, facets={}),
    )


def outside_event(namespace: str, event: AssetEvent) -> RunEvent | DatasetEvent | None:
    """Tell an asset event of no task: a person's or a watcher's. With facts of ours it is a run of its own."""
    if not event.asset:
        return None
    said = attached([(event.asset, event.extra or {})], Worker())
    if said.told:
        run_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{namespace}/{OUTSIDE}/{event.id}/{event.timestamp.isoformat()}")
        return RunEvent(
            event_type=EventType.COMPLETE,
            event_time=event.timestamp,
            producer=SYNC,
            schema_url=RUN_EVENT_SCHEMA,
            run=Run(run_id=run_id),
            job=Job(namespace=namespace, name=OUTSIDE),
            inputs=inputs((), said),
            outputs=_partitioned(outputs((), said), [event]),
        )
    name = asset_dataset(event.asset)
    if name is None:
        return None
    return DatasetEvent(
        event_time=event.timestamp,
        producer=SYNC,
        schema_url=f"{_SPEC}DatasetEvent",
        dataset=Dataset(namespace=name.namespace, name=name.name),
    )


def dag_snapshot(
    dag: Dag, version: Version | None, source: str | None, waits_for: Collection[str] | None
) -> DagSnapshot:
    """Give everything that Airflow says of a DAG now; what is empty is none.

    :param waits_for: URIs of the assets that its schedule waits for; None when that was not read
    """
    known: dict[str, Any] = {
        "owners": owners_of(",".join(dag.owners)),
        "tags": tuple(sorted(tag.name for tag in dag.tags)),
        "description": dag.description or None,
        "schedule": dag.timetable_summary if dag.timetable_summary not in {"", "None"} else None,
        "next_run": dag.next_dagrun_run_after,
    }
    if waits_for is not None:
        known["waits_for"] = tuple(waits_for)
    return DagSnapshot(
        dag_id=dag.dag_id,
        dag_version_id=version.id if version else None,
        version_number=version.version_number if version else None,
        bundle_name=version.bundle_name if version else dag.bundle_name,
        path=dag.relative_fileloc,
        source=source,
        paused=dag.is_paused,
        deleted=dag.is_stale,
        fileloc=dag.fileloc,
        last_parsed=dag.last_parsed,
        without=tuple(name for name, value in known.items() if not value),
        **known,
    )


def deleted_snapshot(dag_id: str) -> DagSnapshot:
    """Say that Airflow no longer has a DAG."""
    return DagSnapshot(dag_id=dag_id, deleted=True)


def dag_event(namespace: str, snapshot: DagSnapshot, at: datetime) -> JobEvent:
    """Tell what is known of a DAG."""
    return JobEvent(
        event_time=at,
        producer=SYNC,
        schema_url=f"{_SPEC}JobEvent",
        job=_job(namespace, snapshot.dag_id, "DAG", snapshot),
    )


def _job(namespace: str, name: str, kind: str, snapshot: DagSnapshot) -> Job:
    about = {"jobType": facets.job_type(kind), DAG_FACET: facets.own("openlineage", "dag", snapshot)}
    return Job(namespace=namespace, name=name, facets=about)


def _snapshot(run: DagRun, version: Version | None) -> DagSnapshot:
    return DagSnapshot(
        dag_id=run.dag_id,
        dag_version_id=version.id if version else None,
        version_number=version.version_number if version else None,
        bundle_name=version.bundle_name if version else None,
        bundle_version=run.bundle_version,
    )


def _nominal(run: DagRun) -> dict[str, facets.Facet]:
    start = run.data_interval_start or run.logical_date
    return {"nominalTime": facets.nominal_time(start, run.data_interval_end)} if start else {}


def _partitioned(written: tuple[OutputDataset, ...], events: Iterable[AssetEvent]) -> tuple[OutputDataset, ...]:
    """Say which partitions of a dataset were written."""
    keys: dict[tuple[str, str], list[str]] = {}
    for event in events:
        if event.partition_key is not None and event.asset and (name := asset_dataset(event.asset)):
            keys.setdefault((name.namespace, name.name), []).append(event.partition_key)
    return tuple(
        item.model_copy(update={"output_facets": {**item.output_facets, PARTITION_FACET: _partitions(found)}})
        if (found := keys.get((item.namespace, item.name)))
        else item
        for item in written
    )


def _partitions(keys: Iterable[str]) -> facets.Facet:
    return facets.own("openlineage", "partitions", AssetPartitions(keys=tuple(sorted(set(keys)))))
