"""What an OpenLineage consumer has to get right: twelve behaviours that another one fails, and the traps beside them.

Two of the twelve, explicit lineage and the closing of stale edges, are in ``test_edge_origins`` and ``test_graph`` too.
The events have the shapes that Airflow's provider, Spark, dbt, Flink and Feast send.
"""

from __future__ import annotations

import gzip
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from festaf.registry_api.access.sight import EVERYTHING
from festaf.registry_api.graph.ground import EventGraph
from festaf.registry_api.graph.names import dataset_node, job_node
from festaf.registry_api.graph.walk import Walk
from festaf.registry_api.lineage.tables import EventTable
from tests.registry_api.events import RICH, Json, at, dataset, facet, run_of, task_event, written

if TYPE_CHECKING:
    from festaf.contract.graph import Graph
    from festaf.registry_api.graph.names import NodeName
    from tests.registry_api.conftest import Registry

JSON = {"Content-Type": "application/json"}
GOOD = task_event(outputs=(written(RICH),))
PRODUCER = "https://github.com/OpenLineage/OpenLineage/tree/1.40.0/integration/"


def _events(registry: Registry) -> int:
    with registry.database.reading() as session:
        return session.scalar(select(func.count()).select_from(EventTable)) or 0


def walk(registry: Registry, root: NodeName) -> Graph:
    with registry.database.reading() as session:
        return Walk(EventGraph(session), root, 100, EVERYTHING).go("upstream", 10)


def upstream(registry: Registry, root: NodeName) -> set[str]:
    """Give the datasets that go into a node."""
    return {f"{node.namespace}/{node.name}" for node in walk(registry, root).nodes if node.kind == "dataset"} - {
        f"{root.namespace}/{root.name}"
    }


def event(job: str, run: int, *, namespace: str, state: str = "COMPLETE", minutes: float = 10, **more: Any) -> Json:
    """Give a run event of another integration."""
    return {
        "eventType": state,
        "eventTime": at(minutes).isoformat(),
        "producer": PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": str(uuid.UUID(int=run)), "facets": more.pop("run_facets", {})},
        "job": {"namespace": namespace, "name": job, "facets": more.pop("job_facets", {})},
        "inputs": list(more.pop("inputs", ())),
        "outputs": list(more.pop("outputs", ())),
        **more,
    }


def inside(run: int, job: str, namespace: str, root: tuple[int, str] | None = None) -> Json:
    body: Json = {"run": {"runId": str(uuid.UUID(int=run))}, "job": {"namespace": namespace, "name": job}}
    if root:
        body["root"] = {
            "run": {"runId": str(uuid.UUID(int=root[0]))},
            "job": {"namespace": namespace, "name": root[1]},
        }
    return {"parent": facet(**body)}


def test_the_same_event_twice_is_one_fact(registry: Registry) -> None:
    registry.post(GOOD)
    before = registry.feature()
    registry.post(GOOD, json.loads(json.dumps(GOOD, sort_keys=True)))

    after = registry.feature()
    for answer in (before, after):
        answer["when"].pop("freshness", None)  # Its age is counted from now.
    assert _events(registry) == 1
    assert after == before


def test_a_late_start_does_not_reopen_a_run(registry: Registry) -> None:
    registry.post(task_event("COMPLETE", 10), task_event("START", 5))

    run = registry.get(f"/runs/{run_of()}")

    assert run["state"] == "COMPLETE"
    assert run["ended_at"] == "2026-03-01T00:10:00Z"
    assert run["started_at"] == "2026-03-01T00:05:00Z"


def test_facets_of_different_events_add_up(registry: Registry) -> None:
    schema = facet(fields=[{"name": "a", "type": "int"}])
    registry.post(
        task_event("START", 5, outputs=(dataset("out", schema=schema),)),
        task_event("COMPLETE", 10, outputs=(dataset("out", version=facet(datasetVersion="7")),)),
    )

    outputs = registry.get(f"/runs/{run_of()}")["outputs"]

    assert sorted(outputs[0]["facets"]) == ["schema", "version"]


def test_a_deleted_facet_is_gone(registry: Registry) -> None:
    registry.post(
        task_event("START", 5, job_facets={"documentation": facet(description="old")}),
        task_event("COMPLETE", 10, job_facets={"documentation": facet(_deleted=True)}),
    )

    assert "documentation" not in registry.get(f"/runs/{run_of()}")["job_facets"]


