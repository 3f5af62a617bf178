"""Marquez's own Python client, unmodified, reads a running registry that asks for a token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from marquez_client import client as marquez
from marquez_client.errors import APIError
from typer.testing import CliRunner

from festaf.registry_api.cli import app
from tests.registry_api.marquez import shapes
from tests.registry_api.marquez.shapes import misfits
from tests.registry_api.marquez.shop import BUCKET, ODD, POSTGRES, run_id, shop
from tests.registry_api.test_cli import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[marquez.MarquezClient]:
    """Give a client of a registry that knows the shop."""
    folder: Path = tmp_path_factory.mktemp("marquez")
    url = f"sqlite:///{folder / 'registry.db'}"
    made = CliRunner().invoke(
        app, ["token", "create", "marquez", "--scope", "admin", "--database-url", url, "--json"], catch_exceptions=False
    )
    token = json.loads(made.stdout)["token"]
    with serving("--database-url", url) as (address, _):
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(f"{address}/api/v1/lineage/batch", json=shop(), headers=headers, timeout=30)
        assert answer.status_code == 204, answer.text
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(marquez, "_HEADERS", dict(marquez._HEADERS))
            yield marquez.MarquezClient(address, timeout_ms=30_000, api_key=token)


def fitting(answer: Any, shape: Any) -> Any:
    assert misfits(answer, shape) == []
    return answer


def test_namespaces_sources_and_tags(reader: marquez.MarquezClient) -> None:
    listed = fitting(reader.list_namespaces(), {"namespaces": [shapes.NAMESPACE]})["namespaces"]
    assert [item["name"] for item in listed] == [POSTGRES, BUCKET, "shop", "x-festaf://nyc"]
    assert fitting(reader.get_namespace(POSTGRES), shapes.NAMESPACE) == listed[0]
    assert reader.list_namespaces(limit=1, offset=1)["namespaces"] == [listed[1]]

    named = fitting(reader.create_namespace("team/a:1", "ann", "of ann"), shapes.NAMESPACE)
    assert (named["ownerName"], named["description"]) == ("ann", "of ann")
    assert reader.get_namespace("team/a:1") == named

    assert [item["name"] for item in fitting(reader.list_sources(), {"sources": [shapes.SOURCE]})["sources"]] == [
        "default"
    ]
    fitting(reader.get_source("default"), shapes.SOURCE)
    reader.create_tag("GOLD", "the best")
    tags = fitting(reader.list_tags(), {"tags": [shapes.TAG]})["tags"]
    assert {"name": "GOLD", "description": "the best"} in tags
    assert {"name": "team:sea", "description": None} in tags


def test_datasets_and_their_versions(reader: marquez.MarquezClient) -> None:
    page = fitting(reader.list_datasets(POSTGRES), {"datasets": [shapes.DATASET], "totalCount": int})
    orders = fitting(reader.get_dataset(POSTGRES, "public.orders"), shapes.DATASET)
    assert page == {"datasets": [orders], "totalCount": 1}
    assert [field["name"] for field in orders["fields"]] == ["id", "address", "address.city", "total"]
    assert orders["fields"][1]["tags"] == ["pii"]
    assert orders["tags"] == ["team:sea"]
    assert orders["description"] == "every order"
    assert orders["facets"]["odd"] == ODD

    listed = fitting(
        reader.list_dataset_versions(BUCKET, "a/b"), {"versions": [shapes.DATASET_VERSION], "totalCount": int}
    )
    assert [item["externalVersion"] for item in listed["versions"]] == ["v2", "v1"]
    assert [item["createdByRun"]["id"] for item in listed["versions"]] == [str(run_id(4)), str(run_id(2))]
    daily = reader.get_dataset(BUCKET, "a/b")
    assert daily["currentVersion"] == listed["versions"][0]["version"]
    assert reader.get_dataset_version(BUCKET, "a/b", daily["currentVersion"]) == listed["versions"][0]

    tagged = fitting(reader.tag_dataset(BUCKET, "a/b", "50%/x"), shapes.DATASET)
    assert tagged["tags"] == ["50%/x"]
    field = reader.tag_dataset_field(POSTGRES, "public.orders", "address.city", "town")["fields"][2]
    assert (field["name"], field["tags"]) == ("address.city", ["town"])


def test_jobs_and_their_runs(reader: marquez.MarquezClient) -> None:
    page = fitting(reader.list_jobs("shop"), {"jobs": [shapes.JOB], "totalCount": int})
    assert ([job["name"] for job in page["jobs"]], page["totalCount"]) == (
        ["etl.daily", "stream", "features", "load"],
        4,
    )
    daily = fitting(reader.get_job("shop", "etl.daily"), shapes.JOB)
    assert daily == page["jobs"][0]
    assert (daily["simpleName"], daily["parentJobName"], daily["location"]) == (
        "daily",
        "etl",
        "https://example.com/z.py",
    )
    assert daily["inputs"] == [{"namespace": POSTGRES, "name": "public.orders"}]
    assert daily["outputs"] == [{"namespace": BUCKET, "name": "a/b"}]
    assert [run["state"] for run in daily["latestRuns"]] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert daily["latestRun"]["durationMs"] == 120_000
    assert page["jobs"][1]["type"] == "STREAM"

    runs = fitting(reader.list_job_runs("shop", "etl.daily", limit=2), {"runs": [shapes.RUN], "totalCount": int})
    assert ([run["id"] for run in runs["runs"]], runs["totalCount"]) == ([str(run_id(4)), str(run_id(3))], 3)
    assert reader.get_job_run(str(run_id(4))) == runs["runs"][0]
    assert runs["runs"][1]["facets"]["errorMessage"]["message"] == "no"
    read = runs["runs"][0]["inputDatasetVersions"][0]["datasetVersionId"]
    assert read["version"] == reader.get_dataset(POSTGRES, "public.orders")["currentVersion"]


def test_column_lineage_and_events(reader: marquez.MarquezClient) -> None:
    graph = fitting(
        reader.get_column_lineage_by_dataset_field("x-festaf://nyc", "delays", "mean_total"),
        {"graph": [shapes.FIELD_NODE], "truncated": bool},
    )["graph"]
    ids = [node["id"] for node in graph]
    assert ids == [
        f"datasetField:{POSTGRES}:public.orders:total",
        f"datasetField:{BUCKET}:a/b:total",
        "datasetField:x-festaf://nyc:delays:mean_total",
    ]
    assert graph[1]["inEdges"] == [{"origin": ids[1], "destination": ids[0]}]
    assert graph[1]["outEdges"] == [{"origin": ids[1], "destination": ids[2]}]
    assert graph[1]["data"]["transformationType"] == "DIRECT/AGGREGATION"
    assert [item["id"] for item in reader.get_column_lineage_by_job("shop", "etl.daily")["graph"]] == ids[:2]
    whole = reader.get_column_lineage_by_dataset(BUCKET, "a/b", depth=5, with_downstream=True)
    assert [item["id"] for item in whole["graph"]] == ids

    events = fitting(reader.list_events(limit=3), {"events": [dict], "totalCount": int})
    assert events["totalCount"] == len(shop())
    assert events["events"][0] == shop()[-1]
    assert reader.list_events("shop", limit=1)["events"][0]["job"]["name"] == "stream"


def test_what_is_absent_or_superseded_is_an_error_of_the_client(reader: marquez.MarquezClient) -> None:
    with pytest.raises(APIError) as absent:
        reader.get_job("shop", "nothing")
    answer = absent.value.__cause__.response  # type: ignore[union-attr]
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (
        404,
        404,
        "Job 'nothing' not found.",
    )
    for read in (reader.get_job, reader.list_job_runs, reader.get_dataset, reader.list_dataset_versions):
        with pytest.raises(APIError) as outside:
            read("nowhere", "nothing")
        assert outside.value.__cause__.response.json()["message"] == "Namespace 'nowhere' not found."  # type: ignore[union-attr]
    with pytest.warns(DeprecationWarning, match="create_job_run"), pytest.raises(APIError) as refused:
        reader.create_job_run("shop", "load")
    answer = refused.value.__cause__.response  # type: ignore[union-attr]
    assert answer.status_code == 405
    assert "POST /api/v1/lineage" in answer.json()["message"]
