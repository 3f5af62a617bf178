"""Fixtures of the model side: a hook, a training job's output, a registered version, and a task's context."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from botocore.retries.standard import ExponentialBackoff

from tests.feature_store import BUCKET, FakeDag, FakeTask, Run

if TYPE_CHECKING:
    from festaf.operators.model.task import ModelTask
    from festaf.provider.hooks.model import ModelHook
    from tests.local_aws.server import LocalAws

Task = TypeVar("Task", bound="ModelTask")
ROLE = "arn:aws:iam::123456789012:role/sagemaker"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn:1.5"
HELD_OUT = f"s3://{BUCKET}/held-out/manifest.json"


@dataclass
class FakeRunningTask(FakeTask):
    """The task instance, as far as operators on models ask it."""

    dag_id: str = "training"
    run_id: str = "manual__2013-02-01"
    task_id: str = "register"
    map_index: int = -1
    task: Any = None
    pushed: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep what the task pushes."""
        self.pushed[key] = value


@dataclass
class FakeRun:
    """The DAG run, as far as operators ask it."""

    run_after: datetime = datetime(2013, 2, 1, tzinfo=UTC)


@pytest.fixture
def models(aws: LocalAws) -> ModelHook:
    """Give a hook to the models of the local AWS."""
    return _hook(os.environ["AIRFLOW_CONN_AWS_DEFAULT"])


@cache
def _hook(connection: str) -> ModelHook:
    """Keep one hook for the session: making its clients takes longer than most tests."""
    from festaf.provider.hooks.model import ModelHook

    return ModelHook()


def hooked(task: Task) -> Task:
    """Give a task the session's hook."""
    task.__dict__["hook"] = _hook(os.environ["AIRFLOW_CONN_AWS_DEFAULT"])
    return task


def new_run(**task: Any) -> Run:
    """Give the context of a task instance that starts."""
    from airflow.sdk.execution_time.context import OutletEventAccessors

    return Run(
        {
            "ti": FakeRunningTask(**task),
            "dag": FakeDag(),
            "dag_run": FakeRun(),
            "outlet_events": OutletEventAccessors(),
            "task_reschedule_count": 0,
        }
    )


@pytest.fixture
def task_run(hurried: None) -> Run:
    """Give the context of a task instance with its DAG run, whose waits are short."""
    return new_run()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten botocore's waits between its tries, and ours before a thing is believed to be absent."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0.01)
    monkeypatch.setattr("festaf.provider.hooks.aws.ABSENT_PAUSES", (0.05, 0.1, 0.2))


def model_data(aws: LocalAws, name: str = "job1") -> str:
    """Put model data into S3 and give their URI."""
    key = f"models/{name}/output/model.tar.gz"
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=name.encode())
    return f"s3://{BUCKET}/{key}"


def register(aws: LocalAws, name: str = "job1", *, run_id: str | None = None, **parameters: Any) -> dict[str, Any]:
    """Register a version by the operator and give what it returns."""
    from festaf.operators.model import RegisterModelVersionOperator

    asked: dict[str, Any] = {
        "task_id": "register",
        "model": "delay",
        "image_uri": IMAGE,
        "model_data_url": model_data(aws, name),
        "metrics": {"mae": 9.5},
        "held_out": HELD_OUT,
        "poll_interval": 0.1,
        "timeout": 30,
    }
    task = hooked(RegisterModelVersionOperator(**(asked | parameters)))
    return task.execute(new_run(run_id=run_id or name).context)  # type: ignore[arg-type]
