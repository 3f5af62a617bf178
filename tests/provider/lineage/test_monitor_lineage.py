"""A monitor's report becomes a dataset that is made from what was watched."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import AssetAlias
from airflow.sdk.execution_time.context import OutletEventAccessors

from festaf.contract.facts.told import Worker
from festaf.contract.monitor import MONITOR_FACET, MonitorReport
from festaf.provider.assets import artifact_asset
from festaf.provider.lineage.datasets import attached_to, inputs, outputs

REPORT: dict[str, Any] = {
    "project": "nyc",
    "monitor": "weather-drift",
    "feature_set": "weather",
    "source": "x-festaf://nyc/weather",
    "window": "all rows",
    "baseline": "s3://lake/baseline.json",
    "rows": 5,
    "measured_at": "2013-01-02T00:00:00Z",
    "verdict": "drifted",
}


@pytest.mark.parametrize(
    ("endpoint", "watched"), [(None, ("x-festaf://nyc", "weather")), ("delays", ("x-festaf-endpoint://nyc", "delays"))]
)
def test_both_events_of_a_drift_are_one_dataset(endpoint: str | None, watched: tuple[str, str]) -> None:
    fact = MonitorReport.model_validate(REPORT | {"endpoint": endpoint}).model_dump(mode="json")
    events = OutletEventAccessors()
    for name in ("weather-drift/report", "weather-drift"):
        events[AssetAlias("festaf")].add(artifact_asset("monitor", name, "nyc"), extra={"festaf": fact})
    attached = attached_to(events, Worker())
    (output,) = outputs([], attached)
    assert (output.namespace, output.name) == ("x-festaf-monitor://nyc", "weather-drift")
    assert output.output_facets[MONITOR_FACET]["report"]["verdict"] == "drifted"
    assert [(item.namespace, item.name) for item in inputs([], attached)] == [watched]
