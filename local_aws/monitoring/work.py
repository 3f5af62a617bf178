"""The processing job of an execution: the analyzer, and what it measured brought to CloudWatch."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from festaf.local_aws.jobs.processing_work import ProcessingWork

if TYPE_CHECKING:
    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.jobs.run import Run
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import Settings

log = logging.getLogger(__name__)

NAMESPACE = "aws/sagemaker/Endpoints/data-metrics"
_AT_ONCE = 500
"""Metrics of one PutMetricData."""


class MonitoringWork(ProcessingWork):
    """The work of one execution."""

    def __init__(self, cloud: Cloud, job: Resource, settings: Settings) -> None:
        super().__init__(cloud, job, settings)
        self._cloudwatch = cloud.client("cloudwatch", job.region)

    def perform(self, run: Run) -> None:
        """Analyze, deliver, measure."""
        super().perform(run)
        file = run.folder / "ml" / "output" / "metrics" / "cloudwatch"
        if not file.is_file():
            return
        metrics = [_metric(line) for line in file.read_text().splitlines()]
        try:
            for start in range(0, len(metrics), _AT_ONCE):
                self._cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=metrics[start : start + _AT_ONCE])
        except ClientError as problem:
            log.warning("CloudWatch refused the metrics of %s: %s", run.course.job.name, problem)


def _metric(line: str) -> dict[str, Any]:
    metric: dict[str, Any] = json.loads(line)
    return {**metric, "Timestamp": datetime.fromisoformat(metric["Timestamp"])}
