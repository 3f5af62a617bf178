"""The published Python client of OpenLineage, unmodified, sends to a registry that runs."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import (
    DatasetEvent,
    InputDataset,
    Job,
    JobEvent,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
    StaticDataset,
)
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    documentation_dataset,
    ownership_dataset,
    schema_dataset,
    sql_job,
)

from tests.served_registry import ServedRegistry, served_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

PRODUCER = "https://example.com/etl"
RAW = "s3://lake"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedRegistry]:
    with served_registry(tmp_path_factory.mktemp("openlineage")) as registry:
        yield registry


@pytest.fixture(scope="module")
def token(registry: ServedRegistry) -> str:
    return registry.token("lineage:write", "registry:read")


def _client(registry: ServedRegistry, token: str, **transport: Any) -> OpenLineageClient:
    auth = {"type": "api_key", "apiKey": token}
    return OpenLineageClient(config={"transport": {"url": registry.url, "auth": auth, **transport}})


def _output(feature_set: str) -> OutputDataset:
    origin = column_lineage_dataset.InputField(RAW, "raw.parquet", "speed")
    facets: dict[str, Any] = {
        "schema": schema_dataset.SchemaDatasetFacet(
            fields=[schema_dataset.SchemaDatasetFacetFields(name="wind", type="double")]
        ),
        "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(
            fields={"wind": column_lineage_dataset.Fields(inputFields=[origin])}
        ),
    }
    return OutputDataset("x-festaf://nyc", feature_set, facets=facets)


def _events(feature_set: str, run_id: str) -> list[Any]:
    """Give what a job tells of one run, of itself and of its dataset."""
    job = Job("etl", f"fill_{feature_set}", facets={"sql": sql_job.SQLJobFacet(query="SELECT 1")})
    raw = InputDataset(RAW, "raw.parquet")
    described: dict[str, Any] = {
        "documentation": documentation_dataset.DocumentationDatasetFacet(description="Winds"),
        "ownership": ownership_dataset.OwnershipDatasetFacet(owners=[ownership_dataset.Owner(name="team:sky")]),
    }
    when = "2026-11-25T10:00:0{}Z".format
    return [
        RunEvent(eventTime=when(1), producer=PRODUCER, run=Run(run_id), job=job, eventType=RunState.START),
        RunEvent(
            eventTime=when(2),
            producer=PRODUCER,
            run=Run(run_id),
            job=job,
            eventType=RunState.COMPLETE,
            inputs=[raw],
            outputs=[_output(feature_set)],
        ),
        JobEvent(eventTime=when(3), producer=PRODUCER, job=job),
        DatasetEvent(
            eventTime=when(4),
            producer=PRODUCER,
            dataset=StaticDataset("x-festaf://nyc", feature_set, facets=described),
        ),
    ]


@pytest.mark.parametrize("kind", ["http", "async_http"])
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_runs_jobs_and_datasets_arrive_with_token_and_compression(
    registry: ServedRegistry, token: str, kind: str, compression: str | None
) -> None:
    feature_set, run_id = f"{kind}_{compression}", str(uuid.uuid4())
    client = _client(registry, token, type=kind, compression=compression)
    for event in _events(feature_set, run_id):
        client.emit(event)
    assert client.close(timeout=60)
    run = registry.get(f"/runs/{run_id}", token)
    assert (run["job"], run["state"], run["started_at"]) == (
        f"fill_{feature_set}",
        "COMPLETE",
        "2026-11-25T10:00:01Z",
    )
    feature = registry.get(f"/features/nyc/{feature_set}/wind", token)
    assert [source["uri"] for source in feature["sources"]] == ["s3://lake/raw.parquet#speed"]
    assert feature["why"]["description"] == "Winds"
    assert feature["who"]["owner"] == "team:sky"
    assert feature["when"]["last_written"] == "2026-11-25T10:00:02Z"
    with closing(sqlite3.connect(registry.database)) as database:
        kinds = dict(database.execute("SELECT kind, count(*) FROM event GROUP BY kind"))
    assert kinds.keys() == {"run", "job", "dataset"}


def test_what_the_client_sends_again_is_one_fact(registry: ServedRegistry, token: str) -> None:
    events = _events("again", str(uuid.uuid4()))
    client = _client(registry, token, type="http")
    with closing(sqlite3.connect(registry.database)) as database:
        before = database.execute("SELECT count(*) FROM event").fetchone()[0]
        for event in (*events, *events):
            client.emit(event)
        assert database.execute("SELECT count(*) FROM event").fetchone()[0] == before + len(events)


def test_a_wrong_token_is_refused_at_once_and_not_tried_again(registry: ServedRegistry) -> None:
    client = _client(registry, "wrong", type="http")
    with pytest.raises(Exception, match="401") as error:
        client.emit(_events("refused", str(uuid.uuid4()))[0])
    assert not isinstance(error.value, httpx.TransportError)
