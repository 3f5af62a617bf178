"""A DAG's inspection as a tree that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text
from rich.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from festaf.contract.dag_inspection import DagInspection, InspectedTask, Unresolved

NEEDS = (
    "connections", "variables", "pools", "queues", "executors", "environment", "images", "assets", "providers",
    "requirements", "local_modules", "data_files",
)  # fmt: skip
WIDTH = 15


def summary(dag: DagInspection, differences: list[dict[str, Any]] | None) -> Group:
    """Draw a DAG: what it is, its tasks and edges, what it needs, and at the end what is not decided.

    :param differences: from Airflow's own answer; None when it was not asked
    """
    tree = Tree(Text(dag.dag_id or "(dag_id not decided)", style="bold"), guide_style="dim")
    tree.add(_line("file", f"{dag.file}:{dag.line}"))
    tree.add(_line("schedule", _uncertain(dag, "schedule", dag.schedule or "none")))
    for name in ("tags", "owners"):
        tree.add(_line(name, _uncertain(dag, name, ", ".join(getattr(dag, name)) or "none")))
    if dag.params:
        tree.add(_line("params", _uncertain(dag, "params", ", ".join(item.name for item in dag.params))))
    tasks = tree.add(_line("tasks", _uncertain(dag, "tasks", str(len(dag.tasks)))))
    for task in dag.tasks:
        tasks.add(_task(task))
    needs = [(name, getattr(dag, name)) for name in NEEDS if getattr(dag, name) or name in dag.confidence]
    if needs:
        branch = tree.add(Text("needs"))
        for name, values in needs:
            branch.add(_line(name.replace("_", " "), _uncertain(dag, name, ", ".join(values) or "none found")))
    if dag.unresolved:
        branch = tree.add(Text("unresolved", style="yellow"))
        for item in _distinct(dag.unresolved):
            branch.add(Text(item))
    if differences is not None:
        branch = tree.add(Text("Airflow's DagBag says the same" if not differences else "Airflow's DagBag differs"))
        for told in differences:
            sides = f"read {told['read']!r}, Airflow {told['airflow']!r}"
            branch.add(Text(f"{told['field']} ({told['confidence']}): {sides}"))
    return Group(tree, Text(""))


def _line(key: str, value: str) -> Text:
    return Text(f"{key:<{WIDTH}}{value}")


def _uncertain(dag: DagInspection, name: str, shown: str) -> str:
    """Mark what is not exact."""
    level = dag.confidence.get(name)
    return shown if level is None or level == "exact" else f"{shown}, and perhaps others" if level == "partial" else "?"


def _task(task: InspectedTask) -> Text:
    arrow = f" -> {', '.join(task.downstream)}" if task.downstream else ""
    mapped = " [mapped]" if task.mapped else ""
    return Text(f"{task.task_id} ({task.operator}){mapped}{arrow}")


def _distinct(items: Iterable[Unresolved]) -> list[str]:
    lines = []
    for item in items:
        place = f" ({item.place.file}:{item.place.line})" if item.place else ""
        lines.append(f"{item.what}: {item.reason}{place}")
    return list(dict.fromkeys(lines))
