"""From a scheduler's objects to OpenLineage events, reading only what is loaded already.

The scheduler's loop must not wait for the database because of us: an attribute that SQLAlchemy would have to fetch is
taken as unknown. The registry learns it from another event or over Airflow's REST API. The one exception is the number
of a DAG version, which no event of a worker carries: it is asked for by primary key, once per version and process.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from festaf.contract import facets
from festaf.contract.names import dag_run_id, owners_of, task_run_id
from festaf.contract.openlineage import (
    DAG_FACET,
    PRODUCER,
    RUN_EVENT_SCHEMA,
    TASK_FACET,
    DagSnapshot,
    EventType,
    Job,
    Run,
    RunEvent,
    TaskRun,
)
from festaf.provider.lineage.schedule import awaited_assets, schedule_text
from festaf.provider.lineage.task_event import Ended, error_facet

if TYPE_CHECKING:
    from festaf.provider.lineage.dag_version import DagVersion
    from festaf.provider.lineage.settings import LineageSettings


def dag_run_event(
    dag_run: Any, kind: EventType, version: DagVersion, settings: LineageSettings, message: str = ""
) -> RunEvent:
    """Tell that a DAG run started or ended.

    :param dag_run: the ORM ``DagRun``
    :param version: the DAG version that the run was created with
    """
    run = _loaded(dag_run)
    moment = run["start_date"] if kind is EventType.START else run["end_date"]
    about: dict[str, facets.Facet] = {}
    if start := run["data_interval_start"] or run["logical_date"]:
        about["nominalTime"] = facets.nominal_time(start, run["data_interval_end"])
    if kind is EventType.FAIL:
        about["errorMessage"] = facets.error_message(message or "The DAG run failed", None)
    run_id = dag_run_id(
        namespace=settings.namespace,
        dag_id=run["dag_id"],
        clear_number=run["clear_number"] or 0,
        moment=run["logical_date"] or run["run_after"],
    )
    snapshot = _snapshot(run, getattr(dag_run, "dag", None), version)
    return RunEvent(
        event_type=kind,
        event_time=moment or datetime.now(UTC),
        producer=PRODUCER,
        schema_url=RUN_EVENT_SCHEMA,
        run=Run(run_id=run_id, facets=about),
        job=Job(
            namespace=settings.namespace,
            name=run["dag_id"],
            facets={
                "jobType": facets.job_type("DAG"),
                DAG_FACET: facets.own("openlineage", "dag", snapshot),
            },
        ),
    )


def outside_event(task_instance: Any, ended: Ended, settings: LineageSettings) -> RunEvent:
    """Tell that a try ended outside its own process: its worker was lost, or a person marked it.

    :param task_instance: the ORM ``TaskInstance``, whose DAG run is fetched if it is not loaded; this is rare
    """
    ti = _loaded(task_instance)
    run = _loaded(task_instance.dag_run)
    moment = run["logical_date"] or run["run_after"]
    keys = {"namespace": settings.namespace, "dag_id": ti["dag_id"], "moment": moment}
    map_index = -1 if ti["map_index"] is None else ti["map_index"]
    task_run = TaskRun(
        dag_id=ti["dag_id"],
        task_id=ti["task_id"],
        run_id=ti["run_id"],
        try_number=ti["try_number"],
        map_index=map_index,
        operator=ti["custom_operator_name"] or ti["operator"],
        state=ended.state,
        started_at=ti["start_date"],
        ended_at=ti["end_date"],
        logical_date=run["logical_date"],
        run_after=run["run_after"],
        run_type=str(run["run_type"]),
        dag_version_id=ti["dag_version_id"],
        hostname=ti["hostname"] or None,
    )
    about = {
        "parent": facets.parent(
            settings.namespace, ti["dag_id"], dag_run_id(clear_number=run["clear_number"] or 0, **keys)
        ),
        TASK_FACET: facets.own("openlineage", "task", task_run),
    }
    if ended.error is not None:
        about["errorMessage"] = error_facet(ended.error)
    run_id = task_run_id(task_id=ti["task_id"], try_number=ti["try_number"], map_index=map_index, **keys)
    return RunEvent(
        event_type=ended.type,
        event_time=ti["end_date"] or datetime.now(UTC),
        producer=PRODUCER,
        schema_url=RUN_EVENT_SCHEMA,
        run=Run(run_id=run_id, facets=about),
        job=Job(
            namespace=settings.namespace,
            name=f"{ti['dag_id']}.{ti['task_id']}",
            facets={"jobType": facets.job_type("TASK")},
        ),
    )


def _snapshot(run: dict[str, Any], dag: Any, version: DagVersion) -> DagSnapshot:
    model = _loaded(run["dag_model"])
    return DagSnapshot(
        dag_id=run["dag_id"],
        dag_version_id=run["created_dag_version_id"],
        version_number=version.number,
        bundle_name=version.bundle_name or model["bundle_name"],
        bundle_version=run["bundle_version"],
        path=getattr(dag, "relative_fileloc", None) or model["relative_fileloc"],
        owners=owners_of(getattr(dag, "owner", None) or model["owners"]),
        tags=tuple(sorted(getattr(dag, "tags", None) or ())),
        description=getattr(dag, "description", None),
        schedule=schedule_text(getattr(dag, "timetable", None)),
        waits_for=awaited_assets(getattr(dag, "timetable", None)),
        next_run=model["next_dagrun_create_after"],
    )


class _Loaded(dict[str, Any]):
    """The attributes of an ORM object that are in memory; any other is None."""

    def __missing__(self, name: str) -> None:
        return None


def _loaded(record: object) -> _Loaded:
    return _Loaded(vars(record)) if record is not None else _Loaded()
