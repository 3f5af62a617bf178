"""Features that are declared and retired by a call instead of by a task."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from festaf.registry_api.features.declaring import DATASET_EVENT_SCHEMA
from festaf.registry_api.lineage.rebuild import rebuild
from tests.registry_api.events import RICH, Json, at, declaration, defined, facet, feature_set, task_event, written

if TYPE_CHECKING:
    from httpx import Response

    from tests.registry_api.conftest import Registry

PATH = "/api/v1/features/nyc/delays/dep_delay"
SAID = {
    "type": "Fractional",
    "owner": "cleo",
    "technique": "median",
    "sources": ["s3://raw/flights.parquet#dep_delay"],
    "tags": ["delay"],
    "fresh_within_seconds": 3600,
}


def put(registry: Registry, path: str = PATH, said: Any = None, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return registry.http.put(path, json=SAID if said is None else said, headers=named)


def origins(registry: Registry, **view: str) -> dict[str, str]:
    """Give by whom each fact of the feature was said."""
    found: dict[str, str] = registry.feature(**view)["origins"]
    return found


def test_a_declaration_by_call_is_answered_and_said_again_changes_nothing(registry: Registry) -> None:
    first, again = put(registry), put(registry)

    assert (first.status_code, first.json()["changed"], first.json()["version"]) == (200, True, 1)
    assert (again.json()["changed"], again.headers["etag"]) == (False, first.headers["etag"])
    answer = registry.feature()
    assert (answer["who"]["owner"], answer["how"]["technique"]) == ("cleo", "median")
    assert answer["when"]["freshness"]["bound_seconds"] == 3600
    assert answer["when"]["freshness"]["status"] == "unknown"
    assert [(source["uri"], source["origin"]) for source in answer["sources"]] == [
        ("s3://raw/flights.parquet#dep_delay", "declared")
    ]
    (item,) = registry.get("/features/nyc/delays/dep_delay/history")["items"]
    assert (item["kind"], item["by"]["declared_by"]) == ("declared", "demo")


def test_a_declaration_is_made_only_over_the_one_that_the_caller_knows(registry: Registry) -> None:
    tag = put(registry, if_none_match="*").headers["etag"]

    assert put(registry, if_none_match="*").status_code == 412
    changed = put(registry, said=SAID | {"owner": "bob"}, if_match=tag)
    assert changed.status_code == 200
    late = put(registry, said=SAID | {"owner": "eve"}, if_match=tag)
    assert (late.status_code, late.json()["code"]) == (412, 412)
    assert registry.feature()["who"]["owner"] == "bob"


def test_a_type_alone_is_declared_once_and_over_the_one_that_the_caller_knows(registry: Registry) -> None:
    first, again = put(registry, said={"type": "Integral"}), put(registry, said={"type": "Integral"})

    assert (first.json()["changed"], first.json()["version"]) == (True, None)
    assert (again.json()["changed"], again.headers["etag"]) == (False, first.headers["etag"])
    assert registry.get("/search/features", q="dep_delay")["items"][0]["type"] == "Integral"
    assert put(registry, said={"type": "String"}, if_none_match="*").status_code == 412
    known = registry.feature()["version_sha256"]
    assert first.headers["etag"] == f'"{known}"'
    assert put(registry, said={"type": "String"}, if_match=known).json()["changed"]
    assert registry.feature()["type"] == "String"


def test_a_type_alone_takes_the_place_of_what_was_declared(registry: Registry) -> None:
    """A declaration by call holds as a whole: what it leaves out is not declared any more."""
    first = put(registry).json()
    said = {"type": "Fractional"}
    bare, again = put(registry, said=said), put(registry, said=said)

    assert (bare.json()["changed"], bare.json()["version"], again.json()["changed"]) == (True, None, False)
    answer = registry.feature()
    assert (answer["who"]["owner"], answer["sources"], answer["tags"], answer["version"]) == (None, [], [], None)
    assert answer["version_sha256"] == bare.json()["version_sha256"]
    assert registry.feature(asOf=first["declared_at"])["who"]["owner"] == "cleo"
    assert registry.get("/features")["items"][0]["owner"] is None
    assert registry.get("/search/features", tag="delay")["items"] == []
    newest, _ = registry.get("/features/nyc/delays/dep_delay/history")["items"]
    assert {"field": "owner", "before": "cleo", "after": None, "diff": None} in newest["changes"]

    assert put(registry).json()["version"] == 1
    assert registry.http.delete(PATH).status_code == 200
    assert put(registry, said=said).json()["changed"]
    answer = registry.feature()
    assert (answer["deleted"], answer["who"]["owner"]) == (False, None)

    registry.post(task_event(day=10_000, outputs=(written(declaration()),)))
    assert registry.feature()["who"]["owner"] is None
    rebuild(registry.database, lambda _done, _total: None)
    assert registry.feature()["who"]["owner"] is None
    registry.post(task_event(day=10_001, outputs=(written(RICH),)))
    assert registry.feature()["who"]["owner"] == "ann"


def test_a_feature_that_was_written_after_it_was_retired_can_be_retired_again(registry: Registry) -> None:
    registry.post(task_event(minutes=1, outputs=(written(declaration(), declaration("other")),)))
    for turn in (0, 10):
        registry.post(retiring(10 + turn))
        assert registry.feature()["deleted"]
        assert [item["deleted"] for item in registry.get("/features")["items"]] == [True, False]

        registry.post(task_event(minutes=15 + turn, try_number=2 + turn, outputs=(written(declaration()),)))
        assert [item["deleted"] for item in registry.get("/features")["items"]] == [False, False]


def retiring(minutes: float) -> Json:
    """Give the event that a call which retires the feature leaves."""
    said = {"project": "nyc", "feature_set": "delays", "declared_by": "cleo"}
    retired = {"name": "dep_delay", "type": "Fractional", "deleted": True}
    facets = {"festaf_declaration": facet(declaration={**said, "features": [retired]})}
    told = task_event(minutes=minutes)
    return {
        **{name: told[name] for name in ("eventTime", "producer")},
        "schemaURL": DATASET_EVENT_SCHEMA,
        "dataset": {**feature_set(), "facets": facets},
    }


def test_of_several_callers_at_once_one_declares_first(registry: Registry) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda name: put(registry, said=SAID | {"owner": name}, if_none_match="*"), ["a", "b", "c", "d"])
        )

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    assert registry.feature()["version"] == 1


def test_the_newest_of_a_call_and_a_task_is_in_force(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)))
    put(registry, said=SAID | {"type": None})
    assert (registry.feature()["who"]["owner"], registry.feature()["type"]) == ("cleo", "Fractional")
    assert registry.feature()["run"]["run_id"] == "scheduled__0"
    assert registry.feature(asOf=at(30).isoformat())["who"]["owner"] == "ann"

    registry.post(task_event(day=10_000, outputs=(written(RICH | {"owner": "dan"}),)))
    assert registry.feature()["who"]["owner"] == "dan"


def test_a_retired_feature_comes_back_when_it_is_declared_again(registry: Registry) -> None:
    put(registry)
    retired = registry.http.delete(PATH)
    assert (retired.status_code, retired.json()["changed"]) == (200, True)
    assert registry.http.delete(PATH).json()["changed"] is False
    assert (registry.feature()["deleted"], registry.feature()["who"]["owner"]) == (True, "cleo")

    put(registry)
    assert registry.feature()["deleted"] is False
    kinds = [item["kind"] for item in registry.get("/features/nyc/delays/dep_delay/history")["items"]]
    assert kinds == ["returned_to", "retired", "declared"]
    assert registry.http.delete("/api/v1/features/nyc/delays/unknown").status_code == 404


def test_a_call_declares_also_when_it_says_no_more_than_a_type(registry: Registry) -> None:
    put(registry, said={"type": "Fractional"})
    assert (origins(registry)["type"], origins(registry)["when.first_seen"]) == ("declared", "declared")

    registry.post(task_event(day=10_000, outputs=(written(declaration()),)))
    assert (origins(registry)["type"], origins(registry)["when.last_written"]) == ("declared", "lineage")


def test_a_type_is_declared_from_when_a_call_said_it_until_an_event_says_another(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(declaration()),)))
    assert origins(registry)["type"] == "lineage"
    put(registry, said={"type": "Fractional"})
    assert (origins(registry)["type"], origins(registry, asOf=at(30).isoformat())["type"]) == ("declared", "lineage")

    fields = feature_set(schema=facet(fields=[{"name": "dep_delay", "type": "double"}]))
    registry.post(task_event(day=10_000, outputs=(fields,)))
    assert (registry.feature()["type"], origins(registry)["type"]) == ("double", "lineage")


def test_a_type_that_only_a_task_says_is_not_declared_by_a_call(registry: Registry) -> None:
    registry.post(task_event(task="create", minutes=1, outputs=(defined(declaration()),)))
    registry.post(task_event(outputs=(written(declaration(), accepted=0),)))

    assert origins(registry)["type"] == "lineage"


def test_a_set_says_what_its_features_do_not_say(registry: Registry) -> None:
    registry.post(task_event(outputs=(defined(declaration(), owner="team", record_identifier="id"),)))
    path = "/api/v1/feature-sets/nyc/delays"
    first = put(registry, path, {"owner": "cleo", "purpose": "staffing", "fresh_within_seconds": 60})

    assert first.json()["changed"] is True
    assert (
        put(registry, path, {"owner": "cleo", "purpose": "staffing", "fresh_within_seconds": 60}).json()["changed"]
        is False
    )
    answer = registry.feature()
    assert (answer["who"]["owner"], answer["why"]["purpose"]) == ("cleo", "staffing")
    assert answer["when"]["freshness"]["bound_seconds"] == 60
    second = put(registry, path, {"owner": "dan"})
    assert registry.http.delete(path).json()["changed"] is True
    assert registry.feature()["deleted"] is True
    tags = [answer.json()["version_sha256"] for answer in (first, second)]
    rows = registry.get("/audit", entity="nyc/delays")["items"][::-1]
    assert [(row["action"], row["before"], row["after"]) for row in rows] == [
        ("feature-set.declare", None, tags[0]),
        ("feature-set.declare", tags[0], tags[1]),
        ("feature-set.retire", tags[1], None),
    ]


def test_a_feature_that_nobody_spoke_of_needs_a_type(registry: Registry) -> None:
    answer = put(registry, said={"owner": "cleo"})

    assert answer.status_code == 422
    said = "nothing tells the type of nyc/delays/dep_delay yet: say one of Integral, Fractional, String"
    assert (answer.json()["detail"], answer.json()["errors"]) == (said, [])


@pytest.mark.parametrize(
    ("path", "said", "status"),
    [
        (PATH, {"type": "Fractional", "colour": "blue"}, 422),
        (PATH, {"type": "double"}, 422),
        (PATH, {"owner": "nobody knows its type"}, 422),
        (PATH, {"type": "Integral", "fresh_within_seconds": 0}, 422),
        (PATH, [], 422),
        ("/api/v1/features/-/delays/x", SAID, 422),
        ("/api/v1/features/nyc/delays/%20", SAID, 422),
        ("/api/v1/features/nyc/%09/x", SAID, 422),
        ("/api/v1/features/nyc/delays/%FF", SAID, 422),
        ("/api/v1/features/nyc/delays/%2E%2E", SAID, 422),
        (f"/api/v1/features/nyc/delays/{'x' * 65}", SAID, 422),
        (PATH, SAID | {"owner": "\x00"}, 400),
    ],
)
def test_what_cannot_be_kept_is_refused(registry: Registry, path: str, said: Any, status: int) -> None:
    answer = put(registry, path, said)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert registry.get("/features")["items"] == []
