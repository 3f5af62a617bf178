"""What a run becomes in MLflow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from festaf.contract.experiment import ExperimentRun, TrainedModel, TrainingRecord
from festaf.provider.experiments.mlflow import MlflowExport
from tests.provider.experiments.tracking_server import TrackingServer, tracking_server

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLD = datetime(2026, 3, 1, 12, tzinfo=UTC)
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:training-job/job-1"


@pytest.fixture
def mlflow() -> Iterator[TrackingServer]:
    with tracking_server() as served:
        yield served


def exported(mlflow: TrackingServer, **said: Any) -> dict[str, Any]:
    """Export one run, and give what the server keeps of it."""
    record = TrainingRecord(project="nyc", experiment="late-flights", run="job-1", **said)
    run = ExperimentRun(record=record, entries=(1,), first_recorded=TOLD, last_recorded=TOLD + timedelta(days=1))
    (done,) = MlflowExport(mlflow.url).export("late-flights", [run])
    return mlflow.runs[done.mlflow_run_id]


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(("state", "status"), [("Completed", "FINISHED"), ("Failed", "FAILED"), ("Stopped", "KILLED")])
def test_a_state_is_told_in_words_of_mlflow(mlflow: TrackingServer, state: str, status: str) -> None:
    ended = TOLD - timedelta(hours=1)

    run = exported(mlflow, state=state, started_at=ended - timedelta(hours=1), ended_at=ended)

    assert (run["status"], run["started"]) == (status, milliseconds(ended - timedelta(hours=1)))
    assert run["ended"] == milliseconds(ended)


def test_a_run_that_was_recorded_without_a_state_is_finished_when_it_was_recorded(mlflow: TrackingServer) -> None:
    run = exported(mlflow, metrics={"auc": 0.76})

    assert (run["status"], run["started"], run["ended"]) == ("FINISHED", milliseconds(TOLD), milliseconds(TOLD))


def test_a_run_that_says_no_more_than_why_it_failed_has_failed(mlflow: TrackingServer) -> None:
    assert exported(mlflow, reason="out of memory")["status"] == "FAILED"


def test_a_job_that_a_task_did_not_wait_for_runs_until_a_model_comes_of_it(mlflow: TrackingServer) -> None:
    run = exported(mlflow, training_job=ARN, started_at=TOLD, ended_at=TOLD)
    assert (run["status"], run["ended"]) == ("RUNNING", None)

    run = exported(mlflow, training_job=ARN, model=TrainedModel(name="late-flights", version=1))
    assert (run["status"], len(mlflow.runs)) == ("FINISHED", 1)
