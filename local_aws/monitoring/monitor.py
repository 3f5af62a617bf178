"""Starts the executions of monitoring schedules when they are due by the server's clock, and keeps how they ended."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.kind import PROCESSING
from festaf.local_aws.monitoring.definitions import SCHEDULE_KIND, capture_of, definition_of
from festaf.local_aws.monitoring.due import DAILY, expression_of, window_of
from festaf.local_aws.monitoring.execution import (
    FINAL,
    JOB_KIND,
    KIND,
    at,
    has_data,
    job_name,
    job_request,
    outcome,
)
from festaf.local_aws.monitoring.work import MonitoringWork
from festaf.local_aws.objects import Objects
from festaf.local_aws.resources.reading import seeing_everything
from festaf.local_aws.service import ApiError, Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.faults import Faults
    from festaf.local_aws.jobs.jobs import Jobs
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import CurrentSettings

MOST_DUE = 200
"""After a long jump of the clock, how many of the latest due times of a schedule are run."""
NO_DATA = "Job inputs had no data"


class Monitor:
    """Runs schedules, each one execution after the other; an execution is a processing job."""

    def __init__(
        self, resources: Resources, settings: CurrentSettings, faults: Faults, cloud: Cloud, jobs: Jobs
    ) -> None:
        self._resources = resources
        self._settings = settings
        self._faults = faults
        self._cloud = cloud
        self._jobs = jobs
        self._working = threading.Lock()
        self.before_reading: Callable[[], None] = lambda: None
        """Brings what endpoints have captured to S3."""

    def work(self) -> None:
        """Keep what has ended, and start what is due."""
        with self._working, seeing_everything():
            for execution in self._resources.all(KIND):
                self._conclude(execution)
            for schedule in self._resources.all(SCHEDULE_KIND):
                self._run(schedule)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Start nothing until the end of the block, as while everything is forgotten."""
        with self._working:
            yield

    def status(self, schedule: Resource) -> str:
        """Give MonitoringScheduleStatus."""
        facts = schedule.facts
        if facts["failure"]:
            return "Failed"
        if facts["stopped"]:
            return "Stopped"
        return "Pending" if self._resources.clock.now() < facts["ready"] else "Scheduled"

    def job_of(self, execution: Resource) -> Resource | None:
        """Give the processing job of an execution; None when it has none, or none any more."""
        name = execution.facts["job"]
        return self._resources.find(JOB_KIND, execution.region, name) if name else None

    def running(self, schedule: Resource) -> bool:
        """Say whether an execution has not come to its end."""
        return any(
            one.facts["status"] not in FINAL
            for one in self._resources.all(KIND, schedule.region)
            if one.facts["schedule"] == schedule.name
        )

    def _conclude(self, execution: Resource) -> None:
        if execution.facts["status"] in FINAL:
            return
        job = self.job_of(execution)
        now = outcome(execution, job)
        if job is None:
            now = {"status": "Failed", "failure": "InternalServerError: The processing job is not there any more."}
        if now["status"] != execution.facts["status"]:
            execution.facts |= now
            self._resources.touch(execution)

    def _run(self, schedule: Resource) -> None:
        with self._resources.lock:
            if self.status(schedule) != "Scheduled" or self.running(schedule):
                return
            while schedule.facts["due"] or self._look(schedule):
                due = at(schedule.facts["due"][0])
                self._start(schedule, due)
                schedule.facts["due"] = schedule.facts["due"][1:]
                self._resources.save(schedule)
                if self.running(schedule):
                    return

    def _look(self, schedule: Resource) -> bool:
        """Note the times that have become due since this was last asked, and say whether there are any."""
        facts, now = schedule.facts, self._resources.now()
        config = schedule.request["MonitoringScheduleConfig"].get("ScheduleConfig", {})
        expression = expression_of(config.get("ScheduleExpression", DAILY))
        if expression is None:
            found = [facts["ready"]] if facts["considered"] < facts["ready"] else []
        else:
            passed = expression.between(at(facts["considered"]), at(now))
            found = [one.timestamp() for one in deque(passed, maxlen=MOST_DUE)]
        if found:
            facts["considered"], facts["due"] = max(now, facts["ready"]), found
            self._resources.save(schedule)
        return bool(found)

    def _start(self, schedule: Resource, due: datetime) -> None:
        config = schedule.request["MonitoringScheduleConfig"]
        name = f"{schedule.name}/{job_name(schedule, due)}"
        if self._resources.find(KIND, schedule.region, name) is not None:
            return
        job, failure = None, self._faults.creation_failure(KIND, schedule.name)
        if failure is None:
            try:
                job = self._create_job(schedule, due)
            except ApiError as problem:
                failure = problem.message
        self._resources.create(
            KIND,
            schedule.region,
            name,
            {},
            schedule=schedule.name,
            endpoint=schedule.facts["endpoint"],
            definition=config.get("MonitoringJobDefinitionName"),
            due=due.timestamp(),
            job=job,
            status="Pending" if job else "Failed",
            failure=failure,
        )

    def _create_job(self, schedule: Resource, due: datetime) -> str:
        """Start the processing job of an execution and give its name.

        :raises ApiError: it cannot be started; the message is why the execution failed
        """
        region, config = schedule.region, schedule.request["MonitoringScheduleConfig"]
        definition = definition_of(self._resources, region, config)
        window = window_of(config.get("ScheduleConfig", {}), due)
        endpoint = schedule.facts["endpoint"]
        self.before_reading()
        captured = f"{capture_of(self._resources, region, endpoint).rstrip('/')}/{endpoint}"
        if not has_data(Objects(self._cloud, region), captured, *window):
            raise ApiError("ValidationException", NO_DATA)
        baseline = self._baseline(region, definition.get("BaselineConfig", {}))
        request = job_request(schedule, definition, due, window, baseline, captured)
        settings = self._settings.now

        def work(job: Resource) -> MonitoringWork:
            return MonitoringWork(self._cloud, job, settings)

        call = Call("sagemaker", "CreateProcessingJob", region)
        try:
            return self._jobs.create(PROCESSING, call, request, work, message=None).name
        except ApiError as problem:
            if problem.code == "ResourceInUse":
                # An earlier server started it and ended before it had kept the execution.
                return str(request["ProcessingJobName"])
            raise

    def _baseline(self, region: str, config: Mapping[str, Any]) -> dict[str, str]:
        """Give the S3 URIs of a baseline's files: those that are named, else those that the baselining job wrote."""
        named = {
            "constraints": config.get("ConstraintsResource", {}).get("S3Uri"),
            "statistics": config.get("StatisticsResource", {}).get("S3Uri"),
        }
        if name := config.get("BaseliningJobName"):
            job = self._resources.find(JOB_KIND, region, name)
            if job is None or job.facts["status"] != "Completed":
                raise ApiError("ValidationException", f"The baselining job {name} has not completed.")
            folder = job.request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].rstrip("/")
            named = {what: uri or f"{folder}/{what}.json" for what, uri in named.items()}
        return {what: uri for what, uri in named.items() if uri}
