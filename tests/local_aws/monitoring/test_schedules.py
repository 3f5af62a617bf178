"""Monitoring schedules, their executions and the job definitions that they may share."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.endpoints.endpoints import Stage, eventually
from tests.local_aws.models.models import MODELS
from tests.local_aws.monitoring.schedules import (
    HOURLY,
    IMAGE,
    REPORTS,
    ROLE,
    Watch,
    definition,
    resources,
    schedule,
)
from tests.local_aws.server import LocalAws

if TYPE_CHECKING:
    from pathlib import Path

USUAL = [(2.0 * number, float(number)) for number in range(200)]
DRIFTED = [(2.0 * number, float(number)) for number in range(300, 500)]


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    found: str = raised.value.response["Error"]["Code"]
    return found


def test_an_hour_like_the_baseline_completes_and_a_drifted_one_shows_its_violations(watch: Watch) -> None:
    config = definition(watch.baseline(USUAL))
    watch.sagemaker.create_monitoring_schedule(**schedule(MonitoringJobDefinition=config))
    watch.capture(USUAL)
    due = watch.to_the_next_hour()
    usual = watch.last()
    assert (usual["MonitoringExecutionStatus"], usual["ScheduledTime"]) == ("Completed", due)
    assert watch.report("constraint_violations", due) == {"violations": []}
    watch.capture(DRIFTED)
    due = watch.to_the_next_hour()
    drifted = watch.last(count=2)
    assert drifted["MonitoringExecutionStatus"] == "CompletedWithViolations"
    found = watch.report("constraint_violations", due)["violations"]
    assert [(one["feature_name"], one["constraint_check_type"]) for one in found] == [
        ("delay", "baseline_drift_check"),
        ("wind", "baseline_drift_check"),
    ]
    assert watch.report("statistics", due)["dataset"]["item_count"] == 200
    assert [one["name"] for one in watch.report("constraints", due)["features"]] == ["delay", "wind"]
    job = watch.sagemaker.describe_processing_job(ProcessingJobName=drifted["ProcessingJobArn"].rpartition("/")[2])
    assert job["ExitMessage"] == "CompletedWithViolations: Job completed successfully with 2 violations."
    assert job["MonitoringScheduleArn"].endswith(":monitoring-schedule/hourly")
    output = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert output == f"{REPORTS}/answers/hourly/{due:%Y/%m/%d/%H}"
    described = watch.sagemaker.describe_monitoring_schedule(MonitoringScheduleName="hourly")
    assert described["LastMonitoringExecutionSummary"]["ScheduledTime"] == due
    assert _drift(watch, due, "wind") > 0.5 > _drift(watch, due - timedelta(hours=1), "wind")


def _drift(watch: Watch, due: Any, feature: str) -> float:
    found = watch.aws.client("cloudwatch").get_metric_statistics(
        Namespace="aws/sagemaker/Endpoints/data-metrics",
        MetricName=f"feature_baseline_drift_{feature}",
        Dimensions=[{"Name": "Endpoint", "Value": "answers"}, {"Name": "MonitoringSchedule", "Value": "hourly"}],
        StartTime=due - timedelta(minutes=1),
        EndTime=due + timedelta(minutes=1),
        Period=60,
        Statistics=["Average"],
    )
    [point] = found["Datapoints"]
    return float(point["Average"])


def test_what_the_endpoint_itself_captured_is_analyzed(watch: Watch) -> None:
    watch.sagemaker.create_monitoring_schedule(**schedule())
    for number in range(3):
        assert watch.stage.ask(str(number))[0] == str(float(2 * number))
    due = watch.to_the_next_hour()
    assert watch.last()["MonitoringExecutionStatus"] == "Completed"
    features = watch.report("statistics", due)["features"]
    assert [one["numerical_statistics"]["sum"] for one in features] == [6, 3]


def test_an_hour_without_data_fails_with_awss_reason(watch: Watch) -> None:
    watch.sagemaker.create_monitoring_schedule(**schedule())
    watch.to_the_next_hour()
    found = watch.last()
    assert (found["MonitoringExecutionStatus"], found["FailureReason"]) == ("Failed", "Job inputs had no data")
    assert "ProcessingJobArn" not in found


def test_a_long_jump_makes_every_hour_due(watch: Watch) -> None:
    watch.sagemaker.create_monitoring_schedule(**schedule())
    watch.aws.advance(5 * 3600)
    watch.last(count=5)
    moments = [one["ScheduledTime"] for one in watch.executions()]
    assert {later - earlier for later, earlier in itertools.pairwise(moments)} == {timedelta(hours=1)}


def test_a_schedule_of_now_runs_once_over_its_own_window(watch: Watch) -> None:
    watch.capture(USUAL, watch.aws.now() - timedelta(minutes=90))
    window = {"DataAnalysisStartTime": "-PT2H", "DataAnalysisEndTime": "-PT1H"}
    asked = schedule("once", ScheduleConfig={"ScheduleExpression": "NOW", **window})
    watch.sagemaker.create_monitoring_schedule(**asked)
    assert watch.last("once")["MonitoringExecutionStatus"] == "Completed"
    watch.aws.advance(86400)
    assert len(watch.executions("once")) == 1


def test_statuses_of_a_schedule_follow_the_clock_and_the_user(watch: Watch) -> None:
    watch.aws.settings(schedule_seconds=60)
    watch.sagemaker.create_monitoring_schedule(**schedule())

    def status() -> str:
        found: str = watch.sagemaker.describe_monitoring_schedule(MonitoringScheduleName="hourly")[
            "MonitoringScheduleStatus"
        ]
        return found

    assert status() == "Pending"
    watch.aws.advance(61)
    assert status() == "Scheduled"
    watch.sagemaker.stop_monitoring_schedule(MonitoringScheduleName="hourly")
    assert status() == "Stopped"
    watch.aws.advance(3 * 3600)
    assert watch.executions() == []
    watch.sagemaker.start_monitoring_schedule(MonitoringScheduleName="hourly")
    assert status() == "Pending"
    watch.aws.advance(61)
    assert (status(), watch.executions()) == ("Scheduled", [])
    watch.sagemaker.update_monitoring_schedule(**schedule(expression="cron(0 0 ? * * *)"))
    assert status() == "Pending"
    watch.aws.advance(61)
    watch.aws.fault(kind="fail_creation", resource="monitoring-schedule", name="broken", reason="No role")
    watch.sagemaker.create_monitoring_schedule(**schedule("broken"))
    broken = watch.sagemaker.describe_monitoring_schedule(MonitoringScheduleName="broken")
    assert (broken["MonitoringScheduleStatus"], broken["FailureReason"]) == ("Failed", "No role")


def test_an_execution_fails_on_demand_and_when_its_baseline_is_missing(watch: Watch) -> None:
    watch.capture(USUAL)
    watch.aws.fault(kind="fail_creation", resource="monitoring-execution", name="hourly", reason="No capacity")
    config = definition(f"s3://{MODELS}/nothing")
    watch.sagemaker.create_monitoring_schedule(**schedule(MonitoringJobDefinition=config))
    watch.to_the_next_hour()
    assert watch.last()["FailureReason"] == "No capacity"
    watch.capture(USUAL)
    watch.to_the_next_hour()
    failed = watch.last(count=2)
    assert failed["MonitoringExecutionStatus"] == "Failed"
    assert "No S3 objects found" in failed["FailureReason"]


def test_an_execution_is_stopped_with_its_processing_job(watch: Watch) -> None:
    watch.aws.settings(job_start_seconds=100_000)
    watch.sagemaker.create_monitoring_schedule(**schedule())
    watch.capture(USUAL)
    watch.to_the_next_hour()
    [pending] = eventually(watch.executions, bool)
    assert pending["MonitoringExecutionStatus"] == "Pending"
    with pytest.raises(ClientError, match="execution in progress"):
        watch.sagemaker.delete_monitoring_schedule(MonitoringScheduleName="hourly")
    watch.sagemaker.stop_processing_job(ProcessingJobName=pending["ProcessingJobArn"].rpartition("/")[2])
    assert watch.last()["MonitoringExecutionStatus"] == "Stopped"
    watch.sagemaker.delete_monitoring_schedule(MonitoringScheduleName="hourly")
    assert len(watch.executions()) == 1


def test_columns_are_left_out_of_the_analysis(watch: Watch) -> None:
    config = definition(ExcludeFeaturesAttribute="0")
    watch.sagemaker.create_monitoring_schedule(**schedule(MonitoringJobDefinition=config))
    watch.capture(USUAL)
    due = watch.to_the_next_hour()
    watch.last()
    assert [one["name"] for one in watch.report("statistics", due)["features"]] == ["_c1"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"ScheduleConfig": {"ScheduleExpression": "rate(1 hour)"}}, "rate\\(1 hour\\) is not supported"),
        ({"ScheduleConfig": {"ScheduleExpression": "cron(0 25 ? * * *)"}}, "names no hour"),
        ({"ScheduleConfig": {"ScheduleExpression": "NOW"}}, "requires DataAnalysisStartTime"),
        ({"ScheduleConfig": {"ScheduleExpression": HOURLY, "DataAnalysisStartTime": "1h"}}, "not a duration"),
        ({"ScheduleConfig": {"ScheduleExpression": HOURLY, "DataAnalysisStartTime": "-P2D"}}, "no more than 24"),
        ({"MonitoringJobDefinition": definition(EndpointName="absent")}, 'Could not find endpoint "absent"'),
        ({"MonitoringJobDefinitionName": "both"}, "Exactly one of"),
        ({"MonitoringType": "ModelQuality"}, "monitors DataQuality, not ModelQuality"),
        (
            {"MonitoringJobDefinition": definition() | {"MonitoringAppSpecification": {"ImageUri": "mine"}}},
            "runs only the image",
        ),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(watch: Watch, config: Any, message: str) -> None:
    with pytest.raises(ClientError, match=message) as raised:
        watch.sagemaker.create_monitoring_schedule(**schedule(**config))
    assert code(raised) == "ValidationException"


def test_an_endpoint_that_captures_nothing_is_not_monitored(watch: Watch) -> None:
    watch.stage.endpoint(watch.stage.config("silent", *_variants()), "silent")
    config = definition(EndpointName="silent")
    with pytest.raises(ClientError, match='not enabled for the endpoint "silent"'):
        watch.sagemaker.create_monitoring_schedule(**schedule(MonitoringJobDefinition=config))


def _variants() -> list[dict[str, Any]]:
    return [
        {
            "VariantName": "AllTraffic",
            "ModelName": "twice",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
    ]


def test_a_schedule_is_listed_and_is_alone_with_its_name(watch: Watch) -> None:
    for name in ("hourly", "again"):
        watch.sagemaker.create_monitoring_schedule(**schedule(name))
    with pytest.raises(watch.sagemaker.exceptions.ResourceInUse):
        watch.sagemaker.create_monitoring_schedule(**schedule())
    watch.sagemaker.stop_monitoring_schedule(MonitoringScheduleName="again")
    listed = watch.sagemaker.list_monitoring_schedules(EndpointName="answers", SortBy="Name", SortOrder="Ascending")
    assert [one["MonitoringScheduleName"] for one in listed["MonitoringScheduleSummaries"]] == ["again", "hourly"]
    stopped = watch.sagemaker.list_monitoring_schedules(StatusEquals="Stopped")["MonitoringScheduleSummaries"]
    assert [one["MonitoringScheduleName"] for one in stopped] == ["again"]
    assert watch.sagemaker.list_monitoring_schedules(EndpointName="other")["MonitoringScheduleSummaries"] == []


@pytest.mark.parametrize("verb", ["describe", "start", "stop", "delete"])
def test_a_schedule_that_is_not_there_is_named(sagemaker: Any, verb: str) -> None:
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="absent does not exist"):
        getattr(sagemaker, f"{verb}_monitoring_schedule")(MonitoringScheduleName="absent")


def test_a_job_definition_is_shared_by_name(watch: Watch) -> None:
    own = definition(watch.baseline(USUAL))
    asked = {
        "JobDefinitionName": "delays",
        "DataQualityBaselineConfig": {"BaseliningJobName": "baseline"},
        "DataQualityAppSpecification": own["MonitoringAppSpecification"],
        "DataQualityJobInput": own["MonitoringInputs"][0],
        "DataQualityJobOutputConfig": own["MonitoringOutputConfig"],
        "JobResources": resources(),
        "RoleArn": ROLE,
    }
    arn = watch.sagemaker.create_data_quality_job_definition(**asked)["JobDefinitionArn"]
    described = watch.sagemaker.describe_data_quality_job_definition(JobDefinitionName="delays")
    assert asked.items() <= described.items()
    with pytest.raises(watch.sagemaker.exceptions.ResourceInUse):
        watch.sagemaker.create_data_quality_job_definition(**asked)
    [listed] = watch.sagemaker.list_data_quality_job_definitions(EndpointName="answers")["JobDefinitionSummaries"]
    assert (listed["MonitoringJobDefinitionArn"], listed["EndpointName"]) == (arn, "answers")
    config = {
        "ScheduleConfig": {"ScheduleExpression": HOURLY},
        "MonitoringJobDefinitionName": "delays",
        "MonitoringType": "DataQuality",
    }
    watch.sagemaker.create_monitoring_schedule(MonitoringScheduleName="hourly", MonitoringScheduleConfig=config)
    watch.capture(DRIFTED)
    watch.to_the_next_hour()
    last = watch.last()
    assert (last["MonitoringExecutionStatus"], last["MonitoringJobDefinitionName"]) == (
        "CompletedWithViolations",
        "delays",
    )
    with pytest.raises(ClientError, match="is used by the monitoring schedule hourly"):
        watch.sagemaker.delete_data_quality_job_definition(JobDefinitionName="delays")
    watch.sagemaker.delete_monitoring_schedule(MonitoringScheduleName="hourly")
    watch.sagemaker.delete_data_quality_job_definition(JobDefinitionName="delays")
    with pytest.raises(watch.sagemaker.exceptions.ResourceNotFound):
        watch.sagemaker.describe_data_quality_job_definition(JobDefinitionName="delays")
    assert IMAGE in asked["DataQualityAppSpecification"].values()


def test_a_schedule_and_its_executions_survive_a_restart(tmp_path: Path) -> None:
    with LocalAws.started("--state", str(tmp_path), job_start_seconds=100_000.0) as server:
        watch = Watch(Stage(server))
        watch.serve()
        watch.sagemaker.create_monitoring_schedule(**schedule())
        watch.to_the_next_hour()
        assert watch.last()["FailureReason"] == "Job inputs had no data"
        watch.capture(USUAL)
        watch.to_the_next_hour()
        eventually(watch.executions, lambda some: len(some) == 2)
        server.process.kill()
        server.process.wait(timeout=20)
    with LocalAws.started("--state", str(tmp_path)) as server:
        watch = Watch.__new__(Watch)
        watch.aws, watch.sagemaker, watch.s3 = server, server.client("sagemaker"), server.client("s3")
        interrupted = watch.last(count=2)
        assert interrupted["MonitoringExecutionStatus"] == "Failed"
        assert "ended while the job ran" in interrupted["FailureReason"]
        watch.capture(USUAL)
        watch.to_the_next_hour()
        assert watch.last(count=3)["MonitoringExecutionStatus"] == "Completed"
