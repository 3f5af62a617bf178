"""SageMaker's operations on monitoring schedules and their executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.monitoring.definitions import SCHEDULE_KIND, check_definition, definition_of
from festaf.local_aws.monitoring.due import check_schedule
from festaf.local_aws.monitoring.execution import KIND, summary
from festaf.local_aws.resources.listing import page_of
from festaf.local_aws.service import ApiError, Call, Handler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.faults import Faults
    from festaf.local_aws.monitoring.monitor import Monitor
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import CurrentSettings


class MonitoringService:
    """Answers the operations on monitoring schedules.

    :param monitor: runs them
    """

    name = "sagemaker"

    def __init__(self, resources: Resources, settings: CurrentSettings, faults: Faults, monitor: Monitor) -> None:
        self._resources = resources
        self._settings = settings
        self._faults = faults
        self._monitor = monitor
        self.operations: Mapping[str, Handler] = {
            "CreateMonitoringSchedule": self.create,
            "DescribeMonitoringSchedule": self.describe,
            "ListMonitoringSchedules": self.list_schedules,
            "UpdateMonitoringSchedule": self.update,
            "StartMonitoringSchedule": self.start,
            "StopMonitoringSchedule": self.stop,
            "DeleteMonitoringSchedule": self.delete,
            "ListMonitoringExecutions": self.list_executions,
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Create a schedule; it is Pending, then Scheduled."""
        name = request["MonitoringScheduleName"]
        endpoint = self._check(call, request["MonitoringScheduleConfig"])
        with self._resources.lock:
            if self._resources.find(SCHEDULE_KIND, call.region, name) is not None:
                raise ApiError("ResourceInUse", f"A monitoring schedule with name {name} already exists.")
            made = self._resources.create(
                SCHEDULE_KIND,
                call.region,
                name,
                request,
                endpoint=endpoint,
                stopped=False,
                failure=self._faults.creation_failure(SCHEDULE_KIND, name),
                due=[],
                **self._from_now(),
            )
        return {"MonitoringScheduleArn": made.arn}

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe a schedule and its last execution."""
        self._monitor.work()
        schedule = self._get(call, request["MonitoringScheduleName"])
        executions = [one for one in self._resources.all(KIND, call.region) if one.facts["schedule"] == schedule.name]
        last = max(executions, key=lambda one: one.facts["due"], default=None)
        return {
            **self._summary(schedule),
            "FailureReason": schedule.facts["failure"],
            "MonitoringScheduleConfig": schedule.request["MonitoringScheduleConfig"],
            "LastMonitoringExecutionSummary": summary(last, self._monitor.job_of(last)) if last else None,
        }

    def list_schedules(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the schedules of the region."""
        found = [self._summary(one) for one in self._resources.all(SCHEDULE_KIND, call.region)]
        wanted = {
            "EndpointName": request.get("EndpointName"),
            "MonitoringJobDefinitionName": request.get("MonitoringJobDefinitionName"),
            "MonitoringType": request.get("MonitoringTypeEquals"),
        }
        return page_of(
            [one for one in found if all(value in (None, one[member]) for member, value in wanted.items())],
            request,
            answer="MonitoringScheduleSummaries",
            name="MonitoringScheduleName",
            status="MonitoringScheduleStatus",
        )

    def update(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Replace a schedule's configuration; executions that run go on."""
        endpoint = self._check(call, request["MonitoringScheduleConfig"])
        with self._resources.lock:
            schedule = self._get(call, request["MonitoringScheduleName"])
            schedule.request = {**schedule.request, "MonitoringScheduleConfig": request["MonitoringScheduleConfig"]}
            failure = self._faults.update_failure(SCHEDULE_KIND, schedule.name)
            schedule.facts |= {"endpoint": endpoint, "failure": failure, "due": [], **self._from_now()}
            self._resources.touch(schedule)
        return {"MonitoringScheduleArn": schedule.arn}

    def start(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Go on with a schedule that was stopped; what was due meanwhile is not made up for."""
        with self._resources.lock:
            schedule = self._get(call, request["MonitoringScheduleName"])
            if schedule.facts["stopped"]:
                schedule.facts |= {"stopped": False, "due": [], **self._from_now()}
                self._resources.touch(schedule)
        return {}

    def stop(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start no more executions."""
        with self._resources.lock:
            schedule = self._get(call, request["MonitoringScheduleName"])
            if not schedule.facts["stopped"]:
                schedule.facts |= {"stopped": True, "due": []}
                self._resources.touch(schedule)
        return {}

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a schedule; its executions stay in the list."""
        self._monitor.work()
        with self._resources.lock:
            schedule = self._get(call, request["MonitoringScheduleName"])
            if self._monitor.running(schedule):
                raise ApiError(
                    "ValidationException",
                    f"The monitoring schedule {schedule.name} has an execution in progress and cannot be deleted.",
                )
            self._resources.remove(schedule)
        return {}

    def list_executions(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the executions of the region, the latest first."""
        self._monitor.work()
        wanted = {
            "MonitoringScheduleName": request.get("MonitoringScheduleName"),
            "EndpointName": request.get("EndpointName"),
            "MonitoringJobDefinitionName": request.get("MonitoringJobDefinitionName"),
            "MonitoringType": request.get("MonitoringTypeEquals"),
        }
        lines = [
            {**summary(one, self._monitor.job_of(one)), "Name": one.name}
            for one in self._resources.all(KIND, call.region)
        ]
        after, before = request.get("ScheduledTimeAfter"), request.get("ScheduledTimeBefore")
        found = [
            line
            for line in lines
            if all(value in (None, line[member]) for member, value in wanted.items())
            and (after is None or line["ScheduledTime"] >= after)
            and (before is None or line["ScheduledTime"] <= before)
        ]
        return page_of(
            found,
            request,
            answer="MonitoringExecutionSummaries",
            name="Name",
            status="MonitoringExecutionStatus",
            default_sort="ScheduledTime",
        )

    def _from_now(self) -> dict[str, float]:
        """Give the times of a schedule that begins anew."""
        now = self._resources.now()
        # A schedule of NOW is due once it is ready, which may be at once: later than what was considered before.
        return {"ready": now + self._settings.now.schedule_seconds, "considered": now - 0.001}

    def _check(self, call: Call, config: Mapping[str, Any]) -> str:
        """Give the endpoint that a configuration monitors.

        :raises ApiError: ValidationException
        """
        definition = definition_of(self._resources, call.region, config)
        check_definition(self._resources, call.region, definition)
        check_schedule(config.get("ScheduleConfig", {}))
        return str(definition["MonitoringInputs"][0]["EndpointInput"]["EndpointName"])

    def _summary(self, schedule: Resource) -> dict[str, Any]:
        config = schedule.request["MonitoringScheduleConfig"]
        return {
            "MonitoringScheduleName": schedule.name,
            "MonitoringScheduleArn": schedule.arn,
            "CreationTime": schedule.created_at,
            "LastModifiedTime": schedule.modified_at,
            "MonitoringScheduleStatus": self._monitor.status(schedule),
            "EndpointName": schedule.facts["endpoint"],
            "MonitoringJobDefinitionName": config.get("MonitoringJobDefinitionName"),
            "MonitoringType": config.get("MonitoringType", "DataQuality"),
        }

    def _get(self, call: Call, name: str) -> Resource:
        absent = f"Monitoring schedule with name {name} does not exist."
        return self._resources.get(SCHEDULE_KIND, call.region, name, absent, code="ResourceNotFound")
