"""What stands downstream of a feature, and which runs made the values that a model saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.registry_api.artifacts import deployed, registered, report, training_set
from tests.registry_api.events import RICH, at, dag_event, declaration, feature_set, task_event, written

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry

OTHER = declaration("arr_delay", technique="max")
SOURCED = declaration("mean_delay", owner="cleo", sources=["x-festaf://nyc/delays#dep_delay"])


def tell_the_chain(registry: Registry) -> None:
    """Tell of a training set, a model and an endpoint from both features, and of a report from one of them."""
    registry.post(
        task_event(outputs=(written(RICH, OTHER),)),
        dag_event(),
        training_set("dep_delay", "arr_delay"),
        registered("delays.dep_delay"),
        registered(event="approved", approval="Approved"),
        deployed(),
        report(),
        task_event(task="derive", dag_id="derived", minutes=160, outputs=(written(SOURCED, name="means"),)),
    )


def kinds(answer: Any) -> list[tuple[str, str, int]]:
    return [(item["kind"], item["name"], item["distance"]) for item in answer]


def test_the_training_set_model_and_endpoint_are_consumers_with_their_distance(registry: Registry) -> None:
    tell_the_chain(registry)

    consumers = registry.feature()["consumers"]

    found = {(item["kind"], item["name"]): item for item in consumers}
    assert found["training_set", "late"]["distance"] == 1
    assert found["model", "delay"]["distance"] == 2
    assert (found["model", "delay"]["version"], found["model", "delay"]["approval"]) == (1, "Approved")
    assert found["endpoint", "live"]["distance"] == 4
    assert found["feature", "means#mean_delay"]["origin"] == "declared"
    assert ("dataset", "report") not in found


def test_what_is_known_not_to_use_the_feature_is_left_out(registry: Registry) -> None:
    tell_the_chain(registry)

    found = {(item["kind"], item["name"]) for item in registry.feature("arr_delay")["consumers"]}

    assert {("training_set", "late"), ("dataset", "report")} <= found
    assert not {("model", "delay"), ("endpoint", "live")} & found


def test_impact_names_everything_downstream_with_ways_owners_and_counts(registry: Registry) -> None:
    tell_the_chain(registry)

    impact = registry.get("/features/nyc/delays/dep_delay/impact")

    found = {item["id"]: item for item in impact["affected"]}
    endpoint = found["dataset:x-festaf-endpoint://nyc:live"]
    assert endpoint["owners"] == ["team:serving"]
    assert endpoint["via"][-2:] == [
        "dataset:x-festaf-model://nyc:delay",
        "job:airflow-prod:flights_serving.deploy",
    ]
    assert found["feature:x-festaf://nyc:means:mean_delay"]["owners"] == ["cleo"]
    assert found["job:airflow-prod:flights_serving"]["kind"] == "dag"
    assert impact["counts"]["endpoint"] == impact["counts"]["model"] == impact["counts"]["training_set"] == 1
    assert impact["counts"]["dag"] == 3
    assert impact["owners"] == ["cleo", "data-team", "team:serving"]
    assert impact["truncated"] is False


def test_impact_stops_at_its_bounds_and_says_so(registry: Registry) -> None:
    tell_the_chain(registry)

    near = registry.get("/features/nyc/delays/dep_delay/impact", depth=1)
    few = registry.get("/features/nyc/delays/dep_delay/impact", limit=2)

    assert near["truncated"] is few["truncated"] is True
    assert {item["distance"] for item in near["affected"]} == {1}
    assert len([item for item in few["affected"] if item["kind"] != "dag"]) == 2


def test_a_model_tells_which_run_made_the_values_that_it_saw_on_a_day(registry: Registry) -> None:
    tell_the_chain(registry)
    registry.post(
        task_event(day=2, outputs=(written(RICH),), source="changed"),
        task_event(day=5, outputs=(written(RICH),)),
        registered("delays.arr_delay", version=2, day=6),
    )

    third = registry.get("/models/nyc/delay/features", asOf=at(3 * 24 * 60).isoformat())
    today = registry.get("/models/nyc/delay/features")
    first = registry.get("/models/nyc/delay/features", version=1)

    assert (third["version"], third["approval"], third["training_build"]) == (1, "Approved", "b0")
    (seen,) = third["features"]
    assert (seen["name"], seen["run"]["run_id"], seen["version"]) == ("dep_delay", "scheduled__2", 1)
    assert seen["run"]["dag_version"]["source_sha256"] != first["features"][0]["run"]["dag_version"]["source_sha256"]
    assert first["features"][0]["run"]["run_id"] == "scheduled__5"
    assert (today["version"], today["features"][0]["name"]) == (2, "arr_delay")
    assert registry.ask("/models/nyc/delay/features", asOf=at(1).isoformat()).status_code == 404
    assert registry.ask("/models/nyc/unknown/features").status_code == 404


def test_an_endpoint_tells_what_stood_behind_it(registry: Registry) -> None:
    tell_the_chain(registry)
    registry.post(registered("delays.arr_delay", version=2, day=3), deployed(version=2, day=4))

    before = registry.get("/endpoints/nyc/live/features", asOf=at(3 * 24 * 60 + 200).isoformat())
    after = registry.get("/endpoints/nyc/live/features")

    assert [model["features"][0]["name"] for model in before["models"]] == ["dep_delay"]
    assert [(model["version"], model["features"][0]["name"]) for model in after["models"]] == [(2, "arr_delay")]
    assert ("endpoint", "live") not in {(item["kind"], item["name"]) for item in registry.feature()["consumers"]}


def test_a_reader_of_a_derived_set_is_downstream_of_the_first(registry: Registry) -> None:
    tell_the_chain(registry)
    means = feature_set("means")
    registry.post(task_event(task="read", dag_id="reader", minutes=200, inputs=(means,)))

    found = {item["id"]: item for item in registry.get("/features/nyc/delays/dep_delay/impact")["affected"]}

    assert found["job:airflow-prod:reader.read"]["via"] == [
        "feature:x-festaf://nyc:means:mean_delay",
        "feature_set:x-festaf://nyc:means",
    ]
