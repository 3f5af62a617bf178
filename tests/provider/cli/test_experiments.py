"""``festaf experiments`` against a real registry: list, compare, verify and export."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from festaf.client.experiments import ExperimentClient
from festaf.contract.experiment import TrainedModel, TrainingData, TrainingRecord
from festaf.provider.cli.experiments import app
from tests.provider.experiments.tracking_server import tracking_server
from tests.served_registry import served_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

NAME = "nyc/late-flights"


def record(run: str, auc: float, depth: str) -> TrainingRecord:
    return TrainingRecord(
        project="nyc",
        experiment="late-flights",
        run=run,
        state="Completed",
        parameters={"depth": depth, "seed": "1"},
        metrics={"validation:auc": auc},
        data=(TrainingData(name="train", uri="s3://lake/rows", manifest="s3://lake/manifest.json"),),
        model=TrainedModel(name="late-flights", version=1),
    )


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a registry that knows two runs."""
    with served_registry(tmp_path_factory.mktemp("experiments"), demo=True) as served:
        with ExperimentClient(served.url) as client:
            assert client.record(record("job-1", 0.7, "6")).entries == (1,)
            client.record(record("job-2", 0.75, "8"))
            assert client.record(record("job-1", 0.7, "6")).entries == (1,)
        yield served.url


@pytest.fixture
def asked(registry: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("FESTAF_REGISTRY_URL", registry)
    return CliRunner()


def ran(asked: CliRunner, *words: str, code: int = 0) -> Result:
    result = asked.invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result


def test_experiments_and_runs_are_listed(asked: CliRunner) -> None:
    assert NAME in ran(asked, "list").stdout
    assert [item["runs"] for item in json.loads(ran(asked, "list", "--json").stdout)] == [2]
    lines = ran(asked, "list", NAME).stdout.splitlines()
    assert "job-2" in lines[1]
    assert "validation:auc 0.75" in lines[1]
    assert "late-flights:1" in lines[1]


def test_a_run_is_shown(asked: CliRunner) -> None:
    text = ran(asked, "show", NAME, "job-1").stdout
    assert "parameters.depth" in text
    assert "s3://lake/manifest.json" in text
    assert "no run job-9" in str(ran(asked, "show", NAME, "job-9", code=1).exception)


def test_runs_are_compared_by_what_differs(asked: CliRunner) -> None:
    text = ran(asked, "compare", NAME, "job-1", "job-2").stdout
    assert "parameter depth" in text
    assert "seed" not in text
    assert "seed" in ran(asked, "compare", NAME, "job-1", "job-2", "--all").stdout
    assert "two runs" in ran(asked, "compare", NAME, "job-1", code=1).stderr


def test_a_whole_chain_is_said_to_be_whole(asked: CliRunner) -> None:
    assert "is whole: 2 entries" in ran(asked, "verify", NAME).stdout
    assert "write project/experiment" in ran(asked, "verify", "late-flights", code=1).stderr


def test_a_run_whose_record_was_changed_says_so(
    asked: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served_registry(tmp_path, demo=True) as served:
        monkeypatch.setenv("FESTAF_REGISTRY_URL", served.url)
        with ExperimentClient(served.url) as client:
            client.record(record("job-1", 0.7, "6"))
        with closing(sqlite3.connect(served.database)) as database, database:
            database.execute("DROP TRIGGER experiment_entry_refuses_update")
            database.execute("UPDATE experiment_entry SET content = replace(content, '0.7', '0.9')")

        assert "job-1 (changed)" in ran(asked, "list", NAME).stdout
        assert "The record of job-1 was changed" in ran(asked, "show", NAME, "job-1").stderr


def test_an_export_to_mlflow_is_made_once_however_often_it_is_asked_for(asked: CliRunner) -> None:
    with tracking_server() as mlflow:
        mlflow.failing = "runs/update"
        assert "0 of 2 runs" in ran(asked, "export", NAME, "--to", mlflow.url, code=1).stderr
        mlflow.failing = None
        done = json.loads(ran(asked, "export", NAME, "--to", mlflow.url, "--json").stdout)
        assert [(item["run"], item["created"]) for item in done] == [("job-1", False), ("job-2", True)]
        ran(asked, "export", NAME, "--to", mlflow.url)
        assert mlflow.experiments == {NAME: "1"}
        first, second = mlflow.runs.values()
    assert (first["status"], first["params"]) == ("FINISHED", {"depth": "6", "seed": "1"})
    assert second["metrics"] == {"validation_auc": 0.75}
    assert second["tags"]["festaf.data.train"] == "s3://lake/manifest.json"
    assert second["tags"]["festaf.model"] == "late-flights:1"


def test_an_mlflow_that_is_away_is_said_in_one_sentence(asked: CliRunner) -> None:
    result = ran(asked, "export", NAME, "--to", "http://127.0.0.1:9", code=1)
    assert "cannot be reached" in result.stderr
