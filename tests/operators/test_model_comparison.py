from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import DownstreamTasksSkipped
from airflow.sdk import DAG, TaskGroup

from festaf.operators.model import CompareModelsOperator
from festaf.provider import errors
from tests.feature_store import BUCKET
from tests.models import HELD_OUT, hooked, new_run, register

if TYPE_CHECKING:
    from festaf.provider.models.record import ModelVersion
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

pytestmark = pytest.mark.usefixtures("hurried")


def task(**parameters: Any) -> CompareModelsOperator:
    asked: dict[str, Any] = {"task_id": "compare", "model": "delay", "metric": "mae", "direction": "minimize"}
    return hooked(CompareModelsOperator(**(asked | parameters)))


@pytest.fixture
def champion(aws: LocalAws) -> dict[str, Any]:
    return register(aws, "old", approval_status="Approved", metrics={"mae": 10.0, "r2": 0.2})


def test_without_a_champion_the_challenger_wins(aws: LocalAws, task_run: Run) -> None:
    register(aws)
    verdict = task().execute(task_run.context)
    assert (verdict["better"], verdict["champion"], verdict["challenger"]) == (True, None, "delay:1")
    assert verdict["reason"] == "delay:1 has no champion to beat, with mae 9.5"


@pytest.mark.parametrize(
    ("parameters", "better"),
    [
        ({"margin": 0.4}, True),
        ({"margin": 0.5}, True),
        ({"margin": 0.6}, False),
        ({"direction": "maximize"}, False),
        ({"metric": "r2", "direction": "maximize"}, True),
        ({"metric": "r2", "direction": "minimize"}, False),
    ],
)
def test_metric_direction_and_margin_decide(
    aws: LocalAws, champion: dict[str, Any], task_run: Run, parameters: dict[str, Any], better: bool
) -> None:
    register(aws, metrics={"mae": 9.5, "r2": 0.3})
    verdict = task(**parameters).execute(task_run.context)
    assert verdict["better"] is better
    assert (verdict["champion"], verdict["challenger"]) == ("delay:1", "delay:2")


def test_equal_is_not_better(aws: LocalAws, champion: dict[str, Any], task_run: Run) -> None:
    register(aws, metrics={"mae": 10.0})
    assert task().execute(task_run.context)["reason"] == "mae of delay:2 is 10, of delay:1 10: equal"


def test_compared_again_after_its_approval_the_challenger_meets_the_same_champion(
    aws: LocalAws, champion: dict[str, Any], task_run: Run
) -> None:
    register(aws, approval_status="Approved")
    assert task(challenger=2).execute(task_run.context)["champion"] == "delay:1"


def test_versions_that_were_measured_on_different_data_are_not_compared(
    aws: LocalAws, champion: dict[str, Any], task_run: Run
) -> None:
    register(aws, held_out="s3://lake/other.json")
    with pytest.raises(errors.InputError, match=r"measured on s3://lake/other.json and delay:1 on s3://lake/held-out"):
        task().execute(task_run.context)


def test_the_content_decides_whether_data_are_the_same(aws: LocalAws, task_run: Run) -> None:
    register(aws, "old", approval_status="Approved", held_out={"uri": "s3://lake/a", "sha256": "a" * 64})
    register(aws, "same", held_out={"uri": "s3://lake/b", "sha256": "a" * 64})
    assert task().execute(task_run.context)["champion"] == "delay:1"
    register(aws, "changed", held_out={"uri": "s3://lake/a", "sha256": "b" * 64})
    with pytest.raises(errors.InputError, match="so they are not compared"):
        task().execute(task_run.context)


def test_data_that_nobody_noted_are_not_the_same(aws: LocalAws, champion: dict[str, Any], task_run: Run) -> None:
    register(aws, held_out=None)
    with pytest.raises(errors.InputError, match="Nobody noted on which held-out data model delay:2 was measured"):
        task().execute(task_run.context)


def test_a_function_measures_both_on_the_same_data(aws: LocalAws, champion: dict[str, Any], task_run: Run) -> None:
    register(aws, held_out=None)
    asked: list[tuple[str, str | None]] = []

    def evaluate(version: ModelVersion, held_out: str | None) -> dict[str, float]:
        asked.append((version.name, held_out))
        return {"mae": 3.0 if version.number == 2 else 4.0}

    verdict = task(evaluate=evaluate, held_out=HELD_OUT).execute(task_run.context)
    assert (verdict["better"], verdict["challenger_value"], verdict["champion_value"]) == (True, 3.0, 4.0)
    assert asked == [("delay:2", HELD_OUT), ("delay:1", HELD_OUT)]
    assert verdict["held_out"] == HELD_OUT


