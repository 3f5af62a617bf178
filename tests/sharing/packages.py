"""A small package, made of parts that a test can replace."""

from __future__ import annotations

from typing import Any

from festaf.contract.dag_inspection import DagInspection, InspectedTask
from festaf.contract.dag_package import Manifest
from festaf.sharing.archive import build_archive

DAG = b'''"""Sell things."""

from airflow.sdk import dag, task

from acme_sales.queries import TOTAL


@dag(schedule="@daily", tags=["sales"])
def sales():
    @task
    def total() -> str:
        return TOTAL

    total()


sales()
'''
FILES = {
    "README.md": b"# Sales\n",
    "acme_sales/__init__.py": b"",
    "acme_sales/queries.py": b'TOTAL = "select sum(amount) from sales"\n',
    "sales.py": DAG,
    "sql/total.sql": b"select sum(amount) from sales\n",
}


def manifest(**changes: Any) -> Manifest:
    """Describe the package, with some fields changed."""
    given: dict[str, Any] = {
        "namespace": "acme",
        "name": "sales",
        "version": "1.4.0",
        "summary": "Totals of a day's sales",
        "readme": "README.md",
        "licence": "Apache-2.0",
        "tags": ("sales",),
        "owners": ("data@acme.example",),
        "dags": (
            DagInspection(
                dag_id="sales",
                file="sales.py",
                schedule="@daily",
                tasks=(InspectedTask(task_id="total", operator="_PythonDecoratedOperator"),),
            ),
        ),
    }
    return Manifest(**{**given, **changes})


def archive(files: dict[str, bytes] | None = None, **changes: Any) -> bytes:
    """Build the package's archive."""
    return build_archive(manifest(**changes), FILES if files is None else files)
