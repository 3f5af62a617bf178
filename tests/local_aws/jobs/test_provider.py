"""The amazon provider's own operators, unmodified, against the local AWS's jobs."""

from __future__ import annotations

import asyncio
import logging
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.amazon.aws.hooks import sagemaker as hooks
from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerModelOperator,
    SageMakerProcessingOperator,
    SageMakerTrainingOperator,
    SageMakerTransformOperator,
    SageMakerTuningOperator,
)
from airflow.providers.common.compat.sdk import TaskDeferred

from tests.local_aws.jobs.test_course import SLEEP
from tests.local_aws.jobs.test_processing import processing
from tests.local_aws.jobs.test_transform import INFERENCE, request
from tests.local_aws.jobs.test_tuning import tuning
from tests.local_aws.jobs.work import IMAGE, ROLE, Workshop, packed

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

INTERVAL: Any = 0.1


@pytest.fixture
def shop(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """Give a workshop in the local AWS that the connection ``aws_default`` leads to."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", local_aws.connection())
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return Workshop(local_aws)


@pytest.fixture
def context() -> Any:
    return {"ti": SimpleNamespace(xcom_push=lambda **_: None)}


def test_the_training_operator_waits_and_prints_the_log(
    shop: Workshop,
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # The provider looks at the job every 30 seconds of this clock.
    clock = SimpleNamespace(sleep=time.sleep, monotonic=lambda: time.monotonic() * 100)
    monkeypatch.setattr(hooks, "time", clock)
    caplog.set_level(logging.INFO)
    operator = SageMakerTrainingOperator(task_id="train", config=shop.training("ridge"), check_interval=INTERVAL)
    found = operator.execute(context)["Training"]
    assert found["TrainingJobStatus"] == "Completed"
    # Where the hook's log goes depends on what has set Airflow's logging up by now.
    said = caplog.text + capsys.readouterr().out
    for line in ("rows=100; train:r2=1.0", "Completed - Training job completed", "Billable seconds:"):
        assert line in said


def test_the_training_operator_takes_another_name_when_one_stands(shop: Workshop, context: Any) -> None:
    for _ in range(2):
        SageMakerTrainingOperator(
            task_id="train", config=shop.training("twice", "print(1)"), print_log=False, check_interval=INTERVAL
        ).execute(context)
    names = [one["TrainingJobName"] for one in shop.sagemaker.list_training_jobs()["TrainingJobSummaries"]]
    assert len(names) == 2
    assert names[0].startswith("twice-")


def test_the_training_operator_fails_with_the_reason(shop: Workshop, context: Any) -> None:
    operator = SageMakerTrainingOperator(
        task_id="train",
        config=shop.training("fails", "raise ValueError('no rows')"),
        print_log=False,
        check_interval=INTERVAL,
    )
    with pytest.raises(Exception, match=r"AlgorithmError: ExecuteUserScriptError:[\s\S]*ValueError: no rows"):
        operator.execute(context)


def deferred(operator: Any, context: Any) -> Any:
    """Run an operator until it waits in a trigger, then the trigger, and give the trigger's event."""
    with pytest.raises(TaskDeferred) as waiting:
        operator.execute(context)

    async def first() -> Any:
        async for event in waiting.value.trigger.run():
            return event.payload
        raise AssertionError("the trigger said nothing")

    return asyncio.run(first())


def test_the_training_operator_waits_in_a_trigger(shop: Workshop, context: Any) -> None:
    operator = SageMakerTrainingOperator(
        task_id="train", config=shop.training("ridge"), print_log=False, check_interval=1, deferrable=True
    )
    event = deferred(operator, context)
    assert event["status"] == "success"
    assert operator.execute_complete(context, event)["Training"]["TrainingJobStatus"] == "Completed"


def test_the_trigger_says_why_a_job_failed(shop: Workshop, context: Any) -> None:
    config = shop.training("fails", "import time\ntime.sleep(0.5)\nraise SystemExit('The label is missing')")
    operator = SageMakerTrainingOperator(
        task_id="train", config=config, print_log=False, check_interval=1, deferrable=True
    )
    event = deferred(operator, context)
    assert event["status"] != "success"
    assert "The label is missing" in str(event)


def test_the_processing_operator_waits(shop: Workshop, context: Any) -> None:
    operator = SageMakerProcessingOperator(task_id="split", config=processing(shop, "split"), check_interval=INTERVAL)
    assert operator.execute(context)["Processing"]["ProcessingJobStatus"] == "Completed"
    assert shop.keys("parts/") == ["parts/high/rows.csv", "parts/low/rows.csv"]


def test_the_processing_operator_waits_in_a_trigger(shop: Workshop, context: Any) -> None:
    operator = SageMakerProcessingOperator(
        task_id="split", config=processing(shop, "split"), check_interval=1, deferrable=True
    )
    event = deferred(operator, context)
    assert operator.execute_complete(context, event)["Processing"]["ProcessingJobStatus"] == "Completed"


def test_the_model_and_transform_operators_score_a_file(shop: Workshop, context: Any) -> None:
    shop.put("in/a.csv", "1,2\n")
    uri = shop.put("models/sum.tar.gz", packed({"factor": "2", "code/inference.py": INFERENCE}))
    model = {"ModelName": "sum", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": uri}}
    SageMakerModelOperator(task_id="model", config=dict(model)).execute(context)
    score = SageMakerTransformOperator(task_id="score", config=request("score"), check_interval=INTERVAL)
    found = score.execute(context)
    assert found["Transform"]["TransformJobStatus"] == "Completed"
    assert found["Model"]["PrimaryContainer"]["ModelDataUrl"] == uri
    assert shop.get("scored/a.csv.out") == b"6\n"
    both = {"Model": {**model, "ModelName": "sum-2"}, "Transform": request("again", ModelName="sum-2")}
    waiting = SageMakerTransformOperator(task_id="again", config=both, check_interval=1, deferrable=True)
    event = deferred(waiting, context)
    assert waiting.execute_complete(context, event)["Transform"]["TransformJobName"] == "again"


def test_the_tuning_operator_names_the_best_job(shop: Workshop, context: Any) -> None:
    operator = SageMakerTuningOperator(task_id="tune", config=tuning(shop, "grid"), check_interval=INTERVAL)
    found = operator.execute(context)["Tuning"]
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["BestTrainingJob"]["TunedHyperParameters"] == {"depth": "5"}


def test_a_job_that_takes_too_long_for_the_operator_goes_on(shop: Workshop, context: Any) -> None:
    operator = SageMakerTrainingOperator(
        task_id="train",
        config=shop.training("long", SLEEP),
        print_log=False,
        check_interval=INTERVAL,
        max_ingestion_time=1,
    )
    with pytest.raises(Exception, match="took more than 1 seconds"):
        operator.execute(context)
    assert shop.sagemaker.describe_training_job(TrainingJobName="long")["TrainingJobStatus"] == "InProgress"
