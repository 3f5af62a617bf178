"""What differs between two versions, or between a fork and what it was made from: tasks, schedule, needs, code."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from festaf.contract.dag_inspection import DagInspection, FileInspection, InspectedTask
from festaf.contract.dag_package import Ancestor, FileChange, Manifest, PackageDiff, TaskChange, ValueChange

TASK_FIELDS = ("operator", "module", "mapped", "group")
"""What makes a task another one; its line and its edges are told elsewhere."""
DAG_FIELDS = (
    *("schedule", "timezone", "start_date", "catchup", "description", "tags", "owners", "params"),
    *("inlets", "outlets", "scheduled_on", "file"),
)
MANIFEST_FIELDS = ("summary", "licence", "maturity", "tags", "owners", "parameters", "readme")
MOST_TASKS = 2_000
MOST_FILES = 200
MOST_LINES = 2_000
"""Of one file, on each side; comparing takes time by the product of both."""
MOST_TEXT = 200_000
"""Characters of all diffs together."""


def difference(
    before: tuple[Ancestor, Manifest, Sequence[FileInspection]],
    after: tuple[Ancestor, Manifest, Sequence[FileInspection]],
    files: tuple[Mapping[str, bytes], Mapping[str, bytes]],
) -> PackageDiff:
    """Compare two versions."""
    old, new = _dags(before[2]), _dags(after[2])
    old_edges, new_edges = set(_edges(old)), set(_edges(new))
    return PackageDiff(
        before=before[0],
        after=after[0],
        tasks=tuple(_tasks(old, new))[:MOST_TASKS],
        edges_added=tuple(sorted(new_edges - old_edges))[:MOST_TASKS],
        edges_removed=tuple(sorted(old_edges - new_edges))[:MOST_TASKS],
        values=(*_dag_values(old, new), *_values(before[1], after[1], MANIFEST_FIELDS)),
        needs=(
            *_values(before[1].needs, after[1].needs, tuple(type(before[1].needs).model_fields)),
            *_values(before[1].requires, after[1].requires, tuple(type(before[1].requires).model_fields)),
        ),
        files=tuple(_files(*files)),
    )


def _dags(inspection: Sequence[FileInspection]) -> dict[str, DagInspection]:
    """Give the DAGs by id; one whose id could not be read goes by its file."""
    return {dag.dag_id or f"? in {dag.file}": dag for file in inspection for dag in file.dags}


def _edges(dags: Mapping[str, DagInspection]) -> Iterator[tuple[str, str, str]]:
    for name, dag in dags.items():
        for task in dag.tasks:
            yield from ((name, task.task_id, after) for after in task.downstream)


def _tasks(old: Mapping[str, DagInspection], new: Mapping[str, DagInspection]) -> Iterator[TaskChange]:
    for name in sorted(old.keys() | new.keys()):
        before = {task.task_id: _task(task) for task in old[name].tasks} if name in old else {}
        after = {task.task_id: _task(task) for task in new[name].tasks} if name in new else {}
        for task_id in sorted(before.keys() | after.keys()):
            was, became = before.get(task_id), after.get(task_id)
            if was == became:
                continue
            kind = "added" if was is None else "removed" if became is None else "changed"
            yield TaskChange.model_validate(
                {"dag_id": name, "task_id": task_id, "change": kind, "before": was, "after": became}
            )


def _task(task: InspectedTask) -> dict[str, Any]:
    return {field: value for field in TASK_FIELDS if (value := getattr(task, field)) not in {None, False}}


def _dag_values(old: Mapping[str, DagInspection], new: Mapping[str, DagInspection]) -> Iterator[ValueChange]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            yield ValueChange(field="dag_id", before=name if name in old else None, after=name if name in new else None)
            continue
        for change in _values(old[name], new[name], DAG_FIELDS):
            yield change.model_copy(update={"dag_id": name})


def _values(before: Any, after: Any, fields: Sequence[str]) -> Iterator[ValueChange]:
    was, became = before.model_dump(mode="json"), after.model_dump(mode="json")
    for field in fields:
        if was[field] != became[field]:
            yield ValueChange(field=field, before=was[field], after=became[field])


def _files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[FileChange]:
    changed = [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]
    left = MOST_TEXT
    for path in changed[:MOST_FILES]:
        was, became = before.get(path), after.get(path)
        diff, truncated = _unified(path, was or b"", became or b"", left)
        left -= len(diff or "")
        kind = "added" if was is None else "removed" if became is None else "changed"
        yield FileChange.model_validate({"path": path, "change": kind, "diff": diff, "truncated": truncated})


def _unified(path: str, was: bytes, became: bytes, most: int) -> tuple[str | None, bool]:
    """Write a unified diff; None of what is no text, and cut short what is too long."""
    try:
        old, new = was.decode().splitlines(keepends=True), became.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return None, False
    if "\x00" in "".join((*old[:1], *new[:1])):
        return None, False
    if max(len(old), len(new)) > MOST_LINES or most <= 0:
        return None, True
    lines = difflib.unified_diff(old, new, f"before/{path}", f"after/{path}")
    text = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return text[:most], len(text) > most