def test_the_result_of_a_batch_job_is_compared(aws: LocalAws, champion: dict[str, Any], task_run: Run) -> None:
    register(aws, metrics=None, held_out=None)
    content = {"regression_metrics": {"mae": {"value": 11.0}}, "dataset": {"uri": HELD_OUT}}
    aws.client("s3").put_object(Bucket=BUCKET, Key="batch.json", Body=json.dumps(content).encode())
    verdict = task(challenger_metrics=f"s3://{BUCKET}/batch.json").execute(task_run.context)
    assert verdict["reason"] == "mae of delay:2 is 11, of delay:1 10: worse by 1"


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"metric": "rmse"}, "Metric 'rmse' of model delay:2 is not known; known from s3://lake/"),
        ({"direction": "up"}, "direction is 'up': write minimize or maximize"),
        ({"margin": -1}, "margin is -1.0"),
        ({"challenger": 9}, "There is no model delay:9"),
        ({"champion": 9}, "There is no model delay:9"),
        ({"model": "trains"}, "Model trains has no version to compare"),
        ({"evaluate": lambda version, held_out: {}}, "evaluate needs held_out"),
        ({"evaluate": lambda version, held_out: {}, "held_out": "s3://lake/x"}, "Metric 'mae' of model delay:2"),
    ],
)
def test_a_mistake_is_one_clear_sentence(
    aws: LocalAws, champion: dict[str, Any], task_run: Run, parameters: dict[str, Any], said: str
) -> None:
    register(aws)
    with pytest.raises(errors.InputError) as caught:
        task(**parameters).execute(task_run.context)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["throttle", "error"])
def test_a_passing_fault_of_aws_is_not_seen(aws: LocalAws, champion: dict[str, Any], task_run: Run, kind: str) -> None:
    register(aws)
    aws.fault(kind=kind, operation="(ListModelPackages|DescribeModelPackage|GetObject)", count=3)
    assert task().execute(task_run.context)["better"]


def branch(**parameters: Any) -> tuple[CompareModelsOperator, Run]:
    """Put the task into a DAG with two branches: a task, and a group of two tasks one after the other."""
    from airflow.providers.standard.operators.empty import EmptyOperator

    with DAG("dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
        compare = task(**parameters)
        with TaskGroup("promote") as promote:
            EmptyOperator(task_id="first") >> EmptyOperator(task_id="second")
        compare >> [promote, EmptyOperator(task_id="keep")]
    run = new_run(task_id="compare", task=compare)
    return compare, run


@pytest.mark.parametrize(
    ("mae", "parameters", "skipped"),
    [
        (9.5, {"if_better": "promote", "if_not_better": "keep"}, {"keep"}),
        (10.5, {"if_better": "promote", "if_not_better": "keep"}, {"promote.first"}),
        (10.5, {"if_better": ["promote", "keep"]}, {"promote.first", "keep"}),
    ],
)
def test_it_is_a_branch_when_it_is_told_what_to_follow(
    aws: LocalAws, champion: dict[str, Any], mae: float, parameters: dict[str, Any], skipped: set[str]
) -> None:
    register(aws, metrics={"mae": mae})
    compare, run = branch(**parameters)
    with pytest.raises(DownstreamTasksSkipped) as caught:
        compare.execute(run.context)  # type: ignore[arg-type]
    assert {one if isinstance(one, str) else one[0] for one in caught.value.tasks} == skipped
    assert run.context["ti"].pushed["return_value"]["better"] is (mae < 10)


def test_a_branch_that_follows_everything_skips_nothing(aws: LocalAws) -> None:
    register(aws)
    compare, run = branch(if_better=["promote", "keep"])
    assert compare.execute(run.context)["better"]  # type: ignore[arg-type]


def test_a_branch_that_is_no_task_is_told(aws: LocalAws) -> None:
    from airflow.providers.common.compat.sdk import AirflowException

    register(aws)
    compare, run = branch(if_better="deploy")
    with pytest.raises(AirflowException, match=r"Invalid tasks found: {'deploy'}"):
        compare.execute(run.context)  # type: ignore[arg-type]
