"""Bring a monitoring schedule about, and take it away; each step is found done when it is done again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import TAKEN, FailedArtifactError, InputError, NotReadyError, RefusedError
from festaf.provider.model_monitor.specification import baseline_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow.sdk.types import Logger

    from festaf.provider.endpoints.patience import Patience
    from festaf.provider.hooks.monitoring import MonitoringHook, Schedule
    from festaf.provider.model_monitor.specification import MonitorSpecification

NAMESPACE = "aws/sagemaker/Endpoints/data-metrics"
FAILED = frozenset({"Failed", "Stopped", "Stopping"})
MOST_TRIES = 20
"""Jobs that suggest one baseline from one dataset."""


@dataclass(frozen=True)
class Scheduling:
    """Works on one schedule until a deadline."""

    hook: MonitoringHook
    log: Logger
    patience: Patience

    def check_capture(self, endpoint: str) -> str:
        """Give where the endpoint's captured data go.

        :raises InputError: there is no such endpoint, or it captures nothing
        """
        found = self.patience.persist(lambda: self.hook.describe(endpoint))
        if found is None:
            raise InputError(f"There is no endpoint {endpoint} to watch in {self.hook.place}")
        capture = found.data_capture or {}
        if not capture.get("EnableCapture") or capture.get("CaptureStatus") == "Stopped":
            raise InputError(f"Endpoint {endpoint} captures no data: deploy it with data capture to have it watched")
        return str(capture["DestinationS3Uri"])

    def ensure_baseline(self, specification: MonitorSpecification, dataset: str | None) -> None:
        """Have a processing job suggest the baseline from a dataset, unless the baseline's files are there.

        :raises InputError: neither the files nor a dataset are there
        :raises FailedArtifactError: the job failed
        """
        folder = specification.baseline_s3_uri.rstrip("/")
        files = [f"{folder}/{name}.json" for name in ("statistics", "constraints")]
        if all(self.patience.persist(lambda uri=uri: self.hook.read_object(uri)) is not None for uri in files):  # type: ignore[misc]
            return
        if dataset is None:
            raise InputError(f"There is no baseline in {folder}: give baseline_dataset, from which one is suggested")
        digest = hashlib.sha256(f"{dataset}\0{folder}\0{specification.image_uri}".encode()).hexdigest()[:10]
        job, status = self._next_job(f"{specification.name}-{digest}")
        if status is None:
            self.log.info("Suggesting a baseline from %s by processing job %s", dataset, job)
            self._once("create_processing_job", baseline_request(specification, dataset, job))
        self.patience.until(lambda: self._job_done(job), lambda: self._late(f"Processing job {job}", "Completed"))

    def ensure(self, specification: MonitorSpecification, tags: Mapping[str, str]) -> Schedule:
        """Create the schedule, or change the one that stands, and wait until it is Scheduled.

        :raises FailedArtifactError: AWS gave it up
        """
        if not self.patience.persist(lambda: self.hook.has_definition(specification.definition_name)):
            self._once("create_data_quality_job_definition", specification.definition_request(tags))
        self._bring(specification, tags)
        schedule = self.patience.until(
            lambda: self._scheduled(specification),
            lambda: self._late(f"Monitoring schedule {specification.name}", "Scheduled"),
        )
        self._forget_definitions(specification.endpoint, specification.name, keep=specification.definition_name)
        return schedule

    def ensure_alarms(
        self, specification: MonitorSpecification, features: Iterable[str], settings: Mapping[str, Any]
    ) -> list[str]:
        """Make an alarm on the drift of each feature (PutMetricAlarm), and delete those of other features."""
        names = {f"{specification.name}-drift-{feature}": feature for feature in features}
        for name, feature in names.items():
            request = {
                "AlarmName": name,
                "AlarmDescription": f"{feature} of endpoint {specification.endpoint} drifts from its baseline",
                "Namespace": NAMESPACE,
                "MetricName": f"feature_baseline_drift_{feature}",
                "Dimensions": [
                    {"Name": "Endpoint", "Value": specification.endpoint},
                    {"Name": "MonitoringSchedule", "Value": specification.name},
                ],
                "Statistic": "Maximum",
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "TreatMissingData": "notBreaching",
                **settings,
            }
            self.patience.persist(lambda request=request: self.hook.call("cloudwatch", "put_metric_alarm", **request))  # type: ignore[misc]
        self._forget_alarms(specification.name, keep=names)
        return list(names)

    def remove(self, name: str, endpoint: str) -> bool:
        """Delete the schedule, its alarms and its job definitions, and wait until it is gone."""
        self._forget_alarms(name, keep=())
        found = self.patience.persist(lambda: self.hook.schedule(name))
        if found is not None:
            self.patience.until(lambda: self._gone(name), lambda: self._late(f"Monitoring schedule {name}", "gone"))
        self._forget_definitions(endpoint, name, keep=None)
        return found is not None

    def _bring(self, specification: MonitorSpecification, tags: Mapping[str, str]) -> None:
        found = self.patience.persist(lambda: self.hook.schedule(specification.name))
        request = specification.schedule_request()
        if found is None:
            self.log.info("Creating monitoring schedule %s on %s", specification.name, specification.endpoint)
            marked = [{"Key": key, "Value": value} for key, value in tags.items()]
            self._once("create_monitoring_schedule", {**request, "Tags": marked})
            return
        if found.endpoint not in {None, specification.endpoint}:
            raise InputError(
                f"Monitoring schedule {found.name} watches endpoint {found.endpoint}: name another monitor"
            )
        wanted = (specification.definition_name, specification.schedule)
        if (found.definition, found.expression) != wanted:
            self.log.info("Changing monitoring schedule %s", specification.name)
            self.patience.persist(lambda: self.hook.call("sagemaker", "update_monitoring_schedule", **request))
        elif found.status == "Stopped":
            self.patience.persist(
                lambda: self.hook.call(
                    "sagemaker", "start_monitoring_schedule", MonitoringScheduleName=specification.name
                )
            )

    def _once(self, operation: str, request: Mapping[str, Any]) -> None:
        """Create a thing whose name tells its content: one that stands already came of a reply that was lost."""

        def attempt() -> None:
            try:
                self.hook.call("sagemaker", operation, **request)
            except RefusedError as error:
                if error.code not in TAKEN:
                    raise

        self.patience.persist(attempt)

    def _scheduled(self, specification: MonitorSpecification) -> Schedule | None:
        found = self.hook.schedule(specification.name)
        if found is None or found.definition != specification.definition_name:
            return None
        if found.status == "Failed":
            raise FailedArtifactError(f"Monitoring schedule {found.name}", found.status, found.failure_reason)
        return found if found.status == "Scheduled" else None

    def _next_job(self, name: str) -> tuple[str, str | None]:
        """Name the job that runs, is done, or is to be made (no status): the first whose forerunners all failed."""
        for number in range(1, MOST_TRIES + 1):
            job = f"{name}-{number}"
            found = self.patience.persist(lambda job=job: self.hook.processing_job(job))  # type: ignore[misc]
            status = found["ProcessingJobStatus"] if found else None
            if status not in FAILED:
                return job, status
        raise InputError(f"{MOST_TRIES} processing jobs {name}-... failed: look into the last before trying again")

    def _job_done(self, job: str) -> bool | None:
        found = self.hook.processing_job(job)
        status = found["ProcessingJobStatus"] if found else None
        if status in FAILED:
            assert found is not None
            raise FailedArtifactError(f"Processing job {job}", str(status), found.get("FailureReason"))
        return True if status == "Completed" else None

    def _gone(self, name: str) -> bool | None:
        try:
            return None if self.hook.delete_schedule(name) else True
        except RefusedError as error:
            # An execution that runs holds the schedule until it ends.
            self.log.info("%s; trying again", error)
            return None

    def _forget_definitions(self, endpoint: str, name: str, keep: str | None) -> None:
        for definition in self.patience.persist(lambda: list(self.hook.definitions(endpoint, name))):
            if definition.rpartition("-")[0] == name and definition != keep:
                self.patience.persist(lambda definition=definition: self.hook.delete_definition(definition))  # type: ignore[misc]

    def _forget_alarms(self, name: str, keep: Iterable[str]) -> None:
        kept = set(keep)
        found = self.patience.persist(lambda: self.hook.alarm_names(f"{name}-drift-"))
        if left := [alarm for alarm in found if alarm not in kept]:
            self.patience.persist(lambda: self.hook.delete_alarms(left))

    def _late(self, artifact: str, level: str) -> NotReadyError:
        return NotReadyError(artifact, level, ("AWS is still at it",), self.patience.seconds)
