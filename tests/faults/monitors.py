"""The scenarios of Model Monitor's schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.operators.monitor import MonitorEndpointOperator
from tests.faults.stage import Scenario
from tests.local_aws.endpoints.endpoints import Stage as Serving
from tests.local_aws.models.models import MODELS
from tests.local_aws.monitoring.schedules import REPORTS, ROLE, Watch

if TYPE_CHECKING:
    from tests.faults.stage import Stage

NAME = "answers-data-quality"


def _captured(stage: Stage) -> None:
    watch = Watch(Serving(stage.aws))
    watch.serve()
    rows = "".join(f"{2.0 * number},{float(number)}\n" for number in range(200))
    watch.s3.put_object(Bucket=MODELS, Key="baseline/data.csv", Body=f"delay,wind\n{rows}")


def _monitor(stage: Stage, **more: Any) -> None:
    MonitorEndpointOperator(
        task_id="monitor",
        endpoint="answers",
        role_arn=ROLE,
        output_s3_uri=REPORTS,
        baseline_s3_uri=f"s3://{MODELS}/suggested",
        baseline_dataset=f"s3://{MODELS}/baseline/data.csv",
        alarm_features=["delay"],
        poll_interval=0.1,
        timeout=30,
        **more,
    ).execute(stage.context())


def _standing(stage: Stage) -> tuple[list[str], int, int, list[str]]:
    """Name the schedules and alarms, and count the job definitions and the jobs that suggested a baseline."""
    client = stage.aws.client("sagemaker")
    schedules = client.list_monitoring_schedules()["MonitoringScheduleSummaries"]
    alarms = stage.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return (
        [item["MonitoringScheduleName"] for item in schedules],
        len(client.list_data_quality_job_definitions()["JobDefinitionSummaries"]),
        len(client.list_processing_jobs()["ProcessingJobSummaries"]),
        [item["AlarmName"] for item in alarms],
    )


def _watch(stage: Stage) -> None:
    _monitor(stage)


def _watched(stage: Stage) -> None:
    assert _standing(stage) == ([NAME], 1, 1, [f"{NAME}-drift-delay"])


def _watching(stage: Stage) -> None:
    _captured(stage)
    for name in ("statistics", "constraints"):
        stage.aws.client("s3").put_object(Bucket=MODELS, Key=f"suggested/{name}.json", Body="{}")
    _monitor(stage)


def _forget(stage: Stage) -> None:
    _monitor(stage, ensure="absent")


def _forgotten(stage: Stage) -> None:
    assert _standing(stage) == ([], 0, 0, [])


SCENARIOS = [
    Scenario("MonitorEndpointOperator creates", _captured, _watch, _watched),
    Scenario("MonitorEndpointOperator deletes", _watching, _forget, _forgotten),
]
