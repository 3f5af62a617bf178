"""``festaf lineage`` answers where a feature comes from, and looks after the spool."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from festaf.client import Spool
from festaf.provider.cli.lineage import app
from tests.client.recorder import Reply, problem, yes
from tests.provider.cli.conftest import answer

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import CliRunner

    from tests.client.recorder import Recorder, Request

NAME = "nyc/delays/carrier_delay_24h_min"


@pytest.mark.parametrize("text", [NAME, "delays/carrier_delay_24h_min", "delays.carrier_delay_24h_min"])
def test_a_feature_is_found_by_each_way_to_write_it(runner: CliRunner, text: str) -> None:
    result = runner.invoke(app, ["show", text])
    assert result.exit_code == 0
    assert result.stdout.startswith(NAME)


def test_the_tree_reads_well_when_it_is_piped(runner: CliRunner) -> None:
    text = runner.invoke(app, ["show", NAME]).stdout
    lines = text.splitlines()
    assert "\x1b" not in text
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line != line.rstrip()] == []
    for told in (
        "team:flight-ops",
        "2026-11-21 02:00:00 UTC",
        "Predict late departures",
        "rolling mean over 24 hours",
        "line_0 = 0",
        "... 8 more lines: --code",
        "flights_features.py, sha256 bbbbbbbbbbbb",
        "Airflow      default",
        "flights_features, version 3, bundle dags-folder",
        "ingest, try 1 (IngestFeaturesOperator)",
        "336,776 read, 336,770 accepted, 6 rejected",
        "dag flights_training of default  lineage",
    ):
        assert told in text


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (
            {"waits_for": [{"uri": "s3://raw/f", "dag_id": "load", "next_run": "2026-11-21T02:00:00Z"}]},
            "waits for    s3://raw/f, written by load, which runs next",
        ),
        (
            {"waits_for": [{"uri": "s3://raw/f", "dag_id": "load", "dag_namespace": "airflow-lab"}]},
            "waits for    s3://raw/f, written by load of airflow-lab\n",
        ),
        ({"waits_for": [{"uri": None, "access": "restricted"}]}, "waits for    (restricted)"),
        ({"dag_deleted": True}, "0 * * * * (Airflow no longer has this DAG)"),
        ({"dag_paused": True}, "0 * * * * (paused)"),
    ],
)
def test_why_a_dag_does_not_run_again_is_said(
    runner: CliRunner, recorder: Recorder, facts: dict[str, object], told: str
) -> None:
    feature = json.loads(runner.invoke(app, ["show", NAME, "--json"]).stdout)
    feature["when"] |= {"schedule": "0 * * * *", "next_run": None, **facts}
    recorder.answer = lambda _: Reply(200, feature)
    assert told in runner.invoke(app, ["show", NAME]).stdout


def test_what_is_deleted_is_marked_and_why_the_dag_ran_is_said(runner: CliRunner, recorder: Recorder) -> None:
    feature = json.loads(runner.invoke(app, ["show", NAME, "--json"]).stdout)
    feature["consumers"][0]["access"] = "deleted"
    feature["sources"][0] |= {"uri": "s3://raw/flights", "access": "deleted"}
    feature["run"] |= {
        "triggered_by": ["s3://raw/flights"],
        "data_interval_start": "2026-11-20T00:00:00Z",
        "data_interval_end": "2026-11-21T00:00:00Z",
    }
    recorder.answer = lambda _: Reply(200, feature)

    text = runner.invoke(app, ["show", NAME]).stdout

    assert "s3://raw/flights (deleted)" in text
    assert "dag flights_training of default (deleted)" in text
    assert ["triggered", "by", "s3://raw/flights"] in [line.split()[-3:] for line in text.splitlines()]
    assert "2026-11-20 00:00:00 UTC to 2026-11-21 00:00:00 UTC" in text


def test_each_dag_and_task_that_reads_is_named_with_its_airflow_and_nothing_else_is(
    runner: CliRunner, recorder: Recorder
) -> None:
    feature = json.loads(runner.invoke(app, ["show", NAME, "--json"]).stdout)
    feature["consumers"] = [
        {"kind": "dag", "namespace": "berlin", "name": "training", "origin": "lineage"},
        {"kind": "task", "namespace": "paris", "name": "training.fit", "origin": "lineage"},
        {"kind": "model", "namespace": "nyc", "name": "delay", "version": 3, "origin": "lineage"},
        {"kind": "dag", "namespace": None, "name": None, "origin": "lineage", "access": "restricted"},
    ]
    recorder.answer = lambda _: Reply(200, feature)

    lines = runner.invoke(app, ["show", NAME]).stdout.splitlines()[-4:]

    assert [line.removeprefix("└── to").strip().removesuffix("  lineage") for line in lines] == [
        "dag training of berlin",
        "task training.fit of paris",
        "model delay version 3",
        "dag (restricted)",
    ]


def test_the_whole_code_is_shown_when_asked(runner: CliRunner) -> None:
    text = runner.invoke(app, ["show", NAME, "--code"]).stdout
    assert "line_19 = 19" in text
    assert "more lines" not in text


def test_json_is_the_registrys_answer(runner: CliRunner) -> None:
    answer = json.loads(runner.invoke(app, ["show", NAME, "--json"]).stdout)
    assert answer["run"]["dag_version"]["number"] == 3


def test_an_unknown_feature_suggests_near_names(runner: CliRunner) -> None:
    result = runner.invoke(app, ["show", "nyc/delays/carrier_delay_24_min"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "knows no feature nyc/delays/carrier_delay_24_min" in result.stderr
    assert f"did you mean {NAME}?" in result.stderr
    nothing_like_it = runner.invoke(app, ["show", "x/y/zzzz"]).stderr
    assert "festaf features list" in nothing_like_it
    assert nothing_like_it.endswith("Ask for it: festaf features request zzzz --project x --purpose WHY\n")


def test_a_feature_that_was_not_known_then_is_not_suggested_in_its_own_place(
    runner: CliRunner, recorder: Recorder
) -> None:
    def only_now(request: Request) -> Reply:
        return problem(404, "not yet") if "?asOf=" in request.path or "?knownAt=" in request.path else answer(request)

    recorder.answer = only_now
    for option, told in (("--as-of", " at 2026-11-21"), ("--known-at", ", by what it knew at 2026-11-21")):
        said = runner.invoke(app, ["show", "delays.carrier_delay_24h_min", option, "2026-11-21T12:00:00Z"]).stderr
        assert f"knows no feature delays/carrier_delay_24h_min{told}T12:00:00+00:00; it does now" in said


def test_a_name_that_stands_in_two_projects_asks_which(runner: CliRunner) -> None:
    result = runner.invoke(app, ["show", "weather.wind"])
    assert result.exit_code == 1
    assert "one of nyc/weather/wind, sfo/weather/wind" in result.stderr


def test_dots_do_instead_of_slashes(runner: CliRunner) -> None:
    for text in (NAME, NAME.replace("/", "."), NAME.partition("/")[2].replace("/", ".")):
        assert json.loads(runner.invoke(app, ["show", text, "--json"]).stdout)["feature_set"] == "delays"


@pytest.mark.parametrize("text", ["wind", "a/b/c/d", "a//c", "/", "a.b.c.d", "a..c"])
def test_what_is_no_feature_name_is_refused(runner: CliRunner, text: str) -> None:
    result = runner.invoke(app, ["show", text])
    assert result.exit_code == 1
    assert "is no feature: write project/feature_set/feature" in result.stderr


def test_the_answer_of_another_time_is_asked_for(runner: CliRunner, recorder: Recorder) -> None:
    runner.invoke(app, ["show", NAME, "--as-of", "2026-11-21T12:00:00Z"])
    assert recorder.requests[0].path.endswith("?asOf=2026-11-21T12%3A00%3A00%2B00%3A00")
    for text, meant in (("2026-11-21T12:00:00", "2026-11-21T12:00:00Z"), ("2026-11-21", "2026-11-21T00:00:00Z")):
        told = runner.invoke(app, ["show", NAME, "--as-of", text]).stderr
        assert told == f"'{text}' has no time zone: add Z for UTC, as in {meant}\n"
        assert runner.invoke(app, ["show", NAME, "--as-of", meant]).exit_code == 0
    assert "is no time" in runner.invoke(app, ["show", NAME, "--as-of", "yesterday"]).stderr


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path)
    spool.append(b'{"n": 1}')
    return spool


def test_what_waits_is_sent_by_hand(runner: CliRunner, recorder: Recorder, spool: Spool) -> None:
    recorder.answer = yes
    result = runner.invoke(app, ["flush", "--spool", str(spool.folder)])
    assert (result.exit_code, result.stdout) == (0, f"1 sent, 0 refused, 0 left in {spool.folder}\n")
    assert recorder.events == [{"n": 1}]


def test_what_was_refused_is_sent_once_more(runner: CliRunner, recorder: Recorder, spool: Spool) -> None:
    recorder.answer = lambda _: problem(422, "run: missing")
    assert "1 refused" in runner.invoke(app, ["flush", "--spool", str(spool.folder)]).stdout
    assert "1 were refused" in runner.invoke(app, ["status", "--spool", str(spool.folder)]).stdout
    recorder.answer = yes
    result = json.loads(runner.invoke(app, ["flush", "--rejected", "--json", "--spool", str(spool.folder)]).stdout)
    assert (result["sent"], result["left"]) == (1, 0)


def test_a_flush_that_fails_says_why_and_loses_nothing(runner: CliRunner, recorder: Recorder, spool: Spool) -> None:
    recorder.answer = lambda _: problem(401, "the token is unknown")
    result = runner.invoke(app, ["flush", "--spool", str(spool.folder)])
    assert result.exit_code == 1
    assert "the token is unknown" in result.stderr
    status = runner.invoke(app, ["status", "--spool", str(spool.folder)]).stdout
    assert "1 events" in status
    assert "the token is unknown" in status


def test_an_empty_spool_is_no_failure(runner: CliRunner, tmp_path: Path) -> None:
    assert runner.invoke(app, ["flush", "--spool", str(tmp_path)]).exit_code == 0
    unmade = {"AIRFLOW__FESTAF__SPOOL_DIR": str(tmp_path / "none")}
    state = json.loads(runner.invoke(app, ["status", "--json"], env=unmade).stdout)
    assert (state["pending"], state["rejected"], state["breaker"]) == (0, 0, None)


@pytest.mark.parametrize("command", ["status", "flush"])
def test_a_spool_that_is_named_and_not_there_is_a_mistake(runner: CliRunner, tmp_path: Path, command: str) -> None:
    result = runner.invoke(app, [command, "--spool", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "does not exist" in result.stderr
    assert not (tmp_path / "none").exists()