def test_a_compressed_event_is_taken(registry: Registry) -> None:
    answer = registry.http.post(
        "/api/v1/lineage",
        content=gzip.compress(json.dumps(GOOD).encode()),
        headers=JSON | {"Content-Encoding": "gzip"},
    )

    assert answer.status_code == 201
    assert answer.content == b""
    assert registry.feature()["who"]["owner"] == "ann"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param({**GOOD, "run": {"facets": {}}}, "runId", id="missing run id"),
        pytest.param({**GOOD, "eventType": "BANANA"}, "eventType", id="unknown state"),
        pytest.param({**GOOD, "run": "x"}, "run", id="malformed run"),
        pytest.param({"hello": 1}, "run", id="garbage"),
    ],
)
def test_what_cannot_be_an_event_is_the_senders_fault(registry: Registry, body: Json, named: str) -> None:
    answer = registry.http.post("/api/v1/lineage", json=body)

    assert answer.status_code == 422
    assert named in answer.text
    assert _events(registry) == 0


def test_a_namespace_with_slashes_and_a_port_is_a_namespace(registry: Registry) -> None:
    source = dataset("db.public.orders", "postgres://db.internal:5432")
    registry.post(task_event(inputs=(source,), outputs=(dataset("a/b/c", "abfss://lake@x.dfs.core/y/z"),)))

    assert upstream(registry, dataset_node("abfss://lake@x.dfs.core/y/z", "a/b/c")) == {
        "postgres://db.internal:5432/db.public.orders"
    }


def test_a_later_event_without_inputs_takes_none_back(registry: Registry) -> None:
    registry.post(
        task_event("START", 5, inputs=(dataset("in"),), outputs=(dataset("out"),)),
        task_event("RUNNING", 6),
        task_event("COMPLETE", 10),
    )

    assert upstream(registry, dataset_node("s3://raw", "out")) == {"s3://raw/in"}


@pytest.mark.parametrize("end", ["START", "RUNNING", "ABORT", "FAIL", "OTHER", "COMPLETE"])
def test_only_a_complete_run_closes_what_it_no_longer_reads(registry: Registry, end: str) -> None:
    registry.post(
        task_event(inputs=(dataset("old"),), outputs=(dataset("out"),)),
        task_event(end, day=1, inputs=(dataset("new"),), outputs=(dataset("out"),)),
    )

    found = upstream(registry, dataset_node("s3://raw", "out"))
    assert found == {"s3://raw/new"} | (set() if end == "COMPLETE" else {"s3://raw/old"})


def test_masked_owners_and_odd_tags_of_airflow_say_nothing(registry: Registry) -> None:
    dag = {"dag_id": "d", "owner": "***", "tags": "[]", "timetable": {}}
    facets = {"ownership": facet(owners=[{"name": "***"}])}
    registry.post(
        task_event(
            outputs=(written(RICH | {"owner": None}),), job_facets=facets, run_facets={"airflow": facet(dag=dag)}
        )
    )

    assert registry.feature()["who"]["owner"] is None
    assert registry.get(f"/runs/{run_of()}")["facets"]["airflow"]["dag"]["tags"] == "[]"


def test_a_stream_that_never_ends_has_edges(registry: Registry) -> None:
    """Flink: a job of the kind STREAMING that says every few minutes what it reads and writes."""
    kafka, job = "kafka://broker-1:9092", job_node("flink-jobs", "clicks")

    def beat(minutes: float, topic: str, mode: str) -> Json:
        pattern = {"eventTrigger": "PERIODIC", "eventContentMode": mode, "windowDuration": 60}
        kind = facet(processingType="STREAMING", integration="FLINK", jobType="JOB", emissionPattern=pattern)
        return event(
            "clicks",
            1 if mode == "ACCUMULATIVE" else 2,
            namespace="flink-jobs",
            state="RUNNING",
            minutes=minutes,
            inputs=[dataset(topic, kafka, schema=facet(fields=[{"name": "id", "type": "long"}]))],
            outputs=[dataset("clicks_by_hour", kafka)],
            run_facets={"checkpoints": facet(completed=int(minutes), failed=0)},
            job_facets={"jobType": kind},
        )

    registry.post(beat(1, "clicks", "ACCUMULATIVE"), beat(2, "views", "ACCUMULATIVE"))
    assert upstream(registry, job) == {f"{kafka}/clicks", f"{kafka}/views"}

    registry.post(beat(4, "taps", "COMPLETE_SNAPSHOT"), beat(3, "swipes", "COMPLETE_SNAPSHOT"))
    assert upstream(registry, job) == {f"{kafka}/clicks", f"{kafka}/views", f"{kafka}/taps"}


