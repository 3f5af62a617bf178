"""What an author wants watched, as the requests that AWS takes."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}")
HASHED = 10
HOME = "/opt/ml/processing"


@dataclass(frozen=True, kw_only=True)
class MonitorSpecification:
    """A schedule of data quality on one endpoint."""

    name: str
    endpoint: str
    role_arn: str
    image_uri: str
    output_s3_uri: str
    baseline_s3_uri: str
    """Folder of ``statistics.json`` and ``constraints.json``."""
    schedule: str
    instance_type: str
    instance_count: int
    volume_gb: int
    max_runtime: int
    start_offset: str | None = None
    end_offset: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Find what AWS would refuse, before anything is made.

        :raises InputError: a name or a place is none
        """
        longest = 63 - HASHED - len("--20")
        if not NAME.fullmatch(self.name) or len(self.name) > longest:
            raise InputError(f"monitor is {self.name!r}: write at most {longest} letters, digits and '-'")
        for place in (self.output_s3_uri, self.baseline_s3_uri):
            if not place.startswith("s3://"):
                raise InputError(f"{place!r} is no folder in S3: write s3://bucket/prefix")

    @property
    def definition_name(self) -> str:
        """Name the job definition by its content: AWS changes none, so another content needs another name."""
        text = json.dumps(self._definition(), sort_keys=True)
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:HASHED]}"

    def definition_request(self, tags: Mapping[str, str]) -> dict[str, Any]:
        """Give CreateDataQualityJobDefinition's parameters."""
        return {
            "JobDefinitionName": self.definition_name,
            **self._definition(),
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def schedule_request(self) -> dict[str, Any]:
        """Give the parameters of CreateMonitoringSchedule and UpdateMonitoringSchedule."""
        return {
            "MonitoringScheduleName": self.name,
            "MonitoringScheduleConfig": {
                "ScheduleConfig": {"ScheduleExpression": self.schedule},
                "MonitoringJobDefinitionName": self.definition_name,
                "MonitoringType": "DataQuality",
            },
        }

    def _definition(self) -> dict[str, Any]:
        source: dict[str, Any] = {"EndpointName": self.endpoint, "LocalPath": f"{HOME}/input/endpoint"}
        source |= {"StartTimeOffset": self.start_offset} if self.start_offset else {}
        source |= {"EndTimeOffset": self.end_offset} if self.end_offset else {}
        output = {"S3Uri": self.output_s3_uri, "LocalPath": f"{HOME}/output", "S3UploadMode": "EndOfJob"}
        folder = self.baseline_s3_uri.rstrip("/")
        return {
            "DataQualityBaselineConfig": {
                "ConstraintsResource": {"S3Uri": f"{folder}/constraints.json"},
                "StatisticsResource": {"S3Uri": f"{folder}/statistics.json"},
            },
            "DataQualityAppSpecification": {
                "ImageUri": self.image_uri,
                "Environment": {"publish_cloudwatch_metrics": "Enabled", **self.environment},
            },
            "DataQualityJobInput": {"EndpointInput": source},
            "DataQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
            "JobResources": self.resources(),
            "RoleArn": self.role_arn,
            "StoppingCondition": {"MaxRuntimeInSeconds": self.max_runtime},
        }

    def resources(self) -> dict[str, Any]:
        """Give the machines of an execution."""
        cluster = {
            "InstanceType": self.instance_type,
            "InstanceCount": self.instance_count,
            "VolumeSizeInGB": self.volume_gb,
        }
        return {"ClusterConfig": cluster}


def baseline_request(specification: MonitorSpecification, dataset: str, job: str) -> dict[str, Any]:
    """Give CreateProcessingJob's parameters for a job that suggests a baseline, as the SageMaker SDK writes them.

    :param dataset: URI of a CSV file with a header
    """
    source = {"S3Uri": dataset, "LocalPath": f"{HOME}/input/baseline", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    result = {"S3Uri": specification.baseline_s3_uri, "LocalPath": f"{HOME}/output", "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingJobName": job,
        "ProcessingInputs": [{"InputName": "baseline", "S3Input": source}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "result", "S3Output": result}]},
        "ProcessingResources": specification.resources(),
        "AppSpecification": {"ImageUri": specification.image_uri},
        "Environment": {
            "dataset_format": '{"csv": {"header": true, "output_columns_position": "START"}}',
            "dataset_source": source["LocalPath"],
            "output_path": result["LocalPath"],
            "publish_cloudwatch_metrics": "Disabled",
        },
        "RoleArn": specification.role_arn,
        "StoppingCondition": {"MaxRuntimeInSeconds": specification.max_runtime},
    }
