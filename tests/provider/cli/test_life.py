"""``festaf features history``, ``impact`` and ``declare``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.provider.cli.features import app
from tests.client.recorder import Reply, Request

if TYPE_CHECKING:
    from typer.testing import CliRunner

    from tests.client.recorder import Recorder

FEATURE = "nyc/delays/mean"
LONG = "x-festaf-training-set://nyc/" + "long_name_" * 12
HISTORY: dict[str, Any] = {
    "items": [
        {
            "at": "2026-03-02T00:10:00Z",
            "kind": "declared",
            "version": 2,
            "by": {"namespace": "prod", "dag_id": "flights", "task_id": "ingest", "run_id": "scheduled__1"},
            "changes": [
                {"field": "owner", "before": "ann", "after": "bob"},
                {"field": "logic", "before": "a", "after": "b", "diff": "--- before\n+++ after\n-a\n+b"},
            ],
        },
        {"at": "2026-03-01T00:10:00Z", "kind": "first_written"},
    ],
    "cursor": None,
}
IMPACT: dict[str, Any] = {
    "project": "nyc",
    "feature_set": "delays",
    "feature": "mean",
    "affected": [
        {"id": "a", "kind": "training_set", "namespace": "n", "name": LONG, "distance": 1, "origin": "declared"},
        {
            "id": "b",
            "kind": "model",
            "namespace": "n",
            "name": "delay",
            "distance": 2,
            "version": 3,
            "approval": "Approved",
            "owners": ["cleo"],
            "origin": "lineage",
        },
        {"id": "c", "kind": "task", "namespace": "prod", "name": "train.fit", "distance": 2, "origin": "lineage"},
        {"id": None, "kind": "task", "namespace": None, "name": None, "distance": 2, "origin": "lineage"},
    ],
    "counts": {"model": 1, "task": 2, "training_set": 1},
    "owners": ["cleo"],
    "truncated": True,
}
DECLARED = {
    "project": "nyc",
    "feature_set": "delays",
    "feature": "mean",
    "version": 2,
    "declared_at": "2026-03-02T00:00:00Z",
    "changed": True,
}


def replying(recorder: Recorder, body: dict[str, Any]) -> None:
    def answer(_request: Request) -> Reply:
        return Reply(200, body)

    recorder.answer = answer


def test_history_says_which_instance_of_a_mapped_task_it_was(runner: CliRunner, recorder: Recorder) -> None:
    by = HISTORY["items"][0]["by"] | {"map_index": 0}
    replying(recorder, HISTORY | {"items": [HISTORY["items"][0] | {"by": by, "changes": []}]})

    told = runner.invoke(app, ["history", FEATURE]).stdout

    assert told.strip().endswith("by flights.ingest map index 0 in scheduled__1 of prod")


def test_history_says_what_changed_and_by_whom(runner: CliRunner, recorder: Recorder) -> None:
    replying(recorder, HISTORY)

    result = runner.invoke(app, ["history", FEATURE, "--as-of", "2026-03-03T00:00:00Z"])

    assert result.stdout.splitlines() == [
        "2026-03-02 00:10:00 UTC  declared version 2, by flights.ingest in scheduled__1 of prod",
        "  owner: ann -> bob",
        "  logic:",
        "    --- before",
        "    +++ after",
        "    -a",
        "    +b",
        "2026-03-01 00:10:00 UTC  first written",
    ]
    assert recorder.requests[0].path.startswith("/api/v1/features/nyc/delays/mean/history?asOf=2026-03-03")


def test_impact_names_each_thing_on_one_line(runner: CliRunner, recorder: Recorder) -> None:
    replying(recorder, IMPACT)

    lines = runner.invoke(app, ["impact", FEATURE]).stdout.splitlines()

    assert lines[0] == f" 1  training set {LONG}"
    assert lines[1] == " 2  model delay version 3 Approved  cleo"
    assert lines[2] == " 2  task train.fit of prod"
    assert lines[3] == " 2  task (restricted)"
    assert lines[4:] == [
        "1 model, 2 tasks, 1 training set",
        "to be told: cleo",
        "There is more: --depth goes further.",
    ]


def test_a_feature_is_declared_over_the_one_that_is_known(runner: CliRunner, recorder: Recorder) -> None:
    replying(recorder, DECLARED)

    result = runner.invoke(
        app, ["declare", FEATURE, "--type", "Integral", "--tag", "a", "--tag", "b", "--if-match", "c" * 64]
    )

    (request,) = recorder.requests
    assert (request.method, request.path) == ("PUT", f"/api/v1/features/{FEATURE}")
    assert request.body == {"type": "Integral", "sources": [], "tags": ["a", "b"]}
    assert {name.lower(): value for name, value in request.headers.items()}["if-match"] == f'"{"c" * 64}"'
    assert result.stdout == f"{FEATURE} is version 2\n"
    replying(recorder, DECLARED | {"version": None})
    assert runner.invoke(app, ["declare", FEATURE, "--type", "Integral"]).stdout == f"{FEATURE} is declared\n"


def test_what_cannot_be_declared_is_said_in_a_sentence(runner: CliRunner, recorder: Recorder) -> None:
    assert "type" in runner.invoke(app, ["declare", FEATURE, "--type", "double"]).stderr
    assert "project" in runner.invoke(app, ["declare", "delays/mean", "--type", "String"]).stderr
    assert recorder.requests == []
