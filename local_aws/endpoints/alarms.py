"""CloudWatch alarms: moto keeps them, but never evaluates them; that is done here, for alarms on one metric."""

from __future__ import annotations

import operator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from festaf.local_aws.cloud import Cloud

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class Alarms:
    """The states of the alarms in moto's CloudWatch."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def ringing(self, region: str, names: Sequence[str]) -> str | None:
        """Give the name of the first of these alarms that is in state ALARM; None when none is."""
        if not names:
            return None
        answer = self._cloud.client("cloudwatch", region).describe_alarms(
            AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}
        return next((name for name in names if states.get(name) == "ALARM"), None)

    def evaluate(self, region: str, now: float) -> None:
        """Give every alarm on one metric the state that follows from its data; without data it keeps the one it has.

        :param now: seconds since 1970
        """
        client = self._cloud.client("cloudwatch", region, passing=True)
        for page in client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"]):
            for alarm in page["MetricAlarms"]:
                if "MetricName" not in alarm or alarm.get("Statistic") is None:
                    continue
                state, reason = self._state(client, alarm, datetime.fromtimestamp(now, UTC))
                if state is not None and state != alarm["StateValue"]:
                    client.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason=reason)

    def _state(self, client: Any, alarm: Mapping[str, Any], now: datetime) -> tuple[str | None, str]:
        compare = _COMPARISONS.get(alarm["ComparisonOperator"])
        if compare is None:
            return None, ""
        values = [self._value(client, alarm, now, number) for number in range(alarm["EvaluationPeriods"])]
        if all(value is None for value in values):
            return None, ""
        missing = alarm.get("TreatMissingData") == "breaching"
        breaching = [missing if value is None else compare(value, alarm["Threshold"]) for value in values]
        needed = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
        shown = [value for value in values if value is not None]
        verdict = sum(breaching) >= needed
        crossed = "Threshold Crossed" if verdict else "Threshold not crossed"
        return ("ALARM" if verdict else "OK"), f"{crossed}: {shown} against {alarm['Threshold']}."

    def _value(self, client: Any, alarm: Mapping[str, Any], now: datetime, number: int) -> float | None:
        """Give the metric's statistic of one period, counted backwards from now; None when there is no datum."""
        period = timedelta(seconds=alarm["Period"])
        # moto drops fractions of a second and leaves out the end, so that what came just now would be missed.
        end = now - number * period + timedelta(seconds=1)
        answer = client.get_metric_statistics(
            Namespace=alarm["Namespace"],
            MetricName=alarm["MetricName"],
            Dimensions=alarm.get("Dimensions", []),
            StartTime=end - period,
            EndTime=end,
            Period=alarm["Period"],
            Statistics=[alarm["Statistic"]],
        )
        values = [point[alarm["Statistic"]] for point in answer["Datapoints"]]
        return float(values[-1]) if values else None