def test_events_of_spark_are_understood(registry: Registry) -> None:
    """A write into a table at a path, with its catalog name, column lineage, and the application as its parent."""
    path = {"namespace": "s3://lake", "name": "warehouse/sales"}
    whole = {"namespace": "s3://lake", "name": "raw/currency", "field": "code"}
    columns = facet(
        fields={
            "amount": {
                "inputFields": [
                    {
                        "namespace": "s3://lake",
                        "name": "raw/orders",
                        "field": "amount",
                        "transformations": [{"type": "DIRECT", "subtype": "AGGREGATION", "masking": False}],
                    }
                ]
            }
        },
        dataset=[whole | {"transformations": [{"type": "INDIRECT", "subtype": "JOIN"}]}],
    )
    identifiers = [{"namespace": "hive://metastore:9083", "name": "shop.sales", "type": "TABLE"}]
    output: Json = {
        **path,
        "facets": {"columnLineage": columns, "symlinks": facet(identifiers=identifiers)},
        "outputFacets": {"outputStatistics": facet(rowCount=3, size=100)},
    }
    registry.post(
        event("shop", 10, namespace="spark", state="START", minutes=1),
        event("shop.insert", 11, namespace="spark", state="START", run_facets=inside(10, "shop", "spark", (9, "flow"))),
        event(
            "shop.insert",
            11,
            namespace="spark",
            run_facets={"spark_properties": facet(properties={})},
            inputs=[dataset(f"raw/{name}", "s3://lake") for name in ("orders", "currency", "unused")],
            outputs=[output],
        ),
    )

    assert upstream(registry, dataset_node("s3://lake", "warehouse/sales")) == {
        "s3://lake/raw/orders",
        "s3://lake/raw/currency",
    }
    run = registry.get(f"/runs/{uuid.UUID(int=11)}")
    assert (run["parent"]["job"], run["parent"]["state"]) == ("shop", "START")
    assert (run["root"]["job"], run["root"]["state"]) == ("flow", None)


def test_events_of_dbt_are_understood(registry: Registry) -> None:
    """Each model is a job of its own inside the run of the command, which ends after it."""
    server, job = "postgres://db:5432", "shop.analytics.my_project.daily"
    columns = facet(fields={"day": {"inputFields": [{"namespace": server, "name": "shop.raw.orders", "field": "at"}]}})
    registry.post(
        event(
            job,
            21,
            namespace="dbt",
            run_facets=inside(20, "dbt-run-my_project", "dbt"),
            job_facets={"sql": facet(query="select 1"), "jobType": facet(processingType="BATCH", integration="DBT")},
            inputs=[dataset("shop.raw.orders", server)],
            outputs=[dataset("shop.analytics.daily", server, columnLineage=columns)],
        ),
        event("dbt-run-my_project", 20, namespace="dbt", minutes=11),
    )

    assert upstream(registry, dataset_node(server, "shop.analytics.daily")) == {f"{server}/shop.raw.orders"}
    run = registry.get(f"/runs/{uuid.UUID(int=21)}")
    assert run["parent"] == run["root"]
    assert run["parent"]["state"] == "COMPLETE"


def test_events_of_feast_are_understood(registry: Registry) -> None:
    """A feature view is a job from its sources to a dataset of the project; its own facets are kept as they are."""
    view = facet(name="driver_stats", ttlSeconds=86400, features=["trips"])
    happened = event(
        "feature_view_driver_stats",
        31,
        namespace="feast/my_project",
        job_facets={"feast_featureView": view},
        inputs=[dataset("driver_stats_source", "feast/my_project")],
        outputs=[dataset("online_store_driver_stats", "feast/my_project")],
    )
    registry.post({**happened, "eventType": "START"}, happened, {**happened, "eventType": "OTHER"})

    assert upstream(registry, dataset_node("feast/my_project", "online_store_driver_stats")) == {
        "feast/my_project/driver_stats_source"
    }
    assert registry.get(f"/runs/{uuid.UUID(int=31)}")["job_facets"]["feast_featureView"] == view


def test_parents_and_roots_join_in_any_order(registry: Registry) -> None:
    registry.post(event("leaf", 43, namespace="n", run_facets=inside(42, "middle", "n")))
    assert registry.get(f"/runs/{uuid.UUID(int=43)}")["root"]["job"] == "middle"

    registry.post(event("middle", 42, namespace="n", run_facets=inside(41, "top", "n")))
    registry.post(event("top", 41, namespace="n", state="FAIL", run_facets=inside(43, "leaf", "n")))

    run = registry.get(f"/runs/{uuid.UUID(int=43)}")
    assert (run["parent"]["job"], run["root"]["job"], run["root"]["state"]) == ("middle", "top", "FAIL")
