"""Whether what stands around a feature is still there: in its answer, its impact and its graph alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.registry_api.airflow.test_dag_facts import dag_said
from tests.registry_api.events import DAG, at, dataset, declaration, defined, facet, task_event, written

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry
    from tests.registry_api.offices import Office

BARE = declaration("dep_delay")
DERIVED = declaration("mean_delay", owner="cleo", sources=["x-festaf://nyc/delays#dep_delay"])


def access_of(items: list[Any], name: str, place: str = "name") -> set[str]:
    return {item["access"] for item in items if item[place] == name}


def test_a_source_that_was_dropped_is_deleted_in_the_answer_as_in_the_graph(registry: Registry) -> None:
    gone = dataset("flights.parquet", lifecycleStateChange=facet(lifecycleStateChange="DROP"))
    registry.post(task_event(inputs=(dataset("flights.parquet"),), outputs=(written(BARE),)))
    assert access_of(registry.feature()["sources"], "flights.parquet") == {"accessible"}

    registry.post(task_event(task="drop", minutes=30, outputs=(gone,)))

    assert access_of(registry.feature()["sources"], "flights.parquet") == {"deleted"}
    assert access_of(registry.get("/features/nyc/delays/dep_delay/lineage")["nodes"], "flights.parquet") == {"deleted"}
    assert access_of(registry.feature(asOf=at(20).isoformat())["sources"], "flights.parquet") == {"accessible"}


def test_a_feature_that_was_retired_is_a_deleted_consumer(registry: Registry) -> None:
    registry.post(
        task_event(outputs=(written(BARE),)),
        task_event(task="derive", dag_id="derived", minutes=20, outputs=(written(DERIVED, name="means"),)),
    )
    assert access_of(registry.feature()["consumers"], "means#mean_delay") == {"accessible"}

    registry.post(task_event(task="retire", minutes=30, outputs=(defined(name="means", deleted=True),)))

    assert access_of(registry.feature()["consumers"], "means#mean_delay") == {"deleted"}
    affected = registry.get("/features/nyc/delays/dep_delay/impact")["affected"]
    assert access_of(affected, "means#mean_delay") == {"deleted"}
    before = registry.feature(asOf=at(25).isoformat())["consumers"]
    assert access_of(before, "means#mean_delay") == {"accessible"}


def test_the_tasks_of_a_dag_that_airflow_no_longer_has_are_deleted(registry: Registry) -> None:
    reads = task_event(task="report", inputs=(written(BARE),), outputs=(dataset("report.csv"),))
    registry.post(task_event(dag_id="maker", outputs=(written(BARE),)), reads)
    impact = "/features/nyc/delays/dep_delay/impact"
    assert {item["access"] for item in registry.get(impact)["affected"]} == {"accessible"}

    registry.post(dag_said(90, deleted=True))

    affected = registry.get(impact)["affected"]
    assert access_of(affected, f"{DAG}.report") == access_of(affected, DAG) == {"deleted"}
    assert access_of(affected, "report.csv") == {"accessible"}


def test_a_source_that_is_no_uri_is_unknown_everywhere(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(declaration(sources=["the weather desk"])),)))

    assert access_of(registry.feature()["sources"], "the weather desk") == {"unknown"}
    assert access_of(registry.get("/features/nyc/delays/dep_delay/lineage")["nodes"], "the weather desk") == {"unknown"}


def test_a_source_that_is_no_uri_is_shown_to_whom_the_feature_is_and_a_dataset_of_that_name_is_not(
    office: Office,
) -> None:
    desk = declaration(sources=["the weather desk"])
    guess = declaration("guess")
    told = task_event(
        inputs=(dataset("the numbers", namespace="unknown"),), outputs=(written(desk), written(guess, name="guesses"))
    )
    assert office.ask("admin", "POST", "/lineage", told).is_success
    office.make("rider", "registry:read", role="read")

    def seen(path: str, items: str) -> list[tuple[str | None, str]]:
        found = office.ask("rider", "GET", f"/features/nyc/{path}").json()[items]
        return [(item["name"], item["access"]) for item in found]

    assert seen("delays/dep_delay", "sources") == [("the weather desk", "unknown")]
    assert ("the weather desk", "unknown") in seen("delays/dep_delay/lineage", "nodes")
    assert seen("guesses/guess", "sources") == [(None, "restricted")]
    assert "the numbers" not in {name for name, _ in seen("guesses/guess/lineage", "nodes")}
