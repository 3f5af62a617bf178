"""A registry that knows three features, and the program run against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from tests.client.recorder import Recorder, Reply, Request, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

FEATURE: dict[str, Any] = {
    "project": "nyc",
    "feature_set": "delays",
    "name": "carrier_delay_24h_min",
    "type": "Fractional",
    "version": 2,
    "tags": ["delay"],
    "who": {"owner": "team:flight-ops", "dag_owners": ["ann"]},
    "when": {
        "first_seen": "2026-11-21T01:15:00Z",
        "last_written": "2026-11-21T01:19:47Z",
        "last_event_time": "2013-12-30T23:00:00Z",
        "next_run": "2026-11-21T02:00:00Z",
        "schedule": "0 * * * *",
    },
    "why": {"purpose": "Predict late departures", "description": "Mean departure delay of the carrier " * 5},
    "how": {
        "technique": "rolling mean over 24 hours",
        "logic": {"text": "\n".join(f"line_{number} = {number}" for number in range(20)), "sha256": "a" * 64},
        "dag_file": {"path": "flights_features.py", "sha256": "b" * 64, "text": "x = 1"},
    },
    "run": {
        "namespace": "default",
        "dag_id": "flights_features",
        "dag_version": {"number": 3, "bundle_name": "dags-folder"},
        "run_id": "manual__2026-11-21T01:19:36+00:00",
        "task_id": "ingest",
        "try_number": 1,
        "operator": "IngestFeaturesOperator",
        "started_at": "2026-11-21T01:19:36Z",
        "ended_at": "2026-11-21T01:19:47Z",
        "openlineage_run_id": "01a1fbaf-f5de-72b3-bdbb-b0cc384b9876",
        "rows": {"read": 336776, "accepted": 336770, "rejected": 6},
    },
    "sources": [
        {
            "uri": "file:///data/" + "long/" * 20 + "flights.parquet#dep_delay",
            "namespace": "file",
            "name": "/data",
            "origin": "declared",
        }
    ],
    "consumers": [{"kind": "dag", "namespace": "default", "name": "flights_training", "origin": "lineage"}],
}
SUMMARIES = [
    {"project": "nyc", "feature_set": "delays", "name": "carrier_delay_24h_min", "type": "Fractional", "dag_id": "f"},
    {"project": "nyc", "feature_set": "weather", "name": "wind", "owner": "ann"},
    {"project": "sfo", "feature_set": "weather", "name": "wind", "deleted": True},
]


def answer(request: Request) -> Reply:
    """Answer as the registry does for what it knows."""
    parts = urlsplit(request.path)
    asked = parse_qs(parts.query)
    if parts.path == "/api/v1/features":
        kept = [item for item in SUMMARIES if asked.get("feature_set", [item["feature_set"]]) == [item["feature_set"]]]
        return Reply(200, {"items": kept, "cursor": None})
    if parts.path == "/api/v1/feature-requests":
        return Reply(200, {"items": [], "cursor": None})
    if parts.path == "/api/v1/features/nyc/delays/carrier_delay_24h_min":
        return Reply(200, FEATURE)
    return problem(404, "there is no such feature")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder.started() as recorder:
        recorder.answer = answer
        yield recorder


@pytest.fixture
def runner(recorder: Recorder) -> CliRunner:
    return CliRunner(env={"FESTAF_REGISTRY_URL": recorder.url, "COLUMNS": "80", "TERM": "dumb"})
