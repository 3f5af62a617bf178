"""The life of a feature, and whether its values are as fresh as was declared."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from festaf.registry_api.edge import now as clock
from tests.registry_api.events import (
    RICH,
    SOURCE,
    VERSION,
    at,
    dag_event,
    declaration,
    defined,
    facet,
    feature_set,
    task_event,
    written,
)

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry

HISTORY = "/features/nyc/delays/dep_delay/history"
CHANGED = RICH | {"owner": "bob", "logic": "SELECT max(dep_delay) FROM flights"}


def tell_a_life(registry: Registry) -> None:
    """Tell of two contents, a return to the first, other code, a retirement and a return."""
    registry.post(
        task_event(task="create", minutes=1, outputs=(defined(RICH),)),
        task_event(outputs=(written(RICH),)),
        dag_event(),
        task_event(day=1, outputs=(written(CHANGED),), source=SOURCE + "# changed\n"),
        task_event(day=2, outputs=(written(CHANGED),), source=SOURCE + "# changed\n"),
        task_event(day=3, outputs=(written(RICH),), source=SOURCE + "# changed\n"),
        task_event(task="delete", day=4, outputs=(defined(deleted=True),)),
        task_event(task="fill", day=5, outputs=(feature_set(),), source=SOURCE + "# changed\n"),
    )


def days(item: dict[str, Any]) -> tuple[str, int]:
    return item["kind"], (datetime.fromisoformat(item["at"]) - at(0)).days


def test_of_a_mapped_task_the_instance_is_told(registry: Registry) -> None:
    for index in range(2):
        said = declaration(technique=f"line {index}")
        registry.post(task_event(minutes=10 + index, map_index=index, outputs=(written(said),)))
    registry.post(task_event(task="create", minutes=1, outputs=(defined(RICH),)))

    items = registry.get(HISTORY)["items"]

    assert [item["by"]["map_index"] for item in items if item["kind"] == "declared"] == [1, 0, -1]


def test_the_life_of_a_feature_is_told_the_newest_first(registry: Registry) -> None:
    tell_a_life(registry)

    items = registry.get(HISTORY)["items"]

    assert [days(item) for item in items] == [
        ("returned", 5),
        ("retired", 4),
        ("returned_to", 3),
        ("code_changed", 1),
        ("declared", 1),
        ("first_written", 0),
        ("declared", 0),
    ]
    by_kind = {days(item): item for item in items}
    changed = by_kind["declared", 1]
    assert (changed["version"], changed["by"]["run_id"], changed["by"]["task_id"]) == (2, "scheduled__1", "ingest")
    assert datetime.fromisoformat(changed["until"]) == at(2 * 24 * 60 + 10)
    assert {change["field"]: (change["before"], change["after"]) for change in changed["changes"]}["owner"] == (
        "ann",
        "bob",
    )
    (logic,) = [change["diff"] for change in changed["changes"] if change["field"] == "logic"]
    assert "-SELECT avg(dep_delay) FROM flights\n+SELECT max(dep_delay) FROM flights" in logic
    code = by_kind["code_changed", 1]
    assert code["changes"][0]["field"] == "dag_file"
    assert code["changes"][0]["diff"].endswith("+# changed")
    assert (by_kind["returned_to", 3]["version"], by_kind["returned", 5]["by"]["task_id"]) == (1, "fill")


def test_what_was_retired_already_is_not_retired_again_with_its_set(registry: Registry) -> None:
    feature, whole = "/api/v1/features/nyc/delays/dep_delay", "/api/v1/feature-sets/nyc/delays"
    assert registry.http.put(feature, json={"type": "Fractional", "owner": "ann"}).is_success
    assert registry.http.delete(feature).is_success
    assert registry.http.delete(whole).is_success
    assert registry.http.put(feature, json={"type": "Fractional", "owner": "ann"}).is_success

    items = registry.get("/features/nyc/delays/dep_delay/history")["items"]

    assert [item["kind"] for item in items] == ["returned_to", "retired", "declared"]


def test_history_comes_in_pages_and_as_of_a_time(registry: Registry) -> None:
    tell_a_life(registry)
    whole = registry.get(HISTORY)["items"]

    found: list[Any] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = registry.get(HISTORY, **query)
        found += page["items"]
        if page["cursor"] is None:
            break
        query["cursor"] = page["cursor"]

    assert found == whole
    earlier = registry.get(HISTORY, asOf=at(24 * 60 + 30).isoformat())["items"]
    assert [days(item) for item in earlier] == [days(item) for item in whole[3:]]
    assert registry.ask(HISTORY, cursor="x").status_code == 400
    assert registry.ask("/features/nyc/delays/unknown/history").status_code == 404


@pytest.mark.parametrize(
    ("minutes", "status", "in_time"), [(40, "fresh", True), (71, "stale", True)], ids=["fresh", "stale"]
)
def test_values_are_held_against_the_freshness_that_was_declared(
    registry: Registry, minutes: float, status: str, in_time: bool
) -> None:
    said = RICH | {"fresh_within_seconds": 3600}
    registry.post(task_event(outputs=(written(said),)), dag_event(next_run=at(60).isoformat()))
    registry.app.dependency_overrides[clock] = lambda: at(minutes)

    freshness = registry.feature()["when"]["freshness"]

    assert (freshness["status"], freshness["age_seconds"]) == (status, (minutes - 10) * 60)
    assert (freshness["measured_by"], freshness["next_run_in_time"]) == ("last_written", in_time)
    assert datetime.fromisoformat(freshness["due_at"]) == at(70)
    assert registry.feature(asOf=at(11).isoformat())["when"]["freshness"]["age_seconds"] == 60


def test_the_dag_facts_of_an_earlier_time_are_those_of_that_time(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)), dag_event())
    later = task_event(day=1, outputs=(written(RICH),))
    later["job"]["facets"]["festaf_dag"]["dag"] |= {"owners": ["new-team"], "schedule": "@daily"}
    registry.post(later)

    now, then = registry.feature(), registry.feature(asOf=at(30).isoformat())

    assert (now["who"]["dag_owners"], now["when"]["schedule"]) == (["new-team"], "@daily")
    assert (then["who"]["dag_owners"], then["when"]["schedule"]) == (["data-team"], "0 * * * *")
    assert (now["when"]["next_run"], then["when"]["next_run"]) == ("2026-03-02T00:00:00Z", None)
    assert registry.get("/dags", asOf=at(30).isoformat())["items"][0]["owners"] == ["data-team"]
    assert registry.get("/dags", asOf=at(0).isoformat())["items"] == []


def test_the_place_of_the_code_and_the_sql_are_told(registry: Registry) -> None:
    place = {
        "type": "git",
        "url": "https://github.com/nyc/dags/blob/abc/flights.py",
        "repoUrl": "https://github.com/nyc/dags",
        "path": "flights.py",
        "version": "abc",
    }
    facets = {
        "sourceCodeLocation": facet(**place),
        "sourceCode": facet(language="python", sourceCode="def run(): ..."),
        "sql": facet(query="SELECT 1"),
    }
    registry.post(task_event(outputs=(written(declaration(technique="max")),), job_facets=facets))

    how = registry.feature()["how"]

    assert (how["logic"]["text"], how["sql"]["text"]) == ("def run(): ...", "SELECT 1")
    location = how["location"]
    assert (location["url"], location["repository_url"]) == (place["url"], place["repoUrl"])
    assert (location["commit"], location["bundle_name"]) == ("abc", "dags")
    assert str(VERSION) == registry.feature()["run"]["dag_version"]["id"]
