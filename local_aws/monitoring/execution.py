"""One execution of a monitoring schedule: the request of its processing job, and what it looks like by now."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from festaf.local_aws.monitoring.captured import hour_of, overlaps
from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri
from festaf.local_aws.resources.resource import arn_of, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.resources.resource import Resource

KIND = "monitoring-execution"
JOB_KIND = "processing-job"
FINAL = frozenset({"Completed", "CompletedWithViolations", "Failed", "Stopped"})

_HOME = "/opt/ml/processing"


def job_name(schedule: Resource, due: datetime) -> str:
    """Name the processing job of an execution, always the same."""
    known = uuid.uuid5(uuid.NAMESPACE_URL, f"{schedule.arn}/{schedule.created}/{due.isoformat()}").hex
    return f"model-monitoring-{due:%Y%m%d%H%M}-{known[:24]}"


def has_data(objects: Objects, captured: str, start: datetime, end: datetime) -> bool:
    """Say whether any file of captured data is of an hour that the analysis covers."""
    bucket, key = split_uri(captured)
    try:
        hours = (hour_of(one.key) for one in objects.under(bucket, f"{key}/"))
        return any(hour is not None and overlaps(hour, start, end) for hour in hours)
    except ObjectStoreError:
        return False


def results_uri(definition: Mapping[str, Any], endpoint: str, schedule: str, due: datetime) -> str:
    """Give where an execution's files go."""
    output = definition["MonitoringOutputConfig"]["MonitoringOutputs"][0]["S3Output"]["S3Uri"].rstrip("/")
    return f"{output}/{endpoint}/{schedule}/{due:%Y/%m/%d/%H}"


def job_request(
    schedule: Resource,
    definition: Mapping[str, Any],
    due: datetime,
    window: tuple[datetime, datetime],
    baseline: Mapping[str, str],
    captured: str,
) -> dict[str, Any]:
    """Give CreateProcessingJob's parameters for an execution, as SageMaker fills them.

    :param baseline: the S3 URIs of ``constraints`` and ``statistics``, those that there are
    :param captured: the S3 URI of the endpoint's captured data
    """
    source = definition["MonitoringInputs"][0]["EndpointInput"]
    endpoint, output = source["EndpointName"], definition["MonitoringOutputConfig"]["MonitoringOutputs"][0]["S3Output"]
    inputs = [_input("endpoint_input_1", captured, source["LocalPath"])]
    environment = dict(definition.get("Environment", {})) | {
        "dataset_format": '{"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}',
        "dataset_source": source["LocalPath"],
        "output_path": output["LocalPath"],
        "start_time": window[0].isoformat(),
        "end_time": window[1].isoformat(),
        "sagemaker_endpoint_name": endpoint,
        "sagemaker_monitoring_schedule_name": schedule.name,
    }
    if excluded := source.get("ExcludeFeaturesAttribute"):
        environment["exclude_features_attribute"] = excluded
    for name, uri in baseline.items():
        folder = f"{_HOME}/baseline/{name}"
        inputs.append(_input(name, uri, folder))
        environment[f"baseline_{name}"] = folder
    result = {"S3Uri": results_uri(definition, endpoint, schedule.name, due), "LocalPath": output["LocalPath"]}
    return {
        "ProcessingJobName": job_name(schedule, due),
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {
            "Outputs": [
                {"OutputName": "result", "S3Output": {**result, "S3UploadMode": "EndOfJob"}, "AppManaged": False}
            ]
        },
        "ProcessingResources": definition["MonitoringResources"],
        "AppSpecification": {
            member: value
            for member, value in definition["MonitoringAppSpecification"].items()
            if member in ("ImageUri", "ContainerArguments")
        },
        "Environment": environment,
        "RoleArn": definition["RoleArn"],
        "StoppingCondition": definition.get("StoppingCondition", {"MaxRuntimeInSeconds": 3600}),
        "MonitoringScheduleArn": schedule.arn,
    }


def outcome(execution: Resource, job: Resource | None) -> dict[str, Any]:
    """Give an execution's status and failure, as its processing job says them by now."""
    facts = execution.facts
    if facts["status"] in FINAL or job is None:
        return {"status": facts["status"], "failure": facts["failure"]}
    status, message = job.facts["status"], job.facts.get("message") or ""
    if status == "InProgress":
        status = "Pending" if job.facts["started"] is None else "InProgress"
    elif status == "Completed" and message.startswith("CompletedWithViolations"):
        status = "CompletedWithViolations"
    return {"status": status, "failure": job.facts["failure"]}


def summary(execution: Resource, job: Resource | None) -> dict[str, Any]:
    """Give an execution's line in ListMonitoringExecutions' answer."""
    facts, now = execution.facts, outcome(execution, job)
    return {
        "MonitoringScheduleName": facts["schedule"],
        "ScheduledTime": moment(facts["due"]),
        "CreationTime": execution.created_at,
        "LastModifiedTime": max(execution.modified_at, job.modified_at) if job else execution.modified_at,
        "MonitoringExecutionStatus": now["status"],
        "ProcessingJobArn": arn_of(JOB_KIND, execution.region, facts["job"]) if facts["job"] else None,
        "EndpointName": facts["endpoint"],
        "FailureReason": now["failure"],
        "MonitoringJobDefinitionName": facts["definition"],
        "MonitoringType": "DataQuality",
    }


def at(seconds: float) -> datetime:
    """Give a time of the server's clock."""
    return datetime.fromtimestamp(seconds, UTC)


def _input(name: str, uri: str, path: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "AppManaged": False, "S3Input": {**source, "S3DataDistributionType": "FullyReplicated"}}
