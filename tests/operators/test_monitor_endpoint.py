"""MonitorEndpointOperator brings a schedule about, keeps it as asked, and acts on what its executions find."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.monitor import MonitorEndpointOperator
from festaf.provider.errors import DriftError, FailedArtifactError, InputError, NotReadyError
from festaf.provider.model_monitor.images import analyzer_image
from tests.local_aws.endpoints.endpoints import Stage, eventually
from tests.local_aws.models.models import MODELS
from tests.local_aws.monitoring.schedules import CAPTURED, REPORTS, ROLE, Watch

if TYPE_CHECKING:
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

USUAL = [(2.0 * number, float(number)) for number in range(200)]
DRIFTED = [(2.0 * number, float(number)) for number in range(300, 500)]
BASELINE = f"s3://{MODELS}/suggested"
DATASET = f"s3://{MODELS}/baseline/data.csv"
NAME = "answers-data-quality"
DRIFT = f"x-festaf-monitor://default/{NAME}"


@pytest.fixture
def watch(aws: LocalAws) -> Watch:
    made = Watch(Stage(aws))
    made.serve()
    return made


def dataset(watch: Watch) -> None:
    content = "delay,wind\n" + "".join(f"{y},{x}\n" for y, x in USUAL)
    watch.s3.put_object(Bucket=MODELS, Key="baseline/data.csv", Body=content)


def monitor(**more: Any) -> MonitorEndpointOperator:
    asked: dict[str, Any] = {
        "endpoint": "answers",
        "role_arn": ROLE,
        "output_s3_uri": REPORTS,
        "baseline_s3_uri": BASELINE,
        "baseline_dataset": DATASET,
        "poll_interval": 0.2,
        "timeout": 60,
    }
    return MonitorEndpointOperator(task_id="monitor", **(asked | more))


def standing(watch: Watch) -> tuple[list[str], list[str], list[str]]:
    """List the schedules, job definitions and processing jobs."""
    client = watch.sagemaker
    schedules = client.list_monitoring_schedules()["MonitoringScheduleSummaries"]
    definitions = client.list_data_quality_job_definitions()["JobDefinitionSummaries"]
    jobs = client.list_processing_jobs()["ProcessingJobSummaries"]
    return (
        [item["MonitoringScheduleName"] for item in schedules],
        [item["MonitoringJobDefinitionName"] for item in definitions],
        [item["ProcessingJobName"] for item in jobs],
    )


def execute(watch: Watch, values: list[tuple[float, float]], count: int) -> None:
    """Let the schedule analyze an hour."""
    watch.capture(values)
    watch.to_the_next_hour()
    watch.last(NAME, count)


def test_a_schedule_is_made_once_with_its_baseline_and_alarms(watch: Watch, run: Run) -> None:
    dataset(watch)
    task = {"alarm_features": ["delay", "wind"], "alarm_threshold": 0.3}
    report = monitor(**task).execute(run.context)
    assert isinstance(report, dict)
    assert (report["verdict"], report["source"], report["baseline"]) == ("not_measured", CAPTURED, BASELINE)
    made = standing(watch)
    assert (made[0], len(made[1]), len(made[2])) == ([NAME], 1, 1)
    assert monitor(**task).execute(run.context)
    assert standing(watch) == made
    alarms = watch.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert [(item["AlarmName"], item["Threshold"]) for item in alarms] == [
        (f"{NAME}-drift-delay", 0.3),
        (f"{NAME}-drift-wind", 0.3),
    ]
    assert alarms[0]["MetricName"] == "feature_baseline_drift_delay"
    tags = watch.sagemaker.list_tags(
        ResourceArn=watch.sagemaker.describe_monitoring_schedule(MonitoringScheduleName=NAME)["MonitoringScheduleArn"]
    )
    assert tags["Tags"] == [{"Key": "festaf:project", "Value": "default"}]


def test_another_wish_changes_the_schedule_and_leaves_nothing_behind(watch: Watch, run: Run) -> None:
    dataset(watch)
    monitor(alarm_features=["delay", "wind"]).execute(run.context)
    first = standing(watch)
    monitor(alarm_features=["wind"], schedule="cron(0 6 ? * * *)", volume_gb=30).execute(run.context)
    second = standing(watch)
    assert (second[0], second[2], len(second[1])) == (first[0], first[2], 1)
    assert second[1] != first[1]
    alarms = watch.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert [item["AlarmName"] for item in alarms] == [f"{NAME}-drift-wind"]


def test_a_schedule_that_was_stopped_goes_on(watch: Watch, run: Run) -> None:
    dataset(watch)
    monitor().execute(run.context)
    watch.sagemaker.stop_monitoring_schedule(MonitoringScheduleName=NAME)
    monitor().execute(run.context)
    found = watch.sagemaker.describe_monitoring_schedule(MonitoringScheduleName=NAME)
    assert found["MonitoringScheduleStatus"] == "Scheduled"


def test_the_latest_execution_is_told_and_drift_wakes_who_waits_for_it(watch: Watch, run: Run) -> None:
    dataset(watch)
    monitor().execute(run.context)
    execute(watch, USUAL, 1)
    report = monitor().execute(run.context)
    assert isinstance(report, dict)
    assert (report["verdict"], report["rows"], report["violations"]) == ("steady", 200, [])
    assert DRIFT not in run.facts()
    execute(watch, DRIFTED, 2)
    report = monitor().execute(run.context)
    assert isinstance(report, dict)
    assert report["verdict"] == "drifted"
    assert [(item["feature"], item["check"]) for item in report["violations"]] == [
        ("delay", "baseline_drift_check"),
        ("wind", "baseline_drift_check"),
    ]
    assert run.facts()[DRIFT] == report
    assert report["endpoint"] == "answers"
    with pytest.raises(DriftError, match="found drift"):
        monitor(on_drift="fail").execute(run.context)


def test_the_next_execution_is_waited_for(watch: Watch, run: Run) -> None:
    dataset(watch)
    monitor().execute(run.context)
    execute(watch, DRIFTED, 1)
    watch.capture(USUAL)
    later = threading.Timer(2, watch.to_the_next_hour)
    later.start()
    report = monitor(wait_for_execution=True).execute(run.context)
    later.join()
    assert isinstance(report, dict)
    assert report["verdict"] == "steady"


def test_an_execution_without_data_fails_the_task_that_waits_for_it(watch: Watch, run: Run) -> None:
    dataset(watch)
    monitor().execute(run.context)
    later = threading.Timer(2, watch.to_the_next_hour)
    later.start()
    with pytest.raises(FailedArtifactError, match="Job inputs had no data"):
        monitor(wait_for_execution=True).execute(run.context)
    later.join()


def test_a_wait_has_an_end(watch: Watch, run: Run) -> None:
    dataset(watch)
    monitor().execute(run.context)
    with pytest.raises(NotReadyError, match="no execution has ended"):
        monitor(wait_for_execution=True, timeout=2).execute(run.context)


def test_nothing_is_left_when_it_is_not_wanted_any_more(watch: Watch, run: Run) -> None:
    dataset(watch)
    monitor(alarm_features=["wind"]).execute(run.context)
    assert monitor(ensure="absent").execute(run.context) is True
    assert standing(watch)[:2] == ([], [])
    assert watch.aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert monitor(ensure="absent").execute(run.context) is False


def test_what_cannot_be_watched_is_said(watch: Watch, run: Run) -> None:
    mistakes: list[tuple[dict[str, Any], str]] = [
        ({"endpoint": "nowhere"}, "There is no endpoint nowhere"),
        ({"baseline_dataset": None}, "There is no baseline in s3://"),
        ({"role_arn": None}, "needs role_arn"),
        ({"monitor": "a_b"}, "monitor is 'a_b'"),
        ({"baseline_s3_uri": "/tmp/x"}, "is no folder in S3"),
        ({"ensure": "maybe"}, "ensure is 'maybe'"),
        ({"on_drift": "shout"}, "on_drift is 'shout'"),
    ]
    for asked, reason in mistakes:
        with pytest.raises(InputError, match=reason):
            monitor(**asked).execute(run.context)
    assert standing(watch) == ([], [], [])


def test_a_baseline_that_cannot_be_suggested_fails_and_is_tried_anew(watch: Watch, run: Run) -> None:
    watch.s3.put_object(Bucket=MODELS, Key="baseline/data.csv", Body=b"")
    for number in (1, 2):
        with pytest.raises(FailedArtifactError, match=rf"Processing job answers-data-quality-.*-{number} is Failed"):
            monitor().execute(run.context)
    dataset(watch)
    assert monitor().execute(run.context)
    assert standing(watch)[0] == [NAME]


@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "CreateDataQualityJobDefinition|CreateMonitoringSchedule|PutMetricAlarm", "kind": "lost_reply"},
        {"operation": "CreateProcessingJob|DescribeMonitoringSchedule", "kind": "throttle"},
        {"operation": "CreateMonitoringSchedule|ListMonitoringExecutions|DescribeEndpoint", "kind": "error"},
        {"operation": "Describe.*", "kind": "reset"},
    ],
    ids=lambda fault: fault["kind"],
)
def test_faults_are_borne_and_nothing_is_made_twice(watch: Watch, run: Run, fault: dict[str, Any]) -> None:
    dataset(watch)
    watch.aws.fault(count=4, **fault)
    monitor(alarm_features=["wind"]).execute(run.context)
    made = standing(watch)
    assert (made[0], len(made[1]), len(made[2])) == ([NAME], 1, 1)


def test_an_execution_that_runs_holds_up_the_deletion_only(watch: Watch, run: Run) -> None:
    dataset(watch)
    monitor().execute(run.context)
    watch.capture(USUAL)
    watch.to_the_next_hour()
    eventually(lambda: watch.executions(NAME), bool)
    assert monitor(ensure="absent").execute(run.context) is True


def test_awss_image_is_known_by_region() -> None:
    name = "sagemaker-model-monitor-analyzer"
    assert analyzer_image("eu-central-1") == f"048819808253.dkr.ecr.eu-central-1.amazonaws.com/{name}"
    assert analyzer_image("cn-north-1").endswith(f"amazonaws.com.cn/{name}")
    with pytest.raises(InputError, match="give image_uri"):
        analyzer_image("moon-1")
