"""What says an edge, and which of several that contradict each other is believed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from festaf.registry_api.access.sight import EVERYTHING
from festaf.registry_api.graph.ground import EventGraph
from festaf.registry_api.graph.names import dataset_node, job_node
from festaf.registry_api.graph.walk import Direction, Walk
from festaf.registry_api.viewpoint import Viewpoint
from tests.registry_api.events import DAG, NAMESPACE, RICH, Json, at, dataset, facet, task_event, written

if TYPE_CHECKING:
    from festaf.contract.graph import Graph
    from festaf.registry_api.graph.names import NodeName
    from tests.registry_api.conftest import Registry

RAW = "s3://raw"
A, B, C, D = (dataset(name) for name in "ABCD")
JOB = job_node(NAMESPACE, f"{DAG}.ingest")


def node(name: str, column: str | None = None) -> NodeName:
    return dataset_node(RAW, name, column)


def walk(registry: Registry, root: NodeName, direction: Direction = "upstream", day: float | None = None) -> Graph:
    as_of = None if day is None else at(0) + timedelta(days=day)
    with registry.database.reading() as session:
        return Walk(EventGraph(session, Viewpoint(as_of)), root, 100, EVERYTHING).go(direction, 10)


def reached(graph: Graph) -> set[str]:
    """Give the datasets and columns that a walk came to, without the root."""
    return {item.id.split(":", 3)[-1] for item in graph.nodes if item.kind in {"dataset", "field"} and item.distance}


def edges(graph: Graph) -> set[tuple[str, str, str]]:
    return {(edge.source.split(":")[-1], edge.target.split(":")[-1], edge.origin) for edge in graph.edges}


def end(name: str, column: str | None = None, **more: Any) -> Json:
    """Give one end of an explicit edge."""
    return {"namespace": RAW, "name": name, "type": "DATASET", **({"field": column} if column else {}), **more}


def explicit(*entries: Json) -> Json:
    return {"lineage": facet(entries=list(entries))}


def columns(*sources: tuple[str, str], whole: tuple[tuple[str, str], ...] | None = None, **more: Any) -> Json:
    inputs = [{"namespace": RAW, "name": name, "field": column} for name, column in sources]
    body: Json = {"fields": {"x": {"inputFields": inputs, **more}}}
    if whole is not None:
        body["dataset"] = [{"namespace": RAW, "name": name, "field": column} for name, column in whole]
    return facet(**body)


def test_explicit_lineage_is_believed_before_inputs_and_outputs(registry: Registry) -> None:
    facets = explicit(end("C", inputs=[end("A")]), end("D", inputs=[end("B")]))
    registry.post(task_event(inputs=(A, B), outputs=(C, D), job_facets=facets))

    assert reached(walk(registry, node("D"))) == {"B"}
    assert reached(walk(registry, node("A"), "downstream")) == {"C"}
    assert ("B", "D", "lineage_facet") in edges(walk(registry, node("D")))
    assert reached(walk(registry, JOB, "both")) == {"A", "B", "C", "D"}


def test_a_job_stays_in_the_graph_of_what_it_wrote(registry: Registry) -> None:
    registry.post(task_event(inputs=(A, B), outputs=(C,), job_facets=explicit(end("C", inputs=[end("A")]))))

    graph = walk(registry, node("C"))

    assert JOB.id in {item.id for item in graph.nodes}
    assert edges(graph) == {
        ("A", "C", "lineage_facet"),
        ("A", f"{DAG}.ingest", "inputs_outputs"),
        (f"{DAG}.ingest", "C", "inputs_outputs"),
    }


def test_an_empty_list_of_inputs_says_that_nothing_goes_in(registry: Registry) -> None:
    registry.post(task_event(inputs=(A,), outputs=(C, D), job_facets=explicit(end("C", inputs=[]))))

    assert reached(walk(registry, node("C"))) == set()
    # D is not mentioned at all: the job made it, from nothing that is tracked.
    assert reached(walk(registry, node("D"))) == set()
    assert JOB.id in {item.id for item in walk(registry, node("D")).nodes}


def test_a_job_may_feed_a_job(registry: Registry) -> None:
    other = {"namespace": NAMESPACE, "name": "other.extract", "type": "JOB"}
    facets = explicit({"type": "JOB", "inputs": [other]}, end("C", inputs=[{"type": "JOB"}]))
    registry.post(task_event(outputs=(C,), job_facets=facets))

    assert edges(walk(registry, JOB)) == {("other.extract", f"{DAG}.ingest", "lineage_facet")}
    assert (f"{DAG}.ingest", "C", "lineage_facet") in edges(walk(registry, node("C")))


def test_explicit_lineage_of_columns_speaks_for_the_dataset_too(registry: Registry) -> None:
    masked = end("A", "a", transformations=[{"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True}])
    facets = explicit(end("C", fields={"x": {"inputs": [masked]}}))
    registry.post(task_event(inputs=(A, B), outputs=(C,), job_facets=facets))

    assert reached(walk(registry, node("C"))) == {"A"}
    found = next(edge for edge in walk(registry, node("C", "x")).edges if edge.source == node("A", "a").id)
    assert (found.source, found.transformation) == (node("A", "a").id, "DIRECT/TRANSFORMATION masked")


def test_an_empty_list_for_the_whole_says_nothing_of_it(registry: Registry) -> None:
    """openlineage-python writes one with every column lineage; what is only joined stands nowhere else."""
    output = C | {"facets": {"columnLineage": columns(("A", "a"), whole=())}}
    registry.post(task_event(inputs=(A, B), outputs=(output,)))

    assert reached(walk(registry, node("C"))) == {"A", "B"}
    assert reached(walk(registry, node("B"), "downstream")) == {"C"}
    assert "A:a" in " ".join(item.id for item in walk(registry, node("C", "x")).nodes)


def test_the_entries_of_a_run_add_up(registry: Registry) -> None:
    """Other facets are replaced by the next of their name; this one accumulates."""
    registry.post(
        task_event("COMPLETE", 10, outputs=(D,), job_facets=explicit(end("D", inputs=[end("B")]))),
        task_event("START", 5, inputs=(A, B), outputs=(C,), job_facets=explicit(end("C", inputs=[end("A")]))),
    )

    assert reached(walk(registry, node("C"))) == {"A"}
    assert reached(walk(registry, node("D"))) == {"B"}


def test_a_catalog_speaks_for_its_dataset_against_every_job(registry: Registry) -> None:
    view = C | {"facets": {"lineage": facet(inputs=[end("B")], fields={"x": {"inputs": [end("B", "b")]}})}}
    event = {"eventTime": at(1).isoformat(), "producer": "x", "schemaURL": "y"}
    registry.post(task_event(inputs=(A,), outputs=(C,)), event | {"dataset": view})

    assert reached(walk(registry, node("C"))) == {"B"}
    assert reached(walk(registry, node("C", "x"))) == {"B", "C", "B:b"}
    later = view | {"facets": {"lineage": facet(inputs=[end("D")])}}
    registry.post(event | {"dataset": later, "eventTime": at(2).isoformat()})
    assert reached(walk(registry, node("C"))) == {"D"}


def test_no_origin_closes_the_edges_of_another(registry: Registry) -> None:
    lined = C | {"facets": {"columnLineage": columns(("A", "a"))}}
    registry.post(task_event(inputs=(A,), outputs=(lined,)), task_event(day=1, inputs=(B,), outputs=(C,)))

    assert edges(walk(registry, node("C", "x"))) >= {
        ("a", "x", "column_lineage"),
        (f"{DAG}.ingest", "C", "inputs_outputs"),
    }
    assert reached(walk(registry, node("C"))) == {"B"}
    registry.post(task_event(day=2, inputs=(B,), outputs=(C | {"facets": {"columnLineage": columns(("B", "b"))}},)))
    assert ("a", "x", "column_lineage") not in edges(walk(registry, node("C", "x")))
    assert ("a", "x", "column_lineage") in edges(walk(registry, node("C", "x"), day=1.5))


def test_what_was_said_exactly_counts_until_a_run_completes_without_it(registry: Registry) -> None:
    facets = explicit(end("C", inputs=[end("A")]))
    registry.post(
        task_event(inputs=(A, B), outputs=(C,), job_facets=facets),
        task_event("START", day=1, inputs=(A, B), outputs=(C,)),
    )
    assert reached(walk(registry, node("C"))) == {"A"}

    registry.post(task_event("COMPLETE", 20, day=1, inputs=(A, B), outputs=(C,)))

    assert reached(walk(registry, node("C"))) == {"A", "B"}
    assert reached(walk(registry, node("C"), day=0.5)) == {"A"}


def test_column_lineage_speaks_for_the_dataset_only_when_it_says_so(registry: Registry) -> None:
    partial, complete = columns(("A", "a")), columns(("A", "a"), whole=(("B", "key"),))
    registry.post(
        task_event(inputs=(A, B, D), outputs=(C | {"facets": {"columnLineage": partial}},)),
        task_event(task="other", inputs=(A, B, D), outputs=(dataset("E", columnLineage=complete),)),
    )

    assert reached(walk(registry, node("C"))) == {"A", "B", "D"}
    assert reached(walk(registry, node("E"))) == {"A", "B", "B:key"}
    assert ("A", "E", "column_lineage") in edges(walk(registry, node("E")))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"transformationType": "IDENTITY"}, "DIRECT/IDENTITY"),
        ({"transformationType": "MASKED"}, "DIRECT masked"),
        ({}, None),
    ],
)
def test_transformations_of_older_facets_are_understood(registry: Registry, said: Json, shown: str | None) -> None:
    lined = C | {"facets": {"columnLineage": columns(("A", "a"), **said)}}
    registry.post(task_event(inputs=(A,), outputs=(lined,)))

    found = next(edge for edge in walk(registry, node("C", "x")).edges if edge.origin == "column_lineage")
    assert found.transformation == shown


def test_a_declaration_is_believed_before_all_events(registry: Registry) -> None:
    lined = facet(fields={"dep_delay": {"inputFields": [{"namespace": RAW, "name": "A", "field": "a"}]}})
    registry.post(task_event(inputs=(A,), outputs=(written(RICH) | {"facets": {"columnLineage": lined}},)))

    assert [(item["uri"], item["origin"]) for item in registry.feature()["sources"]] == [
        ("s3://raw/flights.parquet#dep_delay", "declared")
    ]
    graph = registry.get("/features/nyc/delays/dep_delay/lineage", direction="upstream")
    feature, whole = "feature:x-festaf://nyc:delays:dep_delay", "feature_set:x-festaf://nyc:delays"
    assert {edge["origin"] for edge in graph["edges"] if edge["target"] == feature} == {"declared", "lineage"}
    # The feature set as a whole is another target.
    assert {edge["origin"] for edge in graph["edges"] if edge["target"] == whole} == {"inputs_outputs"}


def test_strange_lineage_facets_are_passed_over(registry: Registry) -> None:
    strange: tuple[Any, ...] = (
        {"entries": 7},
        {"entries": [7, {}, {"type": "JOB", "name": "half"}, {"namespace": "", "name": "", "type": "DATASET"}]},
        {"entries": [end("C", inputs=[7, {"type": "DATASET"}, end("A", transformations=[7, {"type": 7}])], fields=[])]},
        {"entries": [end("C", fields={"": {}, "x": 7, "y": {"inputs": 7}})]},
        {"inputs": 7, "fields": {"x": {}}},
    )
    for minutes, body in enumerate(strange):
        output = C | {"facets": {"columnLineage": facet(**body), "lineage": facet(**body)}}
        registry.post(task_event(minutes=minutes, outputs=(output,), job_facets={"lineage": facet(**body)}))

    assert walk(registry, node("C")).truncated is False


@pytest.mark.parametrize("state", ["FAIL", "ABORT"])
def test_how_a_failed_run_meant_to_make_an_output_is_no_lineage(registry: Registry, state: str) -> None:
    meant = dataset("C", columnLineage=columns(("A", "x")))
    facets = explicit(end("D", inputs=[end("B")]))
    registry.post(task_event("START", 1, inputs=(A, B), outputs=(meant, D), job_facets=facets))
    assert "A:x" in reached(walk(registry, node("C", "x")))
    assert ("B", "D", "lineage_facet") in edges(walk(registry, node("D")))

    registry.post(task_event(state, 2, inputs=(A, B), outputs=(C, D)))

    assert "A:x" not in reached(walk(registry, node("C", "x")))
    assert {origin for *_, origin in edges(walk(registry, node("D")))} == {"inputs_outputs"}
    assert reached(walk(registry, JOB, "both")) == {"A", "B", "C", "D"}


def test_a_failed_run_that_wrote_rows_says_what_they_are_made_from(registry: Registry) -> None:
    wrote = dataset("C", columnLineage=columns(("A", "x"))) | {"outputFacets": {"outputStatistics": facet(rowCount=3)}}
    registry.post(task_event("FAIL", 2, inputs=(A,), outputs=(wrote,)))

    assert reached(walk(registry, node("C", "x"))) >= {"A:x"}


def test_a_failed_run_leaves_what_runs_before_it_said(registry: Registry) -> None:
    registry.post(task_event(inputs=(A,), outputs=(dataset("C", columnLineage=columns(("A", "x"))),)))
    registry.post(task_event("FAIL", day=1, inputs=(B,), outputs=(dataset("C", columnLineage=columns(("B", "x"))),)))

    assert reached(walk(registry, node("C", "x"))) >= {"A:x"}
    assert "B:x" not in reached(walk(registry, node("C", "x")))
