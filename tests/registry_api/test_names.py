"""One dataset that is known by several names, and names that change what they mean."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from festaf.registry_api.access.sight import EVERYTHING
from festaf.registry_api.database import Database
from festaf.registry_api.graph.ground import EventGraph
from festaf.registry_api.graph.names import dataset_node
from festaf.registry_api.graph.service import GraphService
from festaf.registry_api.graph.walk import Walk
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.viewpoint import Viewpoint
from tests.registry_api.databases import with_schema
from tests.registry_api.events import (
    DAY,
    Json,
    at,
    dataset,
    declaration,
    defined,
    facet,
    feature_set,
    task_event,
    written,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from festaf.contract.graph import Graph
    from tests.registry_api.conftest import Registry

HIVE = "hive://metastore:9083"


def named(name: str, *others: str) -> Json:
    """Give a file that is known as tables, too."""
    identifiers = [{"namespace": HIVE, "name": other, "type": "TABLE"} for other in others]
    return dataset(name, symlinks=facet(identifiers=identifiers))


def table(name: str) -> Json:
    return dataset(name, HIVE)


def renamed(new: str, old: str) -> Json:
    previous = {"namespace": "s3://raw", "name": old}
    return dataset(new, lifecycleStateChange=facet(lifecycleStateChange="RENAME", previousIdentifier=previous))


def changed(name: str, change: str) -> Json:
    return dataset(name, lifecycleStateChange=facet(lifecycleStateChange=change))


def walk(session: Session, name: str, namespace: str = "s3://raw", day: float | None = None) -> Graph:
    as_of = None if day is None else at(0) + timedelta(days=day)
    asked = dataset_node(namespace, name)
    root = GraphService(session).resolve([asked], Viewpoint(as_of))[asked]
    return Walk(EventGraph(session, Viewpoint(as_of)), root, 100, EVERYTHING).go("both", 10)


def shown(registry: Registry, name: str, namespace: str = "s3://raw", day: float | None = None) -> set[str]:
    with registry.database.reading() as session:
        return {node.name or "" for node in walk(session, name, namespace, day).nodes if node.kind == "dataset"}


def write(source: Json, target: Json, **more: Any) -> Json:
    return task_event(inputs=(source,), outputs=(target,), **more)


def test_one_dataset_of_two_names_is_one_node(registry: Registry) -> None:
    registry.post(
        write(dataset("raw"), dataset("file"), task="load"),
        write(table("sales"), dataset("report"), task="read", minutes=20),
    )
    assert shown(registry, "report") == {"sales", "report"}

    registry.post(task_event("START", 30, task="other", inputs=(named("file", "sales"),)))

    assert shown(registry, "report") == {"raw", "file", "report"}
    assert shown(registry, "sales", HIVE) == shown(registry, "file") == shown(registry, "raw")


def test_a_chain_of_names_is_one_node(registry: Registry) -> None:
    registry.post(
        task_event("START", 1, task="a", inputs=(named("one", "t"),)),
        task_event("START", 2, task="b", inputs=(named("two", "t", "u"),)),
        write(table("u"), dataset("out"), task="c"),
        write(dataset("in"), dataset("two"), task="d"),
    )

    assert shown(registry, "out") == {"in", "one", "out"}


def columns(target: Json, source: Json, column: str = "price") -> Json:
    """Say that a column of a dataset is made from the column of another."""
    origin = {"namespace": source["namespace"], "name": source["name"], "field": column}
    return target | {"facets": {"columnLineage": facet(fields={column: {"inputFields": [origin]}})}}


def test_columns_are_followed_whichever_name_of_their_dataset_was_said_with_them(registry: Registry) -> None:
    registry.post(
        task_event("START", 1, task="other", inputs=(named("file", "sales", "turnover"),)),
        write(dataset("raw"), columns(table("sales"), dataset("raw")), task="load"),
        write(dataset("more"), columns(table("turnover"), dataset("more")), task="add"),
        write(table("sales"), columns(feature_set("plain"), table("sales")), task="plain", minutes=20),
        task_event("COMPLETE", 30, task="list", outputs=(defined(declaration("price"), name="plain"),)),
    )

    graph = registry.get("/features/nyc/plain/price/lineage")

    edges = {(edge["source"], edge["target"]) for edge in graph["edges"]}
    file = "field:s3://raw:file:price"
    assert edges >= {
        (file, "feature:x-festaf://nyc:plain:price"),
        ("field:s3://raw:raw:price", file),
        ("field:s3://raw:more:price", file),
        ("dataset:s3://raw:file", file),
    }
    assert not [node for node in graph["nodes"] if node["namespace"] == HIVE]
    columns_read = registry.get("/column-lineage", nodeId="dataset:x-festaf://nyc:plain")["graph"]
    assert {node["id"] for node in columns_read} >= {f"datasetField:s3://raw:{name}:price" for name in ("file", "raw")}
    behind = registry.get("/column-lineage", nodeId="datasetField:s3://raw:raw:price", withDownstream=True)["graph"]
    ends = {"datasetField:s3://raw:raw:price", "datasetField:s3://raw:file:price"}
    assert {node["id"] for node in behind} == ends | {"datasetField:x-festaf://nyc:plain:price"}


@pytest.mark.parametrize("view", [{}, {"asOf": (at(0) + timedelta(days=3)).isoformat()}])
def test_a_source_that_an_author_declared_is_its_dataset_under_each_name(
    registry: Registry, view: dict[str, str]
) -> None:
    registry.post(
        write(dataset("raw"), columns(dataset("file"), dataset("raw")), task="load"),
        task_event("START", 1, task="other", inputs=(named("file", "sales"),)),
        task_event(
            task="make", outputs=(written(declaration("total", sources=[f"{HIVE}/sales#price"]), name="plain"),)
        ),
    )
    feature, file = "feature:x-festaf://nyc:plain:total", "field:s3://raw:file:price"

    upstream = registry.get("/features/nyc/plain/total/lineage", direction="upstream", **view)
    answer = registry.get("/features/nyc/plain/total", **view)
    drawn = registry.get("/column-lineage", nodeId="datasetField:s3://raw:raw:price", withDownstream=True, **view)

    edges = {(edge["source"], edge["target"]): edge["origin"] for edge in upstream["edges"]}
    assert (edges[file, feature], edges["field:s3://raw:raw:price", file]) == ("declared", "column_lineage")
    assert [(source["uri"], source["origin"]) for source in answer["sources"]] == [("s3://raw/file#price", "declared")]
    assert "datasetField:x-festaf://nyc:plain:total" in {node["id"] for node in drawn["graph"]}


def test_a_renamed_dataset_is_shown_by_the_name_of_the_time(registry: Registry) -> None:
    registry.post(
        write(dataset("raw"), dataset("old"), task="load"),
        task_event(task="rename", day=1, outputs=(renamed("new", "old"),)),
        write(dataset("new"), dataset("report"), task="read", day=2),
    )

    assert shown(registry, "report") == {"raw", "new", "report"}
    assert shown(registry, "old") == {"raw", "new", "report"}
    assert shown(registry, "old", day=0.5) == {"raw", "old"}


def test_a_rename_that_failed_renames_nothing(registry: Registry) -> None:
    registry.post(
        write(dataset("raw"), dataset("old"), task="load"),
        task_event("START", task="rename", day=1, outputs=(renamed("new", "old"),)),
        task_event("FAIL", 20, task="rename", day=1),
    )

    assert shown(registry, "raw") == {"raw", "old"}


def test_a_name_may_mean_another_dataset_after_a_swap(registry: Registry) -> None:
    registry.post(
        write(dataset("first"), dataset("table"), task="load"),
        write(dataset("second"), dataset("staging"), task="load_again"),
        task_event(task="put_away", day=1, minutes=10, outputs=(renamed("backup", "table"),)),
        task_event(task="put_in", day=1, minutes=11, outputs=(renamed("table", "staging"),)),
        write(dataset("table"), dataset("report"), task="read", day=2),
    )

    assert shown(registry, "report") == {"second", "table", "report"}
    assert shown(registry, "backup") == {"first", "backup"}
    assert shown(registry, "first", day=0.5) == {"first", "table"}


def test_a_dropped_dataset_says_so_until_it_is_written_again(registry: Registry) -> None:
    def access() -> dict[str | None, str]:
        with registry.database.reading() as session:
            return {node.name: node.access for node in walk(session, "out").nodes}

    registry.post(
        write(dataset("in"), dataset("out"), task="load"),
        task_event(task="drop", day=1, outputs=(changed("in", "DROP"), changed("out", "TRUNCATE"))),
    )
    assert access() == {"in": "deleted", "out": "accessible", "flights_features.load": "accessible"}

    registry.post(write(dataset("x"), dataset("in"), task="fill", day=2))
    assert access()["in"] == "accessible"


@pytest.mark.parametrize("state", ["START", "COMPLETE"])
def test_a_dropped_dataset_may_have_another_name_and_nothing_else_said_of_it(registry: Registry, state: str) -> None:
    dropped = named("flights.parquet", "flights")
    dropped["facets"] |= changed("flights.parquet", "DROP")["facets"]
    registry.post(task_event(state, 10, outputs=(dropped,)))

    registry.post(task_event(minutes=5, task="load", inputs=(table("flights"),), outputs=(written(declaration()),)))
    (source,) = registry.feature()["sources"]
    assert source["access"] == ("deleted" if state == "COMPLETE" else "accessible")


def test_any_order_of_names_and_edges_gives_the_same_graph(tmp_path: Path) -> None:
    events = [
        write(dataset("raw"), dataset("old"), task="load"),
        write(table("sales"), dataset("report"), task="read", minutes=20),
        task_event("START", 30, task="other", inputs=(named("new", "sales", "turnover"),)),
        task_event("START", task="rename", day=1, outputs=(renamed("new", "old"),)),
        task_event("COMPLETE", 40, task="rename", day=1, outputs=(renamed("new", "old"),)),
        write(table("turnover"), dataset("again"), task="more", day=2),
        task_event(task="drop", day=3, outputs=(changed("again", "DROP"),)),
    ]
    told: list[Any] = []
    for seed in range(4):
        shuffled = [*random.Random(seed).sample(events, len(events)), events[seed]]
        database = with_schema(Database(f"sqlite:///{tmp_path / str(seed)}.db"))
        with database.writing() as session:
            service = LineageService(session, DAY)
            for event in shuffled if seed else events:
                service.take(event)
        with database.reading() as session:
            told.append([walk(session, "report"), walk(session, "report", day=0.5), walk(session, "again")])
        database.close()

    assert told[1:] == told[:-1]
    assert {node.name for node in told[0][0].nodes if node.kind == "dataset"} == {"raw", "new", "report"}
    assert {node.access for node in told[0][2].nodes if node.name == "again"} == {"deleted"}
