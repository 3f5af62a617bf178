"""Events as the Airflow side sends them, small enough to read."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from festaf.contract.names import dag_run_id, feature_set_dataset, task_run_id
from festaf.contract.openlineage import PRODUCER, RUN_EVENT_SCHEMA

NAMESPACE = "airflow-prod"
DAG = "flights_features"
DAY = datetime(2026, 3, 1, tzinfo=UTC)
VERSION = uuid.UUID("0195f000-0000-7000-8000-000000000001")
SOURCE = "from airflow.sdk import DAG\n\nwith DAG('flights_features'):\n    ...\n"
Json = dict[str, Any]


def at(minutes: float) -> datetime:
    """Give a moment, in minutes after the day began."""
    return DAY + timedelta(minutes=minutes)


def facet(**body: Any) -> Json:
    return {"_producer": PRODUCER, "_schemaURL": f"{PRODUCER}/facet.json", **body}


def declaration(name: str = "dep_delay", **said: Any) -> Json:
    return {"name": name, "type": "Fractional", **said}


RICH = declaration(
    owner="ann",
    purpose="predict delays",
    technique="rolling mean",
    logic="SELECT avg(dep_delay) FROM flights",
    description="mean delay",
    sources=["s3://raw/flights.parquet#dep_delay"],
    tags=["delay"],
)


def dataset(name: str, namespace: str = "s3://raw", **facets: Json) -> Json:
    return {"namespace": namespace, "name": name, "facets": facets}


def feature_set(name: str = "delays", project: str = "nyc", *, outputs: Json | None = None, **facets: Json) -> Json:
    named = feature_set_dataset(project, name)
    found: Json = {"namespace": named.namespace, "name": named.name, "facets": facets}
    return found | ({"outputFacets": outputs} if outputs else {})


def written(
    *features: Json, name: str = "delays", project: str = "nyc", accepted: int = 90, rejected: int = 10, **said: Any
) -> Json:
    """Give a feature set as an output with our write facet."""
    write = {
        "project": project,
        "feature_set": name,
        "rows_read": accepted + rejected,
        "rows_accepted": accepted,
        "rows_rejected": rejected,
        "features": list(features),
        **said,
    }
    return feature_set(name, project, outputs={"festaf_write": facet(write=write)})


def defined(*features: Json, name: str = "delays", project: str = "nyc", deleted: bool = False, **said: Any) -> Json:
    """Give a feature set as an output with our definition facet."""
    definition = {
        "project": project,
        "feature_set": name,
        "record_identifier": "id",
        "event_time": "at",
        "online": True,
        "offline": True,
        "features": list(features),
        "deleted": deleted,
        **said,
    }
    return feature_set(name, project, festaf_definition=facet(definition=definition))


def run_of(
    task: str = "ingest", day: int = 0, try_number: int = 1, dag_id: str = DAG, map_index: int = -1
) -> uuid.UUID:
    moment = DAY + timedelta(days=day)
    return task_run_id(
        namespace=NAMESPACE, dag_id=dag_id, task_id=task, try_number=try_number, map_index=map_index, moment=moment
    )


def dag_run_of(day: int = 0, dag_id: str = DAG) -> uuid.UUID:
    return dag_run_id(namespace=NAMESPACE, dag_id=dag_id, clear_number=0, moment=DAY + timedelta(days=day))


def task_event(
    event_type: str = "COMPLETE",
    minutes: float = 10,
    *,
    task: str = "ingest",
    day: int = 0,
    try_number: int = 1,
    map_index: int = -1,
    dag_id: str = DAG,
    inputs: tuple[Json, ...] = (),
    outputs: tuple[Json, ...] = (),
    source: str | None = SOURCE,
    version: uuid.UUID | None = VERSION,
    job_facets: Json | None = None,
    run_facets: Json | None = None,
) -> Json:
    """Give an event of a task's try, as a worker sends it."""
    moment = at(minutes) + timedelta(days=day)
    snapshot = {
        "dag_id": dag_id,
        "dag_version_id": str(version) if version else None,
        "bundle_name": "dags",
        "path": "flights.py",
        "source": source,
        "owners": ["data-team"],
        "schedule": "0 * * * *",
    }
    task_run = {
        "dag_id": dag_id,
        "task_id": task,
        "run_id": f"scheduled__{day}",
        "try_number": try_number,
        "map_index": map_index,
        "operator": "IngestFeaturesOperator",
        "state": "success",
        "started_at": (moment - timedelta(minutes=5)).isoformat(),
    }
    parent = {"run": {"runId": str(dag_run_of(day, dag_id))}, "job": {"namespace": NAMESPACE, "name": dag_id}}
    return {
        "eventType": event_type,
        "eventTime": moment.isoformat(),
        "producer": PRODUCER,
        "schemaURL": RUN_EVENT_SCHEMA,
        "run": {
            "runId": str(run_of(task, day, try_number, dag_id, map_index)),
            "facets": {"festaf_task": facet(task=task_run), "parent": facet(**parent), **(run_facets or {})},
        },
        "job": {
            "namespace": NAMESPACE,
            "name": f"{dag_id}.{task}",
            "facets": {"festaf_dag": facet(dag=snapshot), **(job_facets or {})},
        },
        "inputs": list(inputs),
        "outputs": list(outputs),
    }


def dag_event(
    event_type: str = "COMPLETE",
    minutes: float = 11,
    *,
    day: int = 0,
    dag_id: str = DAG,
    number: int = 3,
    version: uuid.UUID = VERSION,
    next_run: str = "2026-03-02T00:00:00Z",
    inputs: tuple[Json, ...] = (),
) -> Json:
    """Give an event of a DAG run, as the scheduler sends it."""
    snapshot = {
        "dag_id": dag_id,
        "dag_version_id": str(version),
        "version_number": number,
        "bundle_name": "dags",
        "owners": ["data-team"],
        "schedule": "0 * * * *",
        "next_run": next_run,
    }
    return {
        "eventType": event_type,
        "eventTime": (at(minutes) + timedelta(days=day)).isoformat(),
        "producer": PRODUCER,
        "schemaURL": RUN_EVENT_SCHEMA,
        "run": {"runId": str(dag_run_of(day, dag_id)), "facets": {}},
        "job": {"namespace": NAMESPACE, "name": dag_id, "facets": {"festaf_dag": facet(dag=snapshot)}},
        "inputs": list(inputs),
        "outputs": [],
    }
