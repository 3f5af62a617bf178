"""``festaf dag inspect --with-dagbag`` asks the Airflow that is installed, whichever of the supported ones it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from festaf.provider.cli.dag.app import app

if TYPE_CHECKING:
    from pathlib import Path

SALES = """
from airflow.sdk import dag, task

@dag(schedule="0 6 * * *", catchup=False, tags=["sales"])
def sales():
    @task
    def fetch():
        return 1

    @task
    def add(amount):
        return amount

    add(fetch())

sales()
"""


def test_what_airflow_imports_is_what_was_read(tmp_path: Path) -> None:
    (tmp_path / "sales.py").write_text(SALES)
    done = CliRunner().invoke(app, ["inspect", str(tmp_path), "--with-dagbag", "--json"])
    assert done.exit_code == 0, done.output
    [dag] = json.loads(done.stdout)
    assert (dag["dag_id"], dag["schedule"], dag["differences"]) == ("sales", "0 6 * * *", [])


def test_where_airflow_says_otherwise_is_shown(tmp_path: Path) -> None:
    (tmp_path / "sales.py").write_text(SALES + "\nimport gone_for_good\n")
    done = CliRunner().invoke(app, ["inspect", str(tmp_path), "--with-dagbag", "--json"])
    assert done.exit_code == 2, done.output
    [dag] = json.loads(done.stdout)
    assert [item["field"] for item in dag["differences"]] == ["dag_id"]
