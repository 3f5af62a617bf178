"""Edges, their validity, and bounded walks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.contract.graph import Graph
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.graph.ground import EventGraph
from festaf.registry_api.graph.names import dataset_node, job_node
from festaf.registry_api.graph.service import GraphService
from festaf.registry_api.graph.walk import Walk
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.viewpoint import Viewpoint
from tests.registry_api.events import RICH, at, dataset, facet, feature_set, task_event, written

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry

LINEAGE = "/features/nyc/delays/dep_delay/lineage"
INGEST = "job:airflow-prod:flights_features.ingest"


def walk(registry: Registry, **query: Any) -> Graph:
    return Graph.model_validate(registry.get(LINEAGE, **query))


def into(graph: Graph, target: str) -> set[str]:
    return {edge.source for edge in graph.edges if edge.target == target}


def test_a_walk_goes_up_to_the_sources_and_down_to_the_readers(registry: Registry) -> None:
    registry.post(
        task_event(task="load", minutes=1, outputs=(dataset("flights.parquet"),)),
        task_event(inputs=(dataset("flights.parquet"),), outputs=(written(RICH),)),
        task_event(task="train", minutes=20, inputs=(feature_set(),), outputs=(dataset("model"),)),
    )

    graph = walk(registry)

    distance = {node.id: node.distance for node in graph.nodes}
    assert distance["feature:x-festaf://nyc:delays:dep_delay"] == 0
    assert distance["field:s3://raw:flights.parquet:dep_delay"] == -1
    assert distance["job:airflow-prod:flights_features.load"] < 0
    assert distance["dataset:s3://raw:model"] > 0
    assert graph.truncated is False
    declared = [edge for edge in graph.edges if edge.origin == "declared"]
    assert [(edge.source, edge.last_run) for edge in declared] == [
        ("field:s3://raw:flights.parquet:dep_delay", "scheduled__0")
    ]
    upstream = walk(registry, direction="upstream")
    assert {node.distance > 0 for node in upstream.nodes} == {False}


def test_a_complete_run_closes_what_it_no_longer_reads(registry: Registry) -> None:
    registry.post(task_event(inputs=(dataset("a"), dataset("b")), outputs=(written(RICH),)))
    registry.post(task_event(day=1, inputs=(dataset("a"),), outputs=(written(RICH),)))

    now, then = walk(registry), walk(registry, asOf=at(60).isoformat())

    assert into(now, INGEST) == {"dataset:s3://raw:a"}
    assert into(then, INGEST) == {"dataset:s3://raw:a", "dataset:s3://raw:b"}
    since = next(edge.since for edge in now.edges if edge.target == INGEST)
    assert since == at(10)


def test_a_run_that_has_not_completed_closes_nothing(registry: Registry) -> None:
    registry.post(task_event(inputs=(dataset("a"),), outputs=(written(RICH),)))
    registry.post(task_event("START", day=1, inputs=(dataset("b"),)), task_event("FAIL", day=2))

    assert into(walk(registry), INGEST) == {"dataset:s3://raw:a", "dataset:s3://raw:b"}


def test_a_run_that_fails_after_all_opens_again_what_it_had_closed(registry: Registry) -> None:
    registry.post(task_event(day=1, inputs=(dataset("a"),), outputs=(written(RICH),)))
    registry.post(task_event(inputs=(dataset("late"),), outputs=(written(RICH),)))
    assert into(walk(registry), INGEST) == {"dataset:s3://raw:a"}

    registry.post(task_event("FAIL", 20, day=1))

    assert into(walk(registry), INGEST) == {"dataset:s3://raw:a", "dataset:s3://raw:late"}


def test_a_complete_run_that_names_no_dataset_closes_nothing(registry: Registry) -> None:
    registry.post(task_event(inputs=(dataset("a"),), outputs=(written(RICH),)), task_event(day=1))

    assert into(walk(registry), INGEST) == {"dataset:s3://raw:a"}


def test_the_instances_of_a_mapped_task_stand_together(registry: Registry) -> None:
    for day, files in enumerate(("abc", "cd")):
        for index, name in enumerate(files):
            output = written(RICH)
            registry.post(
                task_event(day=day, minutes=10 + index, map_index=index, inputs=(dataset(name),), outputs=(output,))
            )

    assert into(walk(registry), INGEST) == {"dataset:s3://raw:c", "dataset:s3://raw:d"}


def test_a_newer_declaration_closes_the_sources_of_the_older(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)))
    registry.post(task_event(day=1, outputs=(written(RICH | {"sources": ["s3://raw/other"]}),)))

    feature = "feature:x-festaf://nyc:delays:dep_delay"
    assert "dataset:s3://raw:other" in into(walk(registry), feature)
    assert "field:s3://raw:flights.parquet:dep_delay" not in into(walk(registry), feature)
    assert "field:s3://raw:flights.parquet:dep_delay" in into(walk(registry, asOf=at(60).isoformat()), feature)


def test_column_lineage_becomes_edges_between_columns(registry: Registry) -> None:
    source = {"namespace": "s3://raw", "name": "f", "field": "x"}
    steps = [{"type": "DIRECT", "subtype": "AGGREGATION"}]
    columns = facet(fields={"dep_delay": {"inputFields": [source | {"transformations": steps}]}, "odd": 7})
    registry.post(
        task_event(
            outputs=(written({"name": "dep_delay", "type": "Integral"}) | {"facets": {"columnLineage": columns}},)
        )
    )

    edge = next(edge for edge in walk(registry).edges if edge.source == "field:s3://raw:f:x")

    assert (edge.origin, edge.transformation) == ("column_lineage", "DIRECT/AGGREGATION")
    assert registry.feature()["sources"][0]["uri"] == "s3://raw/f#x"


def test_a_walk_is_bounded_by_depth_and_by_nodes(registry: Registry) -> None:
    many = tuple(dataset(f"file{number:03}") for number in range(50))
    registry.post(task_event(inputs=many, outputs=(written(RICH),)))

    shallow, small = walk(registry, depth=1), walk(registry, limit=10)

    assert shallow.truncated is True
    assert {abs(node.distance) for node in shallow.nodes} == {0, 1}
    assert small.truncated is True
    assert len(small.nodes) == 10
    assert walk(registry).truncated is False


def test_a_circle_is_walked_once(registry: Registry) -> None:
    registry.post(task_event(inputs=(feature_set(),), outputs=(written(RICH),)))

    graph = walk(registry, depth=50)

    assert graph.truncated is False
    assert len({node.id for node in graph.nodes}) == len(graph.nodes)


def test_bounds_out_of_range_are_refused(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)))
    for wrong in ({"depth": 0}, {"limit": 100_000}, {"direction": "sideways"}, {"asOf": "2026-01-01T00:00:00"}):
        assert registry.ask(LINEAGE, **wrong).status_code == 422, wrong


def test_a_neighbour_that_one_may_not_see_is_a_stub_and_a_dead_end(registry: Registry) -> None:
    secret = dataset("salaries", "postgres://hr:5432")
    registry.post(
        task_event(task="load", inputs=(dataset("source"),), outputs=(secret,)),
        task_event(inputs=(secret, dataset("open")), outputs=(dataset("out"),)),
    )
    sight = Sight(projects=frozenset(), namespaces=frozenset({"s3://raw", "airflow-prod"}))

    def seen(limit: int) -> Graph:
        with registry.database.reading() as session:
            return Walk(EventGraph(session), dataset_node("s3://raw", "out"), limit, sight).go("upstream", 9)

    graph = seen(100)
    stub = next(node for node in graph.nodes if node.access == "restricted")
    assert (stub.kind, stub.namespace, stub.name, stub.distance) == ("dataset", None, None, -2)
    assert {node.name for node in graph.nodes} == {"out", "open", "flights_features.ingest", None}
    assert [edge.last_run for edge in graph.edges if edge.source == stub.id] == [None]
    assert "salaries" not in graph.model_dump_json()
    assert "hr" not in stub.id
    assert seen(100) == graph
    assert seen(3).truncated is True


def test_the_graph_is_given_as_it_was_known(registry: Registry) -> None:
    job = job_node("airflow-prod", "flights_features.ingest")
    events = (
        task_event(inputs=(dataset("a"), dataset("b")), outputs=(dataset("out"),)),
        task_event(day=1, inputs=(dataset("a"),), outputs=(dataset("out"),)),
        task_event(task="rename", outputs=(dataset("c", symlinks=facet(identifiers=[dataset("a")])),)),
    )
    for number, event in enumerate(events):
        with registry.database.writing() as session:
            LineageService(session, at(5000 + number)).take(event)

    def sources(**view: Any) -> set[str]:
        with registry.database.reading() as session:
            found = GraphService(session).neighbours([job], "source", Viewpoint(**view))
            return {item.node.name for item in found[job]}

    assert sources(known_at=at(4999)) == set()
    assert sources(known_at=at(5000)) == {"a", "b"}
    assert sources(known_at=at(5001)) == {"a"}
    assert sources(known_at=at(5002)) == sources() == {"c"}
    assert sources(known_at=at(5001), as_of=at(60)) == {"a", "b"}
