"""The examples of docs/reference/endpoints.md are DAGs that Airflow reads, serialises and renders."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from tests.dag_serialization import DagSerialization

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "endpoints.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text().partition("## Example")[2], re.DOTALL)


def test_the_first_example_is_a_dag_with_its_tasks() -> None:
    names: dict[str, Any] = {}
    exec(EXAMPLES[0], names)
    dag = names["deploy"].dag
    assert dag.task_ids == ["deploy", "ready", "ask"]
    assert DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)).task_ids == dag.task_ids
    deploy = dag.get_task("deploy")
    deploy.render_template_fields({"params": {"version": 7}})
    assert deploy.variants[0].model_package == "delay:7"  # type: ignore[attr-defined]
    assert deploy._specification().update_settings()["DeploymentConfig"]  # type: ignore[attr-defined]


def test_the_second_example_makes_tasks() -> None:
    names: dict[str, Any] = {}
    with DAG("ab", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        exec(EXAMPLES[1], names)
    assert dag.task_ids == ["ab", "shift", "retire"]
    names["ab"]._specification().check()
