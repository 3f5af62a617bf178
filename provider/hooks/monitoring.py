"""The hook to SageMaker Model Monitor: job definitions, schedules, executions, and the alarms on their metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.provider.hooks.endpoint import EndpointHook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A monitoring schedule as DescribeMonitoringSchedule tells it."""

    name: str
    arn: str
    status: str
    """Pending, Scheduled, Stopped or Failed."""
    endpoint: str | None
    definition: str | None
    expression: str | None
    failure_reason: str | None = None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Schedule:
        """Read DescribeMonitoringSchedule's answer."""
        config = answer["MonitoringScheduleConfig"]
        return cls(
            name=answer["MonitoringScheduleName"],
            arn=answer["MonitoringScheduleArn"],
            status=answer["MonitoringScheduleStatus"],
            endpoint=answer.get("EndpointName"),
            definition=config.get("MonitoringJobDefinitionName"),
            expression=(config.get("ScheduleConfig") or {}).get("ScheduleExpression"),
            failure_reason=answer.get("FailureReason") or None,
        )


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One run of a schedule."""

    status: str
    """Pending, InProgress, Completed, CompletedWithViolations, Failed, Stopping or Stopped."""
    scheduled_at: datetime
    modified_at: datetime
    processing_job: str | None = None
    """ARN."""
    failure_reason: str | None = None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Execution:
        """Read one element of ListMonitoringExecutions's answer."""
        return cls(
            status=item["MonitoringExecutionStatus"],
            scheduled_at=item["ScheduledTime"],
            modified_at=item["LastModifiedTime"],
            processing_job=item.get("ProcessingJobArn"),
            failure_reason=item.get("FailureReason") or None,
        )


class MonitoringHook(EndpointHook):
    """Reach SageMaker Model Monitor, and the endpoints that it watches; its parameters are those of AwsHook."""

    def schedule(self, name: str) -> Schedule | None:
        """Describe a schedule (DescribeMonitoringSchedule); None when there is none."""
        answer = self.call_or_none("sagemaker", "describe_monitoring_schedule", MonitoringScheduleName=name)
        return None if answer is None else Schedule.of(answer)

    def has_definition(self, name: str) -> bool:
        """Tell whether there is a data quality job definition (DescribeDataQualityJobDefinition)."""
        answer = self.call_or_none("sagemaker", "describe_data_quality_job_definition", JobDefinitionName=name)
        return answer is not None

    def definitions(self, endpoint: str, name_contains: str) -> Iterator[str]:
        """List the data quality job definitions of an endpoint (ListDataQualityJobDefinitions, 100 per call)."""
        asked = {"EndpointName": endpoint, "NameContains": name_contains, "MaxResults": 100}
        for page in self.pages("sagemaker", "list_data_quality_job_definitions", **asked):
            yield from (item["MonitoringJobDefinitionName"] for item in page["JobDefinitionSummaries"])

    def delete_definition(self, name: str) -> bool:
        """Delete a data quality job definition; False when there was none."""
        answer = self.call_or_none("sagemaker", "delete_data_quality_job_definition", JobDefinitionName=name)
        return answer is not None

    def delete_schedule(self, name: str) -> bool:
        """Delete a schedule (DeleteMonitoringSchedule); False when there was none."""
        return self.call_or_none("sagemaker", "delete_monitoring_schedule", MonitoringScheduleName=name) is not None

    def last_execution(self, schedule: str) -> Execution | None:
        """Give the execution that was due last (ListMonitoringExecutions); None when there is none."""
        answer = self.call(
            "sagemaker",
            "list_monitoring_executions",
            MonitoringScheduleName=schedule,
            SortBy="ScheduledTime",
            SortOrder="Descending",
            MaxResults=1,
        )
        found = answer["MonitoringExecutionSummaries"]
        return Execution.of(found[0]) if found else None

    def processing_job(self, name: str) -> dict[str, Any] | None:
        """Describe a processing job as AWS tells it (DescribeProcessingJob); None when there is none."""
        return self.call_or_none("sagemaker", "describe_processing_job", ProcessingJobName=name)

    def alarm_names(self, prefix: str) -> list[str]:
        """List alarms by the beginning of their names (DescribeAlarms)."""
        found: list[str] = []
        for page in self.pages("cloudwatch", "describe_alarms", AlarmNamePrefix=prefix):
            found += [alarm["AlarmName"] for alarm in page.get("MetricAlarms", ())]
        return found

    def delete_alarms(self, names: Iterable[str]) -> None:
        """Delete alarms (DeleteAlarms, 100 per call)."""
        left = list(names)
        for start in range(0, len(left), 100):
            self.call("cloudwatch", "delete_alarms", AlarmNames=left[start : start + 100])
