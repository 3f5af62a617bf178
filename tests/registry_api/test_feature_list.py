"""Lists of features, DAGs and versions: filters and pages."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from festaf.contract.dag import DagVersion
from tests.registry_api.conftest import copied_database, open_registry
from tests.registry_api.events import (
    DAG,
    NAMESPACE,
    SOURCE,
    VERSION,
    Json,
    at,
    dag_event,
    declaration,
    defined,
    run_of,
    task_event,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_api.conftest import Registry

NAMES = [f"f{number}" for number in range(5)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Give one registry on each database for all tests that only read."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('filled') / 'registry.db'}"
    else:
        url = request.getfixturevalue("filled_postgres_url")
    said = [
        declaration(name, owner=f"owner{index % 2}", description="50% of DELAYS") for index, name in enumerate(NAMES)
    ]
    with open_registry(url) as registry:
        registry.post(
            task_event(outputs=(written(*said),)),
            task_event(task="other", dag_id="other_dag", day=1, outputs=(written(declaration("g"), name="other"),)),
            task_event(task="create", day=2, outputs=(defined(declaration("g"), name="sea", project="lab"),)),
        )
        yield registry


@pytest.fixture(scope="module")
def filled_postgres_url(postgres_server: str) -> Iterator[str]:
    with copied_database(postgres_server) as url:
        yield url


def names(answer: Any) -> list[str]:
    return [f"{item['project']}/{item['feature_set']}/{item['name']}" for item in answer["items"]]


def test_features_are_listed_by_project_set_and_name(filled: Registry) -> None:
    answer = filled.get("/features")

    assert names(answer) == ["lab/sea/g", *(f"nyc/delays/{name}" for name in NAMES), "nyc/other/g"]
    assert answer["cursor"] is None
    assert answer["items"][1] == {
        "project": "nyc",
        "feature_set": "delays",
        "name": "f0",
        "type": "Fractional",
        "description": "50% of DELAYS",
        "owner": "owner0",
        "dag_id": "flights_features",
        "dag_namespace": "airflow-prod",
        "last_written": "2026-03-01T00:10:00Z",
        "deleted": False,
    }


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"project": "nyc"}, 6),
        ({"feature_set": "other"}, 1),
        ({"owner": "owner1"}, 2),
        ({"dag_id": "other_dag"}, 1),
        ({"q": "F3"}, 1),
        ({"q": "50% of delays"}, 5),
        ({"q": "5_%"}, 0),
        ({"project": "nyc", "owner": "owner0", "q": "f"}, 3),
        ({"project": "none"}, 0),
        ({"asOf": at(30).isoformat()}, 5),
    ],
)
def test_features_are_found(filled: Registry, query: dict[str, str], count: int) -> None:
    assert len(filled.get("/features", **query)["items"]) == count


def test_pages_follow_the_cursor_and_hold_each_feature_once(filled: Registry) -> None:
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = filled.get("/features", **query)
        found += names(page)
        if page["cursor"] is None:
            break
        query["cursor"] = page["cursor"]

    assert found == names(filled.get("/features"))


@pytest.mark.parametrize("cursor", ["x", "!!!", "W10", "eyJhIjoxfQ", "WyJhIl0", "é", "WzEsMiwzXQ"])
def test_a_cursor_that_no_list_gave_out_is_refused(filled: Registry, cursor: str) -> None:
    assert filled.ask("/features", cursor=cursor).status_code == 400
    assert filled.ask("/dags", cursor=cursor).status_code == 400
    assert filled.ask("/dags/flights_features/versions", cursor=cursor).status_code == 400


def test_a_parameter_that_is_not_known_is_refused(filled: Registry) -> None:
    for wrong in ({"limit": 0}, {"limit": "many"}, {"colour": "blue"}, {"asOf": "2026-03-01T00:00:00"}):
        assert filled.ask("/features", **wrong).status_code == 422, wrong


@pytest.mark.parametrize("path", ["features/%00/%ff/x", "features?q=a%00", "search?q=%00", "namespaces/%00/jobs"])
def test_a_character_that_no_database_keeps_is_refused_wherever_it_is_asked_for(filled: Registry, path: str) -> None:
    answer = filled.http.get(f"/api/v1/{path}")

    assert (answer.status_code, "U+0000" in answer.json()["detail"]) == (400, True)


def test_dags_and_their_versions_are_listed_with_source(registry: Registry) -> None:
    registry.post(
        dag_event(),
        task_event(outputs=(written(declaration()),)),
        task_event(day=1, outputs=(written(declaration()),), source="second"),
    )

    (dag,) = registry.get("/dags")["items"]
    assert (dag["dag_id"], dag["owners"], dag["schedule"]) == ("flights_features", ["data-team"], "0 * * * *")
    assert dag["next_run"] == "2026-03-02T00:00:00Z"
    page = registry.get("/dags/flights_features/versions", limit=1)
    newest = DagVersion.model_validate(page["items"][0])
    assert (newest.id, newest.number, newest.source) == (VERSION, 3, "second")
    rest = registry.get("/dags/flights_features/versions", cursor=page["cursor"])
    assert [item["source"] for item in rest["items"]] == [SOURCE]
    assert registry.ask("/dags/unknown/versions").status_code == 404


def test_a_run_is_told_by_its_openlineage_id(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(declaration()),)), dag_event())

    run = registry.get(f"/runs/{run_of()}")

    assert run["task"]["task_id"] == "ingest"
    assert run["dag_version"]["number"] == 3
    assert "festaf_write" in run["outputs"][0]["facets"]
    assert registry.ask(f"/runs/{run_of('unknown')}").status_code == 404
    assert registry.ask("/runs/x").status_code == 422


def of_another_airflow(event: Json) -> Json:
    """Give the event as an Airflow sends it that has the same DAG under another namespace."""
    told: Json = json.loads(json.dumps(event).replace(NAMESPACE, "airflow-lab"))
    told["run"]["runId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, event["run"]["runId"]))
    return told


def writers(registry: Registry, **view: str) -> list[tuple[str, str]]:
    return [(item["dag_id"], item["dag_namespace"]) for item in registry.get("/features", **view)["items"]]


def test_of_two_airflows_that_have_a_dag_of_the_same_id_the_one_that_wrote_last_is_named(registry: Registry) -> None:
    output = written(declaration())
    registry.post(task_event(outputs=(output,)))
    registry.post(task_event(day=1, outputs=(output,)))

    registry.post(of_another_airflow(task_event(day=2, outputs=(output,))))
    assert writers(registry) == [(DAG, "airflow-lab")]
    assert writers(registry, asOf=at(30).isoformat()) == [(DAG, NAMESPACE)]
    assert writers(registry, dag_id=DAG, dag_namespace="airflow-lab") == [(DAG, "airflow-lab")]
    assert writers(registry, dag_id=DAG, dag_namespace=NAMESPACE) == []
    assert writers(registry, dag_namespace=NAMESPACE, asOf=at(30).isoformat()) == [(DAG, NAMESPACE)]
    assert writers(registry, dag_namespace="airflow-lab", asOf=at(30).isoformat()) == []
    assert [item["dag_namespace"] for item in registry.get("/search/features", q="dep")["items"]] == ["airflow-lab"]

    registry.post(task_event(day=3, outputs=(output,)), task_event(day=4, outputs=(written(declaration(owner="ann")),)))
    registry.post(of_another_airflow(task_event(day=1, outputs=(written(declaration(owner="ann")),))))
    assert writers(registry) == [(DAG, NAMESPACE)]


def test_what_no_dag_wrote_names_no_airflow(registry: Registry) -> None:
    registry.post(task_event(task="create", outputs=(defined(declaration()),)))

    (item,) = registry.get("/features")["items"]
    assert (item["dag_id"], item["dag_namespace"]) == (None, None)
