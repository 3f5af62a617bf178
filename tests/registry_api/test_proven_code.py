"""Which code a run is said to have run: what it saw itself, or what is proven. Airflow rewrites versions in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.registry_api.events import DAG, RICH, VERSION, Json, at, dag_event, task_event, written

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry


def pinned(event: Json, commit: str) -> Json:
    """Say which version of its bundle a task's process saw."""
    event["job"]["facets"]["festaf_dag"]["dag"]["bundle_version"] = commit
    return event


def wrote(hour: float, source: str | None = None) -> Json:
    """Give a run that wrote the features; by itself it does not know its source, as one that the sync tells."""
    return task_event(day=hour / 24, minutes=0, outputs=(written(RICH),), source=source)  # type: ignore[arg-type]


def ran(hour: float, source: str) -> Json:
    """Give a run of another task of the DAG, whose worker saw the source."""
    return task_event(day=hour / 24, minutes=0, task="other", source=source)  # type: ignore[arg-type]


def text(registry: Registry, **view: str) -> str | None:
    found = registry.feature(**view)["how"]["dag_file"]
    return found and str(found["text"])


def test_a_text_that_came_later_is_not_what_an_earlier_run_ran(registry: Registry) -> None:
    registry.post(pinned(wrote(10), "AAA"), ran(12, "# came two hours later"))

    for view in ({}, {"asOf": at(11 * 60).isoformat()}, {"asOf": at(13 * 60).isoformat()}):
        assert text(registry, **view) is None
        assert registry.feature(**view)["run"]["dag_version"]["bundle_version"] == "AAA"
    (first, *_) = registry.get("/features/nyc/delays/dep_delay/history")["items"]
    assert (first["by"]["dag_version"]["bundle_version"], first["by"]["dag_version"]["source_sha256"]) == ("AAA", None)


def test_in_one_version_of_a_bundle_there_is_one_text(registry: Registry) -> None:
    registry.post(pinned(wrote(10), "AAA"), pinned(ran(9, "# old"), "AAA"), pinned(ran(12, "# new"), "BBB"))

    assert text(registry) == text(registry, asOf=at(13 * 60).isoformat()) == "# old"


def test_without_a_bundle_version_a_text_that_was_seen_before_and_after_ran(registry: Registry) -> None:
    registry.post(wrote(10), ran(9, "# same"))
    assert text(registry) is None

    registry.post(ran(11, "# same"))
    assert text(registry) == "# same"
    assert text(registry, asOf=at(10.5 * 60).isoformat()) is None

    registry.post(ran(9.5, "# another"))
    assert text(registry) is None


def test_what_the_run_saw_itself_counts(registry: Registry) -> None:
    registry.post(wrote(10, "# its own"), ran(9, "# another"), ran(11, "# another"))

    assert text(registry) == "# its own"


def test_each_version_of_the_bundle_is_listed(registry: Registry) -> None:
    registry.post(pinned(wrote(10), "AAA"), pinned(ran(12, "# new"), "BBB"), pinned(wrote(13), "BBB"))

    for view in ({}, {"asOf": at(14 * 60).isoformat()}):
        found = registry.get(f"/dags/{DAG}/versions", **view)["items"]
        assert [(item["id"], item["bundle_version"], item["source"]) for item in found] == [
            (str(VERSION), "BBB", "# new"),
            (str(VERSION), "AAA", None),
        ]


def test_a_version_of_the_bundle_takes_the_place_of_none_without_a_text(registry: Registry) -> None:
    registry.post(dag_event("START", 10), pinned(dag_event("COMPLETE", 20), "AAA"))

    for view in ({}, {"asOf": at(30).isoformat()}):
        (found,) = registry.get(f"/dags/{DAG}/versions", **view)["items"]
        assert (found["bundle_version"], found["source"]) == ("AAA", None)
