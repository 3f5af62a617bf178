"""What ``POST /lineage`` and ``/lineage/batch`` take and refuse."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from festaf.contract.openlineage import BatchAnswer
from festaf.registry_api.lineage.tables import EventTable
from tests.registry_api.conftest import open_registry
from tests.registry_api.events import (
    RICH,
    Json,
    at,
    dataset,
    declaration,
    facet,
    feature_set,
    task_event,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_api.conftest import Registry

JSON = {"Content-Type": "application/json"}
GOOD = task_event(outputs=(written(RICH),))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Give one registry for all that is refused before the database is asked."""
    path = tmp_path_factory.mktemp("shared") / "registry.db"
    with open_registry(f"sqlite:///{path}") as found:
        yield found


def _events(registry: Registry) -> int:
    with registry.database.reading() as session:
        return session.scalar(select(func.count()).select_from(EventTable)) or 0


def _without(*path: str) -> Json:
    event: Json = json.loads(json.dumps(GOOD))
    inner = event
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return event


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (_without("eventTime"), "eventTime"),
        (_without("producer"), "producer"),
        (_without("schemaURL"), "schemaURL"),
        (_without("job"), "job"),
        (GOOD | {"run": {"runId": "not-a-uuid"}}, "runId"),
        (GOOD | {"eventTime": "yesterday"}, "eventTime"),
        (GOOD | {"eventTime": "2026-03-01T00:00:00"}, "eventTime"),
        (GOOD | {"job": {"namespace": "", "name": "x"}}, "namespace"),
        (GOOD | {"inputs": "x"}, "inputs"),
        ([GOOD], "no OpenLineage event"),
        ("event", "no OpenLineage event"),
        (None, "no OpenLineage event"),
    ],
)
def test_what_is_no_event_is_refused_and_says_why(shared: Registry, event: Any, named: str) -> None:
    answer = shared.http.post("/api/v1/lineage", content=json.dumps(event), headers=JSON)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == problem["status"] == 422
    assert problem["message"] == problem["detail"]
    assert named in answer.text
    assert not [line for line in problem["errors"] if line.startswith((":", "run.eventTime", "run.run.", "run.job"))]
    assert _events(shared) == 0


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b'{"a": NaN}', {}, 400),
        (b'{"a": 1e999}', {}, 400),
        (b'{"a": "\\ud800"}', {}, 400),
        (b'{"a": "\\u0000"}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"a":' * 200 + b"1" + b"}" * 200, {}, 400),
        (b"1" * 5_000, {}, 400),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"{}", mtime=0)[:-4], {"Content-Encoding": "gzip"}, 400),
        (b"{}", {"Content-Encoding": "br"}, 415),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"x" * (17 * 1024 * 1024), {}, 413),
        (gzip.compress(b" " * (17 * 1024 * 1024)), {"Content-Encoding": "gzip"}, 413),
    ],
)
def test_a_broken_body_is_refused(shared: Registry, body: bytes, headers: dict[str, str], status: int) -> None:
    answer = shared.http.post("/api/v1/lineage", content=body, headers=JSON | headers)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == status


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/features/nyc/delays/dep_delay"), ("POST", "/experiments"), ("PUT", "/tags/gold")]
)
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"{}x", {}, 400),
        (gzip.compress(b"{}", mtime=0), {"Content-Encoding": "gzip"}, 415),
        (b"{", {"Content-Encoding": "br"}, 415),
        (b"type=String", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"[]", {}, 422),
    ],
)
def test_a_broken_body_is_refused_as_that_of_an_event_is(
    shared: Registry, method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = shared.http.request(method, f"/api/v1{path}", content=body, headers=JSON | headers)

    assert answer.status_code == answer.json()["status"] == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (status == 422) == bool(answer.json()["errors"])


@pytest.mark.parametrize(
    "event",
    [
        task_event(outputs=(written(RICH, accepted=10**30),)),
        task_event(try_number=10**12),
        task_event(run_facets={"festaf_task": facet(task={"dag_id": ""})}),
        task_event(outputs=(written(RICH, name="a/b"),)),
        task_event(outputs=(written(RICH, project="not a project"),)),
        task_event(outputs=(feature_set(outputs={"festaf_write": facet(write=7)}),)),
        task_event(job_facets={"festaf_dag": facet(dag={"dag_id": "d" * 300})}),
    ],
)
def test_a_value_out_of_range_never_breaks_the_registry(registry: Registry, event: Json) -> None:
    answer = registry.http.post("/api/v1/lineage", json=event)

    assert answer.status_code in {201, 422}, answer.text
    registry.post(GOOD)


def test_long_and_strange_names_are_kept(registry: Registry) -> None:
    name = "postgres://host:5432/a b?c=d#e%2F" + "ü" * 3000
    registry.post(task_event(inputs=(dataset(name, "postgres://h:5432"),), outputs=(written(RICH),)))

    graph = registry.get("/features/nyc/delays/dep_delay/lineage", direction="upstream")

    assert name in {node["name"] for node in graph["nodes"]}


def test_times_at_the_ends_of_the_calendar_are_taken(registry: Registry) -> None:
    registry.post(
        GOOD | {"eventTime": "0001-01-01T00:00:00+14:00"},
        GOOD | {"eventTime": "9999-12-31T23:59:59-14:00"},
    )

    assert registry.ask("/features/nyc/delays/dep_delay", asOf="0001-01-01T00:00:00+14:00").status_code in {200, 404}


def test_a_field_that_a_newer_airflow_sends_is_passed_over(registry: Registry) -> None:
    event = task_event(outputs=(written(RICH | {"colour": "blue"}, mood="good"),))
    registry.post(event)

    assert registry.feature()["who"]["owner"] == "ann"


def test_a_batch_of_good_events_has_no_content_to_answer(registry: Registry) -> None:
    answer = registry.http.post("/api/v1/lineage/batch", json=[GOOD, task_event("START", 5)])

    assert answer.status_code == 204
    assert registry.feature()["run"]["task_id"] == "ingest"


def test_a_batch_takes_the_good_events_and_names_the_others(registry: Registry) -> None:
    events = [GOOD, {"hello": 1}, task_event(outputs=(written(RICH, accepted=10**30),), task="huge"), "x"]

    answer = registry.http.post("/api/v1/lineage/batch", json=events)

    assert answer.status_code == 200
    said = BatchAnswer.model_validate_json(answer.content)
    assert said.status == "partial_success"
    assert (said.summary.received, said.summary.successful, said.summary.non_retriable) == (4, 1, 3)
    assert [failed.index for failed in said.failed_events] == [1, 2, 3]
    assert registry.feature()["who"]["owner"] == "ann"


@pytest.mark.parametrize("strange", ['"\\u0000"', '"\\ud800"', "1e999", "9" * 309, "[" * 120 + "]" * 120])
def test_what_no_database_keeps_keeps_only_its_own_event_out(registry: Registry, strange: str) -> None:
    bad = json.dumps(task_event(run_facets={"odd": facet(value="?")}, task="odd")).replace('"?"', strange)
    other = task_event(task="other", outputs=(written(declaration("other"), name="others"),))
    body = f"[{json.dumps(GOOD)}, {bad}, {json.dumps(other)}]"

    answer = registry.http.post("/api/v1/lineage/batch", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 200, answer.text
    assert [failed["index"] for failed in answer.json()["failed_events"]] == [1]
    assert registry.feature()["who"]["owner"] == "ann"
    assert registry.feature("other", "others")["run"]["task_id"] == "other"


@pytest.mark.parametrize(("body", "status"), [({}, 422), ([], 204), ([{}] * 1001, 413)])
def test_a_batch_is_an_array_of_bounded_length(shared: Registry, body: Any, status: int) -> None:
    assert shared.http.post("/api/v1/lineage/batch", json=body).status_code == status


def test_a_job_event_that_has_an_event_type_is_a_job_event(registry: Registry) -> None:
    event = {
        "eventType": "OTHER",
        "eventTime": at(1).isoformat(),
        "producer": "x",
        "schemaURL": "y",
        "job": {"namespace": "spark", "name": "report"},
        "inputs": [feature_set()],
        "outputs": [dataset("report")],
    }
    registry.post(GOOD, event)

    consumers = [(item["kind"], item["name"], item["distance"]) for item in registry.feature()["consumers"]]
    assert consumers == [("task", "report", 1), ("dataset", "report", 2)]


def test_a_dataset_event_with_a_definition_declares_features(registry: Registry) -> None:
    definition = facet(
        definition={
            "project": "nyc",
            "feature_set": "delays",
            "record_identifier": "id",
            "event_time": "at",
            "online": True,
            "offline": False,
            "features": [declaration(owner="cat")],
        }
    )
    event = {"eventTime": at(1).isoformat(), "producer": "x", "schemaURL": "y"}
    registry.post(event | {"dataset": feature_set(festaf_definition=definition)})

    answer = registry.feature()
    assert answer["who"]["owner"] == "cat"
    assert answer["run"] is None


def test_a_path_or_a_method_that_leads_nowhere_says_where_to_look(shared: Registry) -> None:
    for path in ("/", "/api/v1", "/api/v1/nothing"):
        answer = shared.http.get(path)
        assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")
        assert "/docs" in answer.json()["detail"]
    answer = shared.http.post("/api/v1/features", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert "Allow" in answer.json()["detail"]
