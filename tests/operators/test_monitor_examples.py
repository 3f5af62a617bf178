"""The examples on monitors, onboarding, lineage and two accounts are DAGs that Airflow reads and serialises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from tests.dag_serialization import DagSerialization

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    "reference/monitors.md": {
        "weather_monitoring": ["monitor"],
        "weather_retraining": ["why"],
        "delay_monitoring": ["monitor"],
    },
    "reference/onboarding.md": {"onboarding": ["planes", "delay"]},
    "how-to/declare-lineage.md": {"river_features": ["count_stations", "compute_levels", "find_floods"]},
    "how-to/two-accounts.md": {"two_accounts": ["approve", "deploy", "ready"]},
}


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_are_dags(page: str) -> None:
    found: dict[str, list[str]] = {}
    for example in re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL):
        if "Meta()" in example:
            compile(example, page, "exec")
            continue
        names: dict[str, Any] = {}
        exec(example, names)
        for dag in (item for item in names.values() if isinstance(item, DAG)):
            again = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
            assert again.task_ids == dag.task_ids
            found[dag.dag_id] = dag.task_ids
    assert found == PAGES[page]


def test_the_retraining_dag_waits_for_drift_alone() -> None:
    names: dict[str, Any] = {}
    text = (DOCS / "reference/monitors.md").read_text(encoding="utf-8")
    exec(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0], names)
    assert names["drift"].uri == "x-festaf-monitor://nyc/weather"
    monitor = names["monitoring"].get_task("monitor")
    assert [getattr(outlet, "uri", None) for outlet in monitor.outlets] == [None]
