"""What Marquez's web page asks for, in process and on both databases: the same requests, the fields that it reads."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from sqlalchemy.event import listen, remove

from festaf.registry_api.access.caller import Caller
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.edge import caller_of
from festaf.registry_api.marquez.names import read_node_id
from tests.registry_api.conftest import Registry, open_registry
from tests.registry_api.marquez import shapes
from tests.registry_api.marquez.shapes import fitting, path_of
from tests.registry_api.marquez.shop import (
    BUCKET,
    CODE,
    DAILY,
    FEATURES,
    POSTGRES,
    at,
    dataset,
    dataset_event,
    event,
    job_event,
    run_id,
    shop,
    versioned,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def shopping(registry: Registry) -> Registry:
    answer = registry.http.post("/api/v1/lineage/batch", json=shop())
    assert answer.status_code == 204, answer.text
    return registry


@contextmanager
def counted(registry: Registry) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    listen(registry.database.engine, "before_cursor_execute", note)
    yield sent
    remove(registry.database.engine, "before_cursor_execute", note)


def test_the_web_page_draws_its_lineage_and_its_drawers(shopping: Registry) -> None:
    asked = f"/lineage?nodeId=dataset:{quote(BUCKET, safe='')}:{quote('a/b', safe='')}&depth=2"
    answer = shopping.http.get(f"/api/v1{asked}")
    nodes = {node["id"]: node for node in answer.json()["graph"]}
    assert list(nodes) == [
        f"dataset:{POSTGRES}:public.orders",
        f"dataset:{BUCKET}:a/b",
        "dataset:x-festaf://nyc:delays",
        "job:shop:etl.daily",
        "job:shop:features",
        "job:shop:load",
    ]
    for node in nodes.values():
        fitting(node["data"], shapes.JOB_NODE if node["type"] == "JOB" else shapes.DATASET_NODE)
        fitting(node["inEdges"] + node["outEdges"], [shapes.EDGE])
    daily = nodes[f"dataset:{BUCKET}:a/b"]
    assert daily["inEdges"] == [{"origin": "job:shop:etl.daily", "destination": daily["id"]}]
    assert daily["outEdges"] == [{"origin": daily["id"], "destination": "job:shop:features"}]
    assert [field["name"] for field in daily["data"]["fields"]] == ["total"]
    assert nodes["job:shop:etl.daily"]["data"]["latestRun"]["state"] == "COMPLETED"

    facets = shopping.get(f"/jobs/runs/{run_id(4)}/facets", type="job")
    assert facets["facets"]["sourceCode"]["sourceCode"] == CODE
    assert shopping.get(f"/jobs/runs/{run_id(4)}/facets", type="run")["facets"].keys() == {"parent"}
    assert shopping.ask(f"/jobs/runs/{run_id(4)}/facets").status_code == 422


def test_the_web_page_searches_counts_and_lists_events(registry: Registry) -> None:
    now = datetime.now(UTC)
    registry.post(
        {**event("START", "load", 0, 1, outputs=(dataset("Orders_1", POSTGRES),)), "eventTime": now.isoformat()},
        {**event("FAIL", "load", 0, 1), "eventTime": (now + timedelta(milliseconds=1)).isoformat()},
    )
    found = registry.get("/search", q="ORDERS", sort="NAME", limit=100)
    fitting(found, {"totalCount": int, "results": [shapes.SEARCH_RESULT]})
    assert [item["nodeId"] for item in found["results"]] == [f"dataset:{POSTGRES}:Orders_1"]
    assert registry.get("/search", q="o", sort="UPDATE_AT", filter="JOB")["results"][0]["nodeId"] == "job:shop:load"
    assert registry.get("/search", q="o", before="2000-01-01")["totalCount"] == 0
    assert registry.ask("/search", q="o", filter="run").status_code == 422

    day = fitting(registry.get("/stats/lineage-events", period="DAY", timezone="UTC"), [shapes.EVENT_COUNT])
    assert (len(day), day[-1]["start"], day[-1]["fail"], day[0]["start"]) == (24, 1, 1, 0)
    for what in ("jobs", "datasets", "sources"):
        week = fitting(registry.get(f"/stats/{what}", period="WEEK", timezone="Europe/Paris"), [shapes.COUNT])
        assert [item["count"] for item in week] == [0, 0, 0, 0, 0, 0, 1]
    assert registry.ask("/stats/jobs", period="WEEK", timezone="Mars/Base").status_code == 422

    span = {"after": (now - timedelta(1)).isoformat(), "before": (now + timedelta(1)).isoformat()}
    page = registry.get("/events/lineage", **span, limit=1, sortDirection="asc")
    assert (page["totalCount"], page["events"][0]["eventType"]) == (2, "START")
    assert registry.get("/events/lineage", before="", after="", offset=1)["events"][0]["eventType"] == "START"
    assert registry.get("/events/lineage", before=span["after"]) == {"events": [], "totalCount": 0}
    assert [registry.ask("/search", q="a", after=day).status_code for day in ("", "2026-01-01", "0")] == [200, 200, 422]


def test_a_run_knows_which_runs_its_values_came_from(shopping: Registry) -> None:
    runs = fitting(shopping.get("/runlineage/upstream", runId=run_id(5)), {"runs": [shapes.UPSTREAM]})["runs"]
    assert [item["run"]["id"] for item in runs] == [str(run_id(number)) for number in (5, 4, 1)]
    assert runs[0]["inputs"][0]["producedByRunId"] == str(run_id(4))
    assert [item["run"]["id"] for item in shopping.get("/runlineage/upstream", runId=run_id(5), depth=1)["runs"]] == [
        str(run_id(5)),
        str(run_id(4)),
    ]


def test_another_code_is_another_version_of_the_job(shopping: Registry) -> None:
    path = "/namespaces/shop/jobs/etl.daily/versions"
    versions = fitting(shopping.get(path), {"versions": [shapes.JOB_VERSION], "totalCount": int})["versions"]
    assert [item["latestRun"]["id"] for item in versions] == [str(run_id(4))]
    assert versions[0]["createdAt"] == at(102).isoformat().replace("+00:00", "Z")
    changed = {
        "sourceCode": {"_producer": "x", "_schemaURL": "x", "language": "python", "sourceCode": "def other(): ..."}
    }
    shopping.post(
        event("START", "etl.daily", 600, 7, inputs=(dataset("public.orders", POSTGRES),)),
        event("COMPLETE", "etl.daily", 601, 7, outputs=(DAILY,), job_facets=changed),
    )
    assert shopping.get(path)["totalCount"] == 2
    job = shopping.get("/namespaces/shop/jobs/etl.daily")
    newest = shopping.get(f"{path}/{job['currentVersion']}")
    assert newest["latestRun"]["id"] == str(run_id(7))
    assert shopping.get(path, asOf=at(550).isoformat())["versions"] == versions
    assert shopping.ask(f"{path}/{run_id(7)}").status_code == 404


def test_the_past_is_answered_as_it_was(shopping: Registry) -> None:
    path = f"/namespaces/{path_of(BUCKET)}/datasets/{path_of('a/b')}"
    early = at(150).isoformat()
    assert shopping.get(path)["facets"]["version"]["datasetVersion"] == "v2"
    then = shopping.get(path, asOf=early)
    assert then["facets"]["version"]["datasetVersion"] == "v1"
    assert shopping.get(f"{path}/versions", asOf=early)["totalCount"] == 1
    assert shopping.ask(path, asOf=at(50).isoformat()).status_code == 404
    assert shopping.get("/namespaces/shop/jobs", asOf=early)["totalCount"] == 2
    graph = shopping.get("/lineage", nodeId=f"dataset:{BUCKET}:a/b#{then['currentVersion']}")["graph"]
    assert [node["id"] for node in graph if node["type"] == "JOB"] == ["job:shop:etl.daily", "job:shop:load"]
    assert shopping.get(f"{path}/versions", knownAt="2020-01-01T00:00:00Z")["totalCount"] == 0


@pytest.mark.parametrize("name", ["s3://bucket/a/b", "a:b:1", "50%/25", "a b+c", "ü#x?y", "%2F"])
def test_any_name_works_in_a_path_and_in_a_node_id(registry: Registry, name: str) -> None:
    registry.post(event("COMPLETE", name, 1, 1, namespace=name, outputs=(dataset(name, name),)))
    for kind in ("job", "dataset"):
        found = registry.get(f"/namespaces/{path_of(name)}/{kind}s/{path_of(name)}")
        assert found["id"] == {"namespace": name, "name": name}
        assert registry.get(f"/namespaces/{path_of(name)}/{kind}s")["totalCount"] == 1
        graph = registry.get("/lineage", nodeId=f"{kind}:{name}:{name}")["graph"]
        assert {node["data"]["id"]["name"] for node in graph} == {name}
    assert registry.get(f"/namespaces/{path_of(name)}")["name"] == name


def test_a_node_id_is_read_as_marquez_writes_it() -> None:
    def likeliest(text: str) -> tuple[str, ...]:
        return next(read_node_id(text).readings())

    assert likeliest("dataset:postgres://h:5432:public.orders") == ("postgres://h:5432", "public.orders")
    assert likeliest("datasetField:s3://b:a/b:total") == ("s3://b", "a/b", "total")
    assert likeliest("job:shop:etl.daily") == ("shop", "etl.daily")
    version = "0195f000-0000-7000-8000-000000000001"
    assert str(read_node_id(f"dataset:a:b#{version}").version) == version
    assert read_node_id("dataset:a:b#c").text == "a:b#c"


def test_what_may_not_be_seen_is_not_there(shopping: Registry) -> None:
    some = Caller("some", frozenset({"registry:read"}), sight=Sight(frozenset({"nyc"}), frozenset({"shop"})))
    shopping.app.dependency_overrides[caller_of] = lambda: some
    try:
        assert [item["name"] for item in shopping.get("/namespaces")["namespaces"]] == ["shop", "x-festaf://nyc"]
        for path in (path_of(BUCKET), f"{path_of(BUCKET)}/datasets", f"{path_of(BUCKET)}/datasets/{path_of('a/b')}"):
            assert shopping.ask(f"/namespaces/{path}").status_code == 404
        job = shopping.get("/namespaces/shop/jobs/etl.daily")
        assert (job["inputs"], job["outputs"], job["latestRun"]["inputDatasetVersions"]) == ([], [], [])
        graph = shopping.get("/lineage", nodeId="job:shop:features")["graph"]
        assert [node["id"] for node in graph] == ["dataset:x-festaf://nyc:delays", "job:shop:features"]
        assert shopping.ask("/lineage", nodeId=f"dataset:{BUCKET}:a/b").status_code == 404
        assert BUCKET not in shopping.ask("/events/lineage").text
        assert BUCKET not in shopping.ask("/search", q="a").text
        assert BUCKET not in shopping.ask("/namespaces/shop/jobs/etl.daily/versions").text
        assert shopping.get("/sources")["sources"][0]["name"] == "default"
        assert shopping.http.put("/api/v1/tags/x", json={}).status_code == 403
    finally:
        shopping.app.dependency_overrides.clear()


def test_a_removed_dataset_comes_back_with_a_later_event(shopping: Registry) -> None:
    url = f"/api/v1/namespaces/{path_of(BUCKET)}/datasets/{path_of('a/b')}"
    assert shopping.http.delete(url).status_code == 200
    assert shopping.http.get(url).status_code == 404
    shopping.post(event("COMPLETE", "etl.daily", 250, 3, outputs=(versioned(DAILY, "late"),)))
    assert shopping.http.get(url).status_code == 404
    shopping.post(dataset_event(700, dataset("a/b", BUCKET)))
    assert shopping.http.get(url).json()["facets"]["version"]["datasetVersion"] == "v2"
    tag = f"{url}/tags/{quote('a/b', safe='')}"
    assert shopping.http.post(tag).json()["tags"] == ["a/b"]
    assert shopping.http.post(tag).json()["tags"] == ["a/b"]
    assert shopping.http.delete(tag).json()["tags"] == []
    job = "/api/v1/namespaces/shop/jobs/load"
    assert shopping.http.post(f"{job}/tags/x").json()["tags"] == ["x"]
    assert shopping.http.delete(job).json()["name"] == "load"
    assert shopping.http.get(job).status_code == 404
    assert shopping.http.post(f"{url}/fields/none/tags/x").status_code == 404


def test_what_people_mark_is_in_the_audit_log_with_what_stood_before(shopping: Registry) -> None:
    def mark(method: str, path: str, said: Any = None) -> None:
        for _ in range(2):
            assert shopping.http.request(method, f"/api/v1{path}", json=said).is_success

    mark("PUT", "/namespaces/shop", {"ownerName": "ann"})
    mark("PUT", "/namespaces/shop", {"ownerName": "bob", "description": "sales"})
    mark("PUT", "/tags/pii", {})
    mark("PUT", "/tags/pii", {"description": "of people"})
    mark("POST", "/namespaces/shop/jobs/load/tags/pii")
    mark("DELETE", "/namespaces/shop/jobs/load/tags/pii")
    shopping.http.delete("/api/v1/namespaces/shop/jobs/load")

    made = ("namespace.", "tag.", "job.")
    rows = [row for row in shopping.get("/audit")["items"][::-1] if row["action"].startswith(made)]
    ann, bob = '{"owner": "ann", "description": null}', '{"owner": "bob", "description": "sales"}'
    assert [(row["action"], row["entity"], row["before"], row["after"]) for row in rows[:-1]] == [
        ("namespace.describe", "shop", None, ann),
        ("namespace.describe", "shop", ann, bob),
        ("tag.describe", "pii", None, '{"description": null}'),
        ("tag.describe", "pii", '{"description": null}', '{"description": "of people"}'),
        ("tag.give", "job:shop:load", None, "pii"),
        ("tag.take", "job:shop:load", "pii", None),
    ]
    assert (rows[-1]["action"], rows[-1]["entity"], rows[-1]["before"]) == ("job.hide", "job:shop:load", "shown")


def test_a_list_takes_the_same_number_of_queries_however_long_it_is(shopping: Registry) -> None:
    for path in ("/jobs", "/namespaces/shop/jobs/etl.daily/runs", f"/namespaces/{path_of(BUCKET)}/datasets"):
        asked: list[int] = []
        for limit in (1, 100):
            with counted(shopping) as sent:
                shopping.get(path, limit=limit)
            asked.append(len(sent))
        assert asked[0] == asked[1], path
    assert shopping.get("/jobs", limit=5_000)["totalCount"] == 4
    assert [job["name"] for job in shopping.get("/jobs", lastRunStates="RUNNING")["jobs"]] == ["stream"]
    assert shopping.get("/jobs", lastRunStates="NEW") == {"jobs": [], "totalCount": 0}
    assert [job["name"] for job in shopping.get("/jobs", limit=2, offset=1)["jobs"]] == ["stream", "features"]


def test_features_are_columns_for_marquez(registry: Registry) -> None:
    bare = {key: value for key, value in FEATURES.items() if key != "facets"}
    registry.post(event("COMPLETE", "features", 1, 1, outputs=(FEATURES,)))
    registry.post(event("COMPLETE", "features", 2, 2, outputs=({**bare, "facets": {}},)))
    found = registry.get(f"/namespaces/{path_of('x-festaf://nyc')}/datasets/delays")
    assert [(field["name"], field["type"]) for field in found["fields"]] == [("mean_total", "double")]


def test_facets_that_are_broken_are_kept_and_break_nothing(sqlite_url: str) -> None:
    broken: dict[str, Any] = {
        "schema": {"fields": [1, {"name": 2}, {"name": "ok", "fields": "no"}, {"name": "ok"}]},
        "columnLineage": {
            "fields": {"ok": {"inputFields": [{"namespace": "a", "name": "b", "field": "c", "transformations": 5}]}}
        },
        "dataSource": {"name": 5},
        "tags": {"tags": [{"key": 1}, {"key": "k" * 300}, "x"]},
        "lifecycleStateChange": {"lifecycleStateChange": "DROP"},
        "n" * 300: {"x": 1},
    }
    facets = {
        "sql": {"query": 5},
        "festaf_dag": {"dag": {"dag_id": "d", "source": None}},
        "jobType": {"processingType": 1},
    }
    nominal = {"nominalTime": {"nominalStartTime": "soon", "nominalEndTime": "2026-01-01T00:00:00"}}
    with open_registry(sqlite_url) as registry:
        registry.post(
            event("OTHER", "j", 1, 1, outputs=(dataset("d", "n", **broken),), job_facets=facets, run_facets=nominal),
            event("COMPLETE", "j", 2, 1),
        )
        found = fitting(registry.get("/namespaces/n/datasets/d"), shapes.DATASET)
        assert ([field["name"] for field in found["fields"]], found["deleted"]) == (["ok"], True)
        assert found["facets"] == {name: body for name, body in broken.items() if len(name) < 300}
        run = fitting(registry.get(f"/jobs/runs/{run_id(1)}"), shapes.RUN)
        assert (run["nominalStartTime"], run["nominalEndTime"]) == (None, "2026-01-01T00:00:00Z")
        fitting(registry.get("/namespaces/shop/jobs/j"), shapes.JOB)
        for wrong in ("run:x", "dataset:", "dataset:a", "feature:a:b", "x", "datasetField:a:b", "job:::"):
            assert registry.ask("/lineage", nodeId=wrong).status_code in {404, 422}, wrong
            assert registry.ask("/column-lineage", nodeId=wrong).status_code in {404, 422}, wrong


def test_what_no_run_told_does_not_blank_the_web_page(registry: Registry) -> None:
    """The page reduces ``latestRuns`` without a first value, and reads ``run.runId`` of every event."""
    registry.post(
        event("COMPLETE", "load", 0, 1), job_event(1, "nightly"), dataset_event(2, dataset("orders", POSTGRES))
    )

    jobs = {job["name"]: job for job in registry.get("/jobs")["jobs"]}
    events = registry.get("/events/lineage")

    assert (jobs["nightly"]["latestRun"], jobs["nightly"]["latestRuns"]) == (None, None)
    assert len(jobs["load"]["latestRuns"]) == 1
    assert (events["totalCount"], [item["run"]["runId"] for item in events["events"]]) == (1, [str(run_id(1))])
