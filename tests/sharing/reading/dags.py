"""Read a DAG file from its text."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from festaf.sharing.reading import read_file

if TYPE_CHECKING:
    from festaf.contract.dag_inspection import DagInspection, FileInspection


def read(text: str, **modules: str) -> FileInspection:
    """Read ``dag.py`` with other files beside it; ``__`` in a name stands for a slash, and ``.py`` is added."""
    sources = {f"{name.replace('__', '/')}.py": dedent(content).encode() for name, content in modules.items()}
    return read_file({"dag.py": dedent(text).encode(), **sources}, "dag.py")


def read_dag(text: str, **modules: str) -> DagInspection:
    """Read the one DAG of a file."""
    found = read(text, **modules)
    assert found.error is None
    [dag] = found.dags
    return dag


def edges(dag: DagInspection) -> set[tuple[str, str]]:
    """Give the edges of a DAG."""
    return {(task.task_id, downstream) for task in dag.tasks for downstream in task.downstream}


def ids(dag: DagInspection) -> list[str]:
    """Give the ids of a DAG's tasks in order."""
    return [task.task_id for task in dag.tasks]
