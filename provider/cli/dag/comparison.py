"""Compare what was read with what Airflow's DagBag says of the same files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import typer

from festaf.provider.cli.dag import dagbag

if TYPE_CHECKING:
    from pathlib import Path

    from festaf.contract.dag_inspection import DagInspection, FileInspection

Differences = dict[tuple[str, str], list[dict[str, Any]]]
SECONDS = 60.0


def dagbag_answers(root: Path, files: list[str]) -> list[dict[str, Any]]:
    """Import the files with Airflow in a process and an Airflow home of its own."""
    if find_spec("airflow") is None:
        typer.echo("--with-dagbag needs Airflow, which is not installed: pip install 'festaf[airflow]'", err=True)
        raise typer.Exit(1)
    typer.echo(f"Importing {len(files)} files with Airflow: this runs their code", err=True)
    with tempfile.TemporaryDirectory(prefix="festaf-dagbag-") as home:
        environment = os.environ | {"AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        command = [sys.executable, "-P", str(dagbag.__file__), str(root), *files]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=SECONDS + 10 * len(files), check=False
            )
        except subprocess.TimeoutExpired:
            typer.echo("Airflow did not finish importing the files in time", err=True)
            raise typer.Exit(1) from None
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if len(answers) < len(files):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        typer.echo(f"Airflow ended before it imported all files: {last}", err=True)
        raise typer.Exit(1)
    return answers


def compare(inspections: list[FileInspection], answers: list[dict[str, Any]]) -> Differences:
    """Give the differences by file and dag_id; a DAG that one side lacks is a difference too."""
    told = {answer["file"]: answer for answer in answers}
    found: Differences = {}
    for item in inspections:
        answer = told.get(item.file, {"dags": [], "error": None})
        if answer["error"]:
            typer.echo(f"{item.file}: Airflow cannot import it: {answer['error']}", err=True)
        theirs = {dag["dag_id"]: dag for dag in answer["dags"]}
        for dag in item.dags:
            other = theirs.pop(dag.dag_id, None)
            key = (item.file, dag.dag_id or "")
            missing = [
                {"field": "dag_id", "read": dag.dag_id, "airflow": None, "confidence": _confidence(dag, "dag_id")}
            ]
            found[key] = missing if other is None else differences(dag, other)
        for dag_id in theirs:
            typer.echo(f"{item.file}: Airflow also finds the DAG {dag_id}", err=True)
            found[(item.file, dag_id)] = [{"field": "dag_id", "read": None, "airflow": dag_id, "confidence": "unknown"}]
    return found


def _absent(dag: DagInspection) -> list[dict[str, Any]]:
    return [{"field": "dag_id", "read": dag.dag_id, "airflow": None, "confidence": _confidence(dag, "dag_id")}]


def differences(dag: DagInspection, other: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the fields in which a DAG differs from Airflow's."""
    return [
        {"field": name, "read": mine, "airflow": theirs, "confidence": _confidence(dag, name)}
        for name, (mine, theirs) in fields(dag, other).items()
        if mine != theirs
    ]


def fields(dag: DagInspection, other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Give each compared field as it was read, and as Airflow says it.

    Airflow knows the connections of task attributes only, so only those that were not read count as different.
    """
    edges = sorted([task.task_id, downstream] for task in dag.tasks for downstream in task.downstream)
    unread = sorted(set(other["connections"]) - set(dag.connections))
    # A timetable that Airflow itself cannot show is not compared.
    shown = dag.schedule if str(other["schedule"]).startswith("? ") else other["schedule"]
    return {
        "schedule": (dag.schedule, shown),
        "tags": (list(dag.tags), other["tags"]),
        "owners": (list(dag.owners), other["owners"]),
        "tasks": (sorted(task.task_id for task in dag.tasks), sorted(other["tasks"])),
        "operators": ({task.task_id: task.operator for task in dag.tasks}, other["tasks"]),
        "edges": (edges, other["edges"]),
        "pools": (list(dag.pools), other["pools"]),
        "inlets": (list(dag.inlets), other["inlets"]),
        "outlets": (list(dag.outlets), other["outlets"]),
        "params": (sorted(item.name for item in dag.params), other["params"]),
        "description": (dag.description, other["description"]),
        "catchup": (bool(dag.catchup), other["catchup"]),
        "connections": ([], unread),
    }


def _confidence(dag: DagInspection, name: str) -> str:
    told = dag.confidence.get(name, "exact")
    return dag.confidence.get("tasks", "exact") if name in {"operators", "edges"} and told == "exact" else told
