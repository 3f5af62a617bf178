"""The metrics of invocations, counted here and put to CloudWatch now and then."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from festaf.local_aws.clock import Clock
    from festaf.local_aws.cloud import Cloud

NAMESPACE = "AWS/SageMaker"
_BATCH = 100


class _Statistics:
    """What CloudWatch takes in place of single values."""

    __slots__ = ("count", "greatest", "least", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.least = float("inf")
        self.greatest = float("-inf")

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)

    def shown(self) -> dict[str, float]:
        return {"SampleCount": self.count, "Sum": self.total, "Minimum": self.least, "Maximum": self.greatest}


class InvocationMetrics:
    """Counts invocations per endpoint and variant; may be used from several threads."""

    def __init__(self, cloud: Cloud, clock: Clock) -> None:
        self._cloud = cloud
        self._clock = clock
        self._lock = threading.Lock()
        self._counted: dict[tuple[str, str, str, str, str], _Statistics] = {}

    def count(self, region: str, endpoint: str, variant: str, status: int, microseconds: float) -> None:
        """Count one invocation.

        :param status: the HTTP status that the container answered, 5xx when it did not
        :param microseconds: how long the container took
        """
        values = {
            ("Invocations", "None"): 1.0,
            ("Invocation4XXErrors", "None"): float(400 <= status < 500),
            ("Invocation5XXErrors", "None"): float(status >= 500),
            ("InvocationModelErrors", "None"): float(status >= 300),
            ("ModelLatency", "Microseconds"): microseconds,
        }
        with self._lock:
            for (metric, unit), value in values.items():
                key = (region, endpoint, variant, metric, unit)
                found = self._counted.get(key)
                if found is None:
                    found = self._counted[key] = _Statistics()
                found.add(value)

    def flush(self) -> None:
        """Put what was counted since the last time to CloudWatch."""
        if not self._counted:
            return
        with self._lock:
            counted, self._counted = self._counted, {}
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        by_region: dict[str, list[dict[str, Any]]] = {}
        for (region, endpoint, variant, metric, unit), statistics in counted.items():
            datum = {
                "MetricName": metric,
                "Dimensions": [
                    {"Name": "EndpointName", "Value": endpoint},
                    {"Name": "VariantName", "Value": variant},
                ],
                "Timestamp": now,
                "StatisticValues": statistics.shown(),
                "Unit": unit,
            }
            by_region.setdefault(region, []).append(datum)
        for region, data in by_region.items():
            client = self._cloud.client("cloudwatch", region, passing=True)
            for start in range(0, len(data), _BATCH):
                client.put_metric_data(Namespace=NAMESPACE, MetricData=data[start : start + _BATCH])

    def forget(self) -> None:
        """Forget what was counted."""
        with self._lock:
            self._counted.clear()
