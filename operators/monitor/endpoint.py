"""Have SageMaker Model Monitor watch an endpoint, and act on what it finds."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from festaf.operators.monitor.drift import act, check_drift
from festaf.operators.task import ArtifactTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from festaf.contract.monitor import MonitorReport
    from festaf.operators.monitor.drift import OnDrift
    from festaf.provider.hooks.monitoring import Execution, MonitoringHook
    from festaf.provider.model_monitor.scheduling import Scheduling
    from festaf.provider.model_monitor.specification import MonitorSpecification

HOURLY = "cron(0 * ? * * *)"


class MonitorEndpointOperator(ArtifactTask):
    """Have SageMaker Model Monitor watch the data that an endpoint captures, and act on what it finds.

    The task makes the data quality job definition and the monitoring schedule, or changes the one that stands, waits
    until it is Scheduled, makes alarms on drift, and tells what the latest execution found; with
    ``wait_for_execution`` it waits for the next one. Running it again changes nothing that is as asked.

    :param endpoint: name of the endpoint, which must capture data (templated)
    :param monitor: name of the schedule; None is ``<endpoint>-data-quality`` (templated)
    :param ensure: ``present``, or ``absent``: delete the schedule, its job definitions and its alarms (templated)
    :param role_arn: role that SageMaker assumes (templated)
    :param output_s3_uri: folder of the executions' files (templated)
    :param baseline_s3_uri: folder of the baseline's ``statistics.json`` and ``constraints.json`` (templated)
    :param baseline_dataset: CSV with a header in S3, predictions first, from which a processing job suggests the
        baseline when it is not there (templated)
    :param schedule: ``cron(0 * ? * * *)`` (hourly), ``cron(0 6 ? * * *)`` (daily), or ``NOW`` (templated)
    :param start_offset: where the analyzed time begins before the due time, such as ``-PT1H``; NOW needs both
    :param end_offset: where it ends, such as ``-PT0H``
    :param image_uri: the analyzer; None is AWS's own of the region (templated)
    :param instance_type: machine of an execution
    :param instance_count: how many of them
    :param volume_gb: disk of each
    :param max_runtime: seconds after which AWS stops an execution
    :param environment: further variables for the analyzer
    :param alarm_features: features of which an alarm is made on the drift from the baseline
    :param alarm_threshold: distance above which it goes off
    :param alarm_period: seconds over which the metric is taken
    :param alarm_actions: ARNs that are told, such as an SNS topic's
    :param wait_for_execution: whether to wait until the next execution has ended
    :param on_drift: what violations of that execution, or of the latest, do: ``asset``, ``fail``, ``skip`` or
        ``report``, as for MonitorFeaturesOperator
    :param tags: AWS tags
    :param poll_interval: seconds between two looks, at most
    :param timeout: seconds after which the task gives up
    :return: the report as a dict; with ``absent``, whether there was a schedule
    """

    template_fields: Sequence[str] = (
        "endpoint",
        "monitor",
        "ensure",
        "role_arn",
        "output_s3_uri",
        "baseline_s3_uri",
        "baseline_dataset",
        "schedule",
        "image_uri",
        *ArtifactTask.template_fields,
    )

    def __init__(
        self,
        *,
        endpoint: str,
        monitor: str | None = None,
        ensure: Literal["present", "absent"] = "present",
        role_arn: str | None = None,
        output_s3_uri: str | None = None,
        baseline_s3_uri: str | None = None,
        baseline_dataset: str | None = None,
        schedule: str = HOURLY,
        start_offset: str | None = None,
        end_offset: str | None = None,
        image_uri: str | None = None,
        instance_type: str = "ml.m5.large",
        instance_count: int = 1,
        volume_gb: int = 20,
        max_runtime: int = 3600,
        environment: Mapping[str, str] | None = None,
        alarm_features: Sequence[str] = (),
        alarm_threshold: float = 0.1,
        alarm_period: int = 3600,
        alarm_actions: Sequence[str] = (),
        wait_for_execution: bool = False,
        on_drift: OnDrift = "asset",
        tags: Mapping[str, str] | None = None,
        poll_interval: float = 30,
        timeout: float = 7200,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint = endpoint
        self.monitor = monitor
        self.ensure = ensure
        self.role_arn = role_arn
        self.output_s3_uri = output_s3_uri
        self.baseline_s3_uri = baseline_s3_uri
        self.baseline_dataset = baseline_dataset
        self.schedule = schedule
        self.start_offset = start_offset
        self.end_offset = end_offset
        self.image_uri = image_uri
        self.instance_type = instance_type
        self.instance_count = instance_count
        self.volume_gb = volume_gb
        self.max_runtime = max_runtime
        self.environment = environment
        self.alarm_features = alarm_features
        self.alarm_threshold = alarm_threshold
        self.alarm_period = alarm_period
        self.alarm_actions = alarm_actions
        self.wait_for_execution = wait_for_execution
        self.on_drift = on_drift
        self.tags = tags
        self.poll_interval = poll_interval
        self.timeout = timeout

    @cached_property
    def hook(self) -> MonitoringHook:
        """Reach AWS."""
        from festaf.provider.hooks.monitoring import MonitoringHook

        return self.make_hook(MonitoringHook)

    @property
    def name(self) -> str:
        """Name the schedule."""
        return self.monitor or f"{self.endpoint}-data-quality"

    def execute(self, context: Context) -> dict[str, Any] | bool:
        """Bring the schedule about and act on what it found, or take it away."""
        from festaf.provider.endpoints.patience import Patience
        from festaf.provider.errors import InputError
        from festaf.provider.model_monitor.scheduling import Scheduling

        if self.ensure not in {"present", "absent"}:
            raise InputError(f"ensure is {self.ensure!r}: write present or absent")
        check_drift(self.on_drift, self.name, self.project, self.outlets)
        patience = Patience(self.log, float(self.timeout), float(self.poll_interval))
        scheduling = Scheduling(self.hook, self.log, patience)
        if self.ensure == "absent":
            return scheduling.remove(self.name, self.endpoint)
        specification = self._specification()
        before = patience.persist(lambda: self.hook.last_execution(self.name))
        source = self._bring(scheduling, specification)
        report = self._report(scheduling, before, source, specification)
        act(self, report, context)
        return report.model_dump(mode="json")

    def _bring(self, scheduling: Scheduling, specification: MonitorSpecification) -> str:
        """Bring everything about, and give where the captured data lie."""
        from festaf.provider.artifacts.feature_set import PROJECT_TAG

        source = scheduling.check_capture(self.endpoint)
        scheduling.ensure_baseline(specification, self.baseline_dataset)
        schedule = scheduling.ensure(specification, {PROJECT_TAG: self.project, **(self.tags or {})})
        self.log.info("Monitoring schedule %s is %s", schedule.name, schedule.status)
        settings = {
            "Threshold": self.alarm_threshold,
            "Period": self.alarm_period,
            "AlarmActions": list(self.alarm_actions),
        }
        for alarm in scheduling.ensure_alarms(specification, self.alarm_features, settings):
            self.log.info("Alarm %s goes off above %s", alarm, self.alarm_threshold)
        return source

    def _report(
        self, scheduling: Scheduling, before: Execution | None, source: str, specification: MonitorSpecification
    ) -> MonitorReport:
        """Read the latest execution, or wait for the next."""
        from datetime import UTC, datetime

        from festaf.provider.model_monitor.reading import Reading

        reading, patience = Reading(self.hook, self.name), scheduling.patience
        if self.wait_for_execution:
            found: Execution | None = reading.wait_for_next(before, patience)
        else:
            found = patience.persist(lambda: self.hook.last_execution(self.name))
        return patience.persist(
            lambda: reading.report(
                found, self.project, self.endpoint, source, specification.baseline_s3_uri, datetime.now(UTC)
            )
        )

    def _specification(self) -> MonitorSpecification:
        from festaf.provider.errors import InputError
        from festaf.provider.model_monitor.images import analyzer_image
        from festaf.provider.model_monitor.specification import MonitorSpecification

        if not (self.role_arn and self.output_s3_uri and self.baseline_s3_uri):
            raise InputError(
                f"Task {self.task_id} needs role_arn, output_s3_uri and baseline_s3_uri to watch an endpoint"
            )
        specification = MonitorSpecification(
            name=self.name,
            endpoint=self.endpoint,
            role_arn=self.role_arn,
            image_uri=self.image_uri or analyzer_image(self.hook.client("sagemaker").meta.region_name),
            output_s3_uri=self.output_s3_uri,
            baseline_s3_uri=self.baseline_s3_uri,
            schedule=self.schedule,
            instance_type=self.instance_type,
            instance_count=self.instance_count,
            volume_gb=self.volume_gb,
            max_runtime=self.max_runtime,
            start_offset=self.start_offset,
            end_offset=self.end_offset,
            environment=self.environment or {},
        )
        specification.check()
        return specification
