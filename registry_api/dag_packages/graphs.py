"""Draw the DAGs of a version, as the registry itself read them from the code."""

from __future__ import annotations

from collections.abc import Iterable

from festaf.contract.dag_inspection import DagInspection, FileInspection
from festaf.contract.dag_package_steps import DagGraph, GraphTask, PackageGraph

MOST_TASKS = 5_000
"""Of all DAGs together; a drawing of more is of no use."""
DRAWN = ("dag_id", "tasks", "edges")


def graphs_of(inspection: Iterable[FileInspection]) -> PackageGraph:
    """Draw every DAG, within a bound."""
    drawn: list[DagGraph] = []
    left = MOST_TASKS
    for file in inspection:
        for dag in file.dags:
            if len(dag.tasks) > left:
                return PackageGraph(dags=tuple(drawn), truncated=True)
            left -= len(dag.tasks)
            drawn.append(_graph(dag))
    return PackageGraph(dags=tuple(drawn))


def _graph(dag: DagInspection) -> DagGraph:
    return DagGraph(
        dag_id=dag.dag_id,
        file=dag.file,
        schedule=dag.schedule,
        tasks=tuple(
            GraphTask(task_id=task.task_id, operator=task.operator, group=task.group, mapped=task.mapped)
            for task in dag.tasks
        ),
        edges=tuple((task.task_id, after) for task in dag.tasks for after in task.downstream),
        complete=all(dag.confidence.get(field, "exact") == "exact" for field in DRAWN),
    )
