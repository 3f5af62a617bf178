"""A DAG folder as authors have them: a package of their own, SQL beside it, and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DAG = '''"""Sell things."""

from datetime import datetime

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

from acme_sales.queries import COUNTRY

with DAG("sales", schedule="@daily", start_date=datetime(2024, 1, 1), tags=["sales"]):
    total = SQLExecuteQueryOperator(task_id="total", conn_id="warehouse", sql="sql/total.sql")
    tell = BashOperator(task_id="tell", bash_command="echo {{ var.value.sales_channel }}", pool="reports")
    total >> tell
'''
SETTINGS = """[package]
namespace = "acme"
name = "sales"
version = "1.4.0"
summary = "Totals of a day's sales"
licence = "Apache-2.0"
tags = ["sales"]
owners = ["data@acme.example"]

[[package.parameters]]
name = "country"
description = "Of which country"
default = "NL"
"""


def write_project(folder: Path, *, settings: str = SETTINGS, dag: str = DAG) -> Path:
    """Write the folder."""
    for path, text in {
        "sales.py": dag,
        "other.py": "x = 1\n",
        "acme_sales/__init__.py": "",
        "acme_sales/queries.py": 'COUNTRY = "NL"\n',
        "acme_sales/unused.py": "x = 1\n",
        "sql/total.sql": "select 1\n",
        "sql/unused.sql": "select 2\n",
        "README.md": "# Sales\n",
        "festaf.toml": settings,
    }.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder
