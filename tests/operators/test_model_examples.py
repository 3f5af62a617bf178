"""The examples of docs/reference/models.md are DAGs that Airflow reads and serialises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from tests.dag_serialization import DagSerialization

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "models.md"


def test_the_examples_are_dags() -> None:
    found: dict[str, set[str]] = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        if "Meta()" in example:
            compile(example, str(PAGE), "exec")
            continue
        names: dict[str, Any] = {}
        exec(example, names)
        for dag in (item for item in names.values() if isinstance(item, DAG)):
            again = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
            assert again.task_ids == dag.task_ids
            found[dag.dag_id] = set(dag.task_ids)
    assert found == {
        "delay_release": {"approved", "create"},
        "delay_model": {"register", "compare", "approve", "create", "ready", "keep"},
    }
