"""What the tests of schedules share: an endpoint's captured data, a baseline, and requests that AWS would take."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.local_aws.endpoints.endpoints import Stage, eventually, times
from tests.local_aws.models.models import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterable

IMAGE = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
ROLE = "arn:aws:iam::123456789012:role/monitor"
CAPTURED, REPORTS = f"s3://{MODELS}/captured", f"s3://{MODELS}/reports"
HOURLY = "cron(0 * ? * * *)"
FINAL = {"Completed", "CompletedWithViolations", "Failed", "Stopped"}


def resources() -> dict[str, Any]:
    return {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}}


def definition(baseline: str | None = None, **source: Any) -> dict[str, Any]:
    """Give a MonitoringJobDefinition.

    :param baseline: the S3 URI of the folder with the baseline's files
    """
    found: dict[str, Any] = {
        "MonitoringInputs": [
            {"EndpointInput": {"EndpointName": "answers", "LocalPath": "/opt/ml/processing/in"} | source}
        ],
        "MonitoringOutputConfig": {
            "MonitoringOutputs": [{"S3Output": {"S3Uri": REPORTS, "LocalPath": "/opt/ml/processing/out"}}]
        },
        "MonitoringResources": resources(),
        "MonitoringAppSpecification": {"ImageUri": IMAGE},
        "Environment": {"publish_cloudwatch_metrics": "Enabled"},
        "RoleArn": ROLE,
    }
    if baseline:
        found["BaselineConfig"] = {
            "ConstraintsResource": {"S3Uri": f"{baseline}/constraints.json"},
            "StatisticsResource": {"S3Uri": f"{baseline}/statistics.json"},
        }
    return found


def schedule(name: str = "hourly", expression: str = HOURLY, **config: Any) -> dict[str, Any]:
    """Give CreateMonitoringSchedule's parameters."""
    asked = {"ScheduleConfig": {"ScheduleExpression": expression}, "MonitoringJobDefinition": definition()} | config
    return {"MonitoringScheduleName": name, "MonitoringScheduleConfig": asked}


@dataclass
class Watch:
    """A stage with an endpoint that captures its data."""

    stage: Stage

    def __post_init__(self) -> None:
        self.aws, self.sagemaker, self.s3 = self.stage.aws, self.stage.sagemaker, self.stage.s3

    def serve(self) -> None:
        """Put an endpoint in service that captures what it answers."""
        self.stage.model("twice", times(2))
        capture = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": CAPTURED,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        }
        self.stage.endpoint(self.stage.config("twice", DataCaptureConfig=capture))

    def capture(self, rows: Iterable[tuple[float, float]], moment: datetime | None = None) -> None:
        """Write inferences as data capture does, each a prediction and a feature."""
        moment = moment or self.aws.now()
        lines = [
            {
                "captureData": {
                    side: {"observedContentType": "text/csv", "mode": mode, "data": f"{value}\n", "encoding": "CSV"}
                    for side, mode, value in (("endpointInput", "INPUT", x), ("endpointOutput", "OUTPUT", y))
                },
                "eventMetadata": {"eventId": str(uuid.uuid4()), "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"},
                "eventVersion": "0",
            }
            for y, x in rows
        ]
        key = f"captured/answers/AllTraffic/{moment:%Y/%m/%d/%H}/{moment:%M-%S}-000-{uuid.uuid4()}.jsonl"
        self.s3.put_object(Bucket=MODELS, Key=key, Body="\n".join(map(json.dumps, lines)))

    def baseline(self, rows: Iterable[tuple[float, float]]) -> str:
        """Have a processing job suggest a baseline, as the SageMaker SDK does, and give the folder of its files."""
        content = "delay,wind\n" + "".join(f"{y},{x}\n" for y, x in rows)
        self.s3.put_object(Bucket=MODELS, Key="baseline/data.csv", Body=content)
        source = {"S3Uri": f"s3://{MODELS}/baseline/data.csv", "LocalPath": "/opt/ml/processing/input/data"}
        result = {"S3Uri": f"s3://{MODELS}/suggested", "LocalPath": "/opt/ml/processing/output"}
        self.sagemaker.create_processing_job(
            ProcessingJobName="baseline",
            ProcessingInputs=[
                {"InputName": "data", "S3Input": {**source, "S3DataType": "S3Prefix", "S3InputMode": "File"}}
            ],
            ProcessingOutputConfig={
                "Outputs": [{"OutputName": "result", "S3Output": {**result, "S3UploadMode": "EndOfJob"}}]
            },
            ProcessingResources=resources(),
            AppSpecification={"ImageUri": IMAGE},
            Environment={
                "dataset_format": '{"csv": {"header": true, "output_columns_position": "START"}}',
                "dataset_source": source["LocalPath"],
                "output_path": result["LocalPath"],
                "publish_cloudwatch_metrics": "Disabled",
            },
            RoleArn=ROLE,
        )
        job = eventually(
            lambda: self.sagemaker.describe_processing_job(ProcessingJobName="baseline"),
            lambda found: found["ProcessingJobStatus"] != "InProgress",
        )
        assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
        return result["S3Uri"]

    def to_the_next_hour(self) -> datetime:
        """Jump just past the next full hour and give it."""
        now = self.aws.now()
        due = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        self.aws.advance((due - now).total_seconds() + 1)
        return due

    def executions(self, name: str = "hourly") -> list[dict[str, Any]]:
        """List a schedule's executions, the latest first."""
        answer = self.sagemaker.list_monitoring_executions(MonitoringScheduleName=name)
        found: list[dict[str, Any]] = answer["MonitoringExecutionSummaries"]
        return found

    def last(self, name: str = "hourly", count: int = 1) -> dict[str, Any]:
        """Wait until a schedule has so many executions that have ended, and give the latest."""
        found: list[dict[str, Any]] = eventually(
            lambda: self.executions(name),
            lambda some: len(some) >= count and all(one["MonitoringExecutionStatus"] in FINAL for one in some),
        )
        return found[0]

    def report(self, name: str, due: datetime, schedule_name: str = "hourly") -> Any:
        """Read a file that an execution wrote."""
        key = f"reports/answers/{schedule_name}/{due:%Y/%m/%d/%H}/{name}.json"
        return json.loads(self.s3.get_object(Bucket=MODELS, Key=key)["Body"].read())
