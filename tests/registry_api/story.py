"""A story of events in which everything happens: late facts, contradictions, retries, a deletion, a return."""

from __future__ import annotations

from typing import Any

from tests.registry_api.events import (
    RICH,
    SOURCE,
    VERSION,
    Json,
    at,
    dag_event,
    dataset,
    declaration,
    defined,
    facet,
    feature_set,
    task_event,
    written,
)

CHANGED = RICH | {"owner": "bob", "sources": ["s3://raw/flights.parquet#dep_delay", "s3://raw/weather.parquet"]}
BARE = declaration()
OTHER = declaration("arr_delay", technique="max", sources=["s3://raw/flights.parquet#arr_delay"])
FLIGHTS = dataset("flights.parquet", schema=facet(fields=[{"name": "dep_delay", "type": "double"}]))
WEATHER = dataset("weather.parquet")
COLUMNS = facet(
    fields={
        "dep_delay": {
            "inputFields": [
                {
                    "namespace": "s3://raw",
                    "name": "flights.parquet",
                    "field": "dep_delay",
                    "transformations": [{"type": "DIRECT", "subtype": "AGGREGATION"}],
                }
            ]
        }
    }
)


def _plain_output(**facets: Json) -> Json:
    return feature_set("plain", "nyc", **facets)


def story() -> list[Json]:
    """Give the events by the time at which they happened."""
    schema = facet(fields=[{"name": "level", "type": "double", "description": "metres"}])
    owned = facet(owners=[{"name": "team:sea", "type": "OWNER"}])
    masked = facet(owners=[{"name": "***"}])
    columns = written(RICH) | {"facets": {"columnLineage": COLUMNS}}
    dataset_event: dict[str, Any] = {
        "eventTime": at(3000).isoformat(),
        "producer": "https://example.com/catalog",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent",
        "dataset": _plain_output(ownership=owned, documentation=facet(description="tides of the harbour")),
    }
    job_event: dict[str, Any] = {
        "eventTime": at(3001).isoformat(),
        "producer": "https://example.com/catalog",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent",
        "job": {"namespace": "spark", "name": "report", "facets": {}},
        "inputs": [feature_set()],
        "outputs": [dataset("report", "s3://out")],
    }
    return [
        task_event("COMPLETE", 1, task="create", outputs=(defined(RICH, OTHER, owner="team"),)),
        dag_event("START", 2),
        task_event("START", 5, inputs=(FLIGHTS,), source=None),
        task_event("RUNNING", 6, inputs=(WEATHER,), source=None),
        task_event("COMPLETE", 10, inputs=(FLIGHTS,), outputs=(columns,)),
        dag_event("COMPLETE", 11),
        task_event("COMPLETE", 60, dag_id="flights_training", task="train", inputs=(feature_set(),), source="train()"),
        # A second day with new code; the first try fails after it wrote, the second declares nothing.
        task_event("FAIL", 10, day=1, outputs=(written(CHANGED, accepted=3),), source=SOURCE + "#"),
        task_event("COMPLETE", 20, day=1, try_number=2, outputs=(written(BARE, OTHER),), source=SOURCE + "#"),
        dag_event("COMPLETE", 21, day=1, number=4, version=VERSION.__class__(int=VERSION.int + 1)),
        # A run that was marked failed after it had completed, and one that accepted nothing.
        task_event("COMPLETE", 30, task="marked", outputs=(written(declaration("ghost", owner="x")),)),
        task_event("FAIL", 31, task="marked"),
        task_event("COMPLETE", 40, task="empty", outputs=(written(declaration("idle", owner="y"), accepted=0),)),
        # A set that only OpenLineage's own facets speak of.
        task_event("COMPLETE", 50, task="plain", outputs=(_plain_output(schema=schema, ownership=masked),)),
        task_event("COMPLETE", 55, task="unlisted", outputs=(_plain_output(),)),
        dataset_event,
        job_event,
        # Retired, and made again with another declaration.
        task_event("COMPLETE", 30, task="delete", day=2, outputs=(defined(deleted=True),)),
        task_event("COMPLETE", 31, task="create", day=2, outputs=(defined(CHANGED),)),
        # The task now reads something else; the mapped instances of another read one file each.
        task_event("COMPLETE", 40, day=2, inputs=(WEATHER,), outputs=(written(CHANGED),), source=SOURCE + "#"),
        task_event("COMPLETE", 50, day=2, task="mapped", map_index=0, inputs=(dataset("a"),), outputs=(dataset("z"),)),
        task_event("COMPLETE", 51, day=2, task="mapped", map_index=1, inputs=(dataset("b"),), outputs=(dataset("z"),)),
        task_event("ABORT", 52, day=2, task="skipped"),
    ]
