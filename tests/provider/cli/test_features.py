"""``festaf features`` lists features and shows what was declared of one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from festaf.contract.feature import FeatureSummary
from festaf.provider.cli import answer, features
from festaf.provider.cli.features import app
from tests.client.recorder import Reply
from tests.provider.cli.conftest import SUMMARIES

if TYPE_CHECKING:
    import pytest
    from typer.testing import CliRunner

    from tests.client.recorder import Recorder


def test_features_are_listed_in_columns(runner: CliRunner) -> None:
    result = runner.invoke(app, ["list"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["feature", "type", "owner", "DAG", "last", "written"]
    assert "nyc/weather/wind" in result.stdout
    assert "(deleted)" in result.stdout


def test_a_list_names_the_airflow_of_each_dag(runner: CliRunner, recorder: Recorder) -> None:
    rows = [SUMMARIES[0] | {"dag_id": "load", "dag_namespace": of} for of in ("prod", "lab", None)]
    recorder.answer = lambda _: Reply(200, {"items": rows})
    lines = runner.invoke(app, ["list"]).stdout.splitlines()
    assert [re.split(" {2,}", line)[2] for line in lines[1:]] == ["load of prod", "load of lab", "load"]


def test_no_name_is_wrapped_when_a_program_reads_the_list(runner: CliRunner) -> None:
    lines = runner.invoke(app, ["list"]).stdout.splitlines()
    assert len(lines) == len(SUMMARIES) + 1
    for line, summary in zip(lines[1:], SUMMARIES, strict=True):
        assert line.startswith(f"{summary['project']}/{summary['feature_set']}/{summary['name']} ")
        assert line == line.rstrip()


def test_a_terminal_is_filled_to_its_own_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    found = [FeatureSummary.model_validate(item) for item in SUMMARIES]
    for width in (60, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        answer.show(features._table(found), unwrapped=True)
        lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
        assert max(map(len, lines)) <= width
        assert (len(lines) == len(SUMMARIES) + 1) is (width == 200)


def test_a_list_is_narrowed_by_the_registry(runner: CliRunner, recorder: Recorder) -> None:
    runner.invoke(app, ["list", "wind", "--project", "nyc", "--feature-set", "weather"])
    assert recorder.requests[0].path == "/api/v1/features?q=wind&project=nyc&feature_set=weather&limit=100"
    runner.invoke(app, ["list", "--owner", "team:wind", "--dag", "hourly", "--airflow", "airflow-lab"])
    narrowed = "owner=team%3Awind&dag_id=hourly&dag_namespace=airflow-lab"
    assert recorder.requests[1].path == f"/api/v1/features?{narrowed}&limit=100"


def test_a_longer_list_says_that_there_is_more(runner: CliRunner) -> None:
    result = runner.invoke(app, ["list", "--limit", "1"])
    assert "There are more" in result.stderr
    assert "sfo" not in result.stdout


def test_json_is_all_that_is_printed(runner: CliRunner) -> None:
    listed = json.loads(runner.invoke(app, ["list", "--json"]).stdout)
    assert [item["name"] for item in listed] == [item["name"] for item in SUMMARIES]
    shown = json.loads(runner.invoke(app, ["show", "nyc/delays/carrier_delay_24h_min", "--json"]).stdout)
    assert shown["who"]["owner"] == "team:flight-ops"


def test_an_empty_registry_says_so(runner: CliRunner) -> None:
    result = runner.invoke(app, ["list", "--feature-set", "none"])
    assert (result.exit_code, result.stdout) == (0, "No features.\n")


def test_the_declaration_of_a_feature_is_shown(runner: CliRunner) -> None:
    result = runner.invoke(app, ["show", "delays.carrier_delay_24h_min"])
    assert result.exit_code == 0
    assert "team:flight-ops" in result.stdout
    assert "rolling mean over 24 hours" in result.stdout
    (written,) = [line for line in result.stdout.splitlines() if line.startswith("last written")]
    assert written.endswith("2026-11-21 01:19:47 UTC, by flights_features.ingest of default")
