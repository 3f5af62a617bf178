"""A DAG that deploys, shifts, asks, rolls back and retires an endpoint runs on real Airflow, with its triggers."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.endpoints import create_model, names

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

pytestmark = [pytest.mark.flow, pytest.mark.timeout(400)]

DAGS = Path(__file__).parent / "serving"


def airflow(home: Path, *words: str) -> str:
    """Run a command of Airflow in a home of its own, and give what it printed."""
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def asked(home: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask Airflow's own database."""
    database = sqlite3.connect(home / "airflow.db")
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def test_an_endpoint_lives_its_whole_life_in_one_dag(aws: LocalAws, tmp_path: Path) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    aws.settings(endpoint_create_seconds=2, endpoint_update_seconds=2)
    airflow(tmp_path, "db", "migrate")
    said = airflow(tmp_path, "dags", "test", "serve")
    assert "running trigger in line" in said
    states = dict(asked(tmp_path, "SELECT task_id, state FROM task_instance"))
    assert set(states.values()) == {"success"}
    rows = asked(tmp_path, "SELECT task_id, value FROM xcom WHERE key = 'return_value'")
    results = {task: json.loads(value) for task, value in rows}
    assert results["shift"] == {"A": 1.0, "B": 0.0}
    assert (results["ask"]["content"], results["ask"]["variant"]) == ("two:7", "B")
    assert results["back"]["action"] == "rolled back"
    assert results["back"]["configuration"] == results["deploy"]["configuration"]
    assert set(results["gone"]["configurations"]) == {results[task]["configuration"] for task in ("deploy", "both")}
    assert names(aws) == {"endpoints": [], "configurations": [], "models": []}
    events = asked(tmp_path, "SELECT source_task_id, extra FROM asset_event ORDER BY id")
    actions = {task: json.loads(extra)["festaf"]["action"] for task, extra in events}
    assert actions == {
        "deploy": "created",
        "both": "updated",
        "shift": "shifted",
        "undo": "shifted",
        "back": "rolled back",
        "gone": "deleted",
    }
