"""A shop's events, as some OpenLineage producer other than ours would send them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Json = dict[str, Any]
PRODUCER = "https://example.com/shop"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
POSTGRES = "postgres://h:5432"
BUCKET = "s3://bucket"
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return DAY + timedelta(minutes=minutes)


def run_id(number: int) -> UUID:
    return UUID(f"0195f000-0000-7000-8000-{number:012d}")


def facet(**body: Any) -> Json:
    return {"_producer": PRODUCER, "_schemaURL": f"{PRODUCER}/facet.json", **body}


def dataset(name: str, namespace: str, **facets: Json) -> Json:
    return {"namespace": namespace, "name": name, "facets": facets}


def event(
    kind: str,
    job: str,
    minutes: float,
    number: int,
    *,
    inputs: tuple[Json, ...] = (),
    outputs: tuple[Json, ...] = (),
    job_facets: Json | None = None,
    run_facets: Json | None = None,
    namespace: str = "shop",
) -> Json:
    return {
        "eventType": kind,
        "eventTime": at(minutes).isoformat(),
        "producer": PRODUCER,
        "schemaURL": f"{SPEC}RunEvent",
        "run": {"runId": str(run_id(number)), "facets": run_facets or {}},
        "job": {"namespace": namespace, "name": job, "facets": job_facets or {}},
        "inputs": list(inputs),
        "outputs": list(outputs),
    }


def dataset_event(minutes: float, about: Json) -> Json:
    return {
        "eventTime": at(minutes).isoformat(),
        "producer": PRODUCER,
        "schemaURL": f"{SPEC}DatasetEvent",
        "dataset": about,
    }


def job_event(minutes: float, job: str, **facets: Json) -> Json:
    return {
        "eventTime": at(minutes).isoformat(),
        "producer": PRODUCER,
        "schemaURL": f"{SPEC}JobEvent",
        "job": {"namespace": "shop", "name": job, "facets": facets},
        "inputs": [],
        "outputs": [],
    }


CODE = "def add():\n    return 1\n"
ODD = facet(anything={"a": [1, {"b": None}], "ünïcode": "✓"})
SCHEMA = facet(
    fields=[
        {"name": "id", "type": "INT"},
        {"name": "address", "type": "struct", "fields": [{"name": "city", "type": "text", "description": "where"}]},
        {"name": "total", "type": "DOUBLE", "description": "sum"},
    ]
)
ORDERS = dataset(
    "public.orders",
    POSTGRES,
    schema=SCHEMA,
    dataSource=facet(name="shop-db", uri="postgres://h:5432/shop"),
    documentation=facet(description="all orders"),
    tags=facet(
        tags=[
            {"key": "pii", "value": "true", "source": "dbt", "field": "address"},
            {"key": "team", "value": "sea", "source": "dbt"},
        ]
    ),
    odd=ODD,
)
DAILY = dataset(
    "a/b",
    BUCKET,
    schema=facet(fields=[{"name": "total", "type": "DOUBLE"}]),
    columnLineage=facet(
        fields={
            "total": {
                "inputFields": [
                    {
                        "namespace": POSTGRES,
                        "name": "public.orders",
                        "field": "total",
                        "transformations": [{"type": "DIRECT", "subtype": "AGGREGATION"}],
                    }
                ]
            }
        }
    ),
)
FEATURES = dataset(
    "delays",
    "x-festaf://nyc",
    schema=facet(fields=[{"name": "mean_total", "type": "double"}]),
    columnLineage=facet(
        fields={"mean_total": {"inputFields": [{"namespace": BUCKET, "name": "a/b", "field": "total"}]}}
    ),
)
JOB = {
    "sourceCode": facet(language="python", sourceCode=CODE),
    "sourceCodeLocation": facet(type="git", url="https://example.com/z.py", version="abc"),
    "documentation": facet(description="adds up"),
    "jobType": facet(processingType="BATCH", integration="AIRFLOW", jobType="TASK"),
}
PARENT = facet(run={"runId": str(run_id(900))}, job={"namespace": "shop", "name": "etl"})


def versioned(about: Json, version: str) -> Json:
    return {**about, "facets": {**about["facets"], "version": facet(datasetVersion=version)}}


def shop() -> list[Json]:
    """Give the events by the time at which they happened."""
    nominal = facet(nominalStartTime=at(100).isoformat())
    events = [
        event("START", "load", 0, 1),
        event("COMPLETE", "load", 5, 1, outputs=(ORDERS,)),
        event("START", "etl.daily", 100, 2, inputs=(ORDERS,), run_facets={"nominalTime": nominal, "parent": PARENT}),
        event("COMPLETE", "etl.daily", 102, 2, outputs=(versioned(DAILY, "v1"),), job_facets=JOB),
        event("START", "etl.daily", 200, 3, inputs=(ORDERS,), run_facets={"parent": PARENT}),
        event("FAIL", "etl.daily", 203, 3, outputs=(DAILY,), run_facets={"errorMessage": facet(message="no")}),
        event("START", "etl.daily", 300, 4, inputs=(ORDERS,), run_facets={"parent": PARENT}),
        event("COMPLETE", "etl.daily", 302, 4, outputs=(versioned(DAILY, "v2"),), job_facets=JOB),
        event("START", "features", 400, 5, inputs=(dataset("a/b", BUCKET),)),
        event("COMPLETE", "features", 403, 5, outputs=(FEATURES,)),
        event("START", "stream", 410, 6, job_facets={"jobType": facet(processingType="STREAMING")}),
        dataset_event(500, dataset("public.orders", POSTGRES, documentation=facet(description="every order"))),
        dataset_event(501, dataset("public.orders", POSTGRES, dataSource=facet(_deleted=True), late=facet(x=1))),
        dataset_event(502, dataset("public.orders", POSTGRES, late=facet(_deleted=True))),
        job_event(510, "etl.daily", ownership=facet(owners=[{"name": "team:sea"}])),
    ]
    return [dict(item) for item in events]
