"""The body of a DAG: its tasks are called in the order of the notebook, and what one gives goes where it is read."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING

from festaf.provider.notebooks.document import PARAMETERS, TASK
from festaf.provider.notebooks.errors import CellError

if TYPE_CHECKING:
    from festaf.provider.notebooks.blueprint import Blueprint, Task

UNFIT = {
    "pandas": "write it to a file or a table and hand its address on",
    "polars": "write it to a file or a table and hand its address on",
    "sklearn": "write it with joblib to a file and hand its address on",
    "torch": "write it with torch.save and hand its address on",
    "sqlite3": "open the connection in the task that uses it",
    "builtins.open": "read the file in the task that uses it",
    "builtins.lambda": "define it in a cell tagged export",
    "builtins.iter": "make it a list",
}
"""What makes values that do not belong into an XCom, and what to do instead."""


def flow_of(plan: Blueprint, prefix: str = "") -> str:
    """Write the calls of all tasks; ``prefix`` is what functions of an imported module begin with."""
    waited = {str(name) for task in plan.tasks for name in _after(task)}
    handles: dict[str, str] = {}
    lines = []
    taken = ({*plan.module_names} - {*plan.parameters}) | {task.name for task in plan.tasks}
    values: dict[tuple[str, str], str] = {}
    for task in plan.tasks:
        call = f"{_callable(task, prefix)}({_arguments(task, values, prefix)})"
        variable = _variable(task, taken, needed=task.name in waited or bool(_after(task)))
        lines.append(f"{variable} = {call}" if variable else call)
        handles[task.name] = variable
        for name in task.returns:
            values[task.cell.id, name] = variable if len(task.returns) == 1 else f'{variable}["{name}"]'
        for other in _after(task):
            if other not in handles or other == task.name:
                raise CellError(f"{task.name} is to run after {other!r}, which is no task above it")
            lines.append(f"{handles[other]} >> {variable}")
    return "\n".join(lines)


def decorator_of(task: Task) -> str:
    """Write what makes a function a task, with the options that the cell's metadata give."""
    given = task.cell.settings.get("task", {})
    options = {str(key): value for key, value in given.items()} if isinstance(given, dict) else {}
    words = ["multiple_outputs=True"] if len(task.returns) > 1 else []
    words += [f"{key}={value!r}" for key, value in options.items()]
    return f"task({', '.join(words)})" if words else "task"


def unfit_values(plan: Blueprint) -> list[str]:
    """Say which values that go from task to task do not fit into an XCom."""
    trees = {task.cell.id: ast.parse(task.cell.source) for task in plan.tasks}
    modules = dict(_imports(trees.values()))
    modules |= dict(_imports([ast.parse(cell.source) for cell, _ in plan.exported]))
    notes = []
    for task in plan.tasks:
        for node in ast.walk(trees[task.cell.id]):
            if not isinstance(node, ast.Assign):
                continue
            names = [target.id for target in node.targets if isinstance(target, ast.Name) and target.id in task.returns]
            made_by = _maker(node.value, modules)
            advice = next((words for maker, words in UNFIT.items() if f"{made_by}.".startswith(f"{maker}.")), None)
            notes += [
                f"{task.name} gives {name!r}, made by {made_by}, to other tasks through an XCom; {advice}"
                for name in names
                if advice and not task.is_function
            ]
    return notes


def _maker(value: ast.expr, modules: dict[str, str]) -> str:
    if isinstance(value, ast.Lambda):
        return "builtins.lambda"
    if isinstance(value, ast.GeneratorExp):
        return "builtins.iter"
    while isinstance(value, (ast.Call, ast.Attribute, ast.Subscript)):
        value = value.func if isinstance(value, ast.Call) else value.value
    if not isinstance(value, ast.Name):
        return ""
    return modules.get(value.id, f"builtins.{value.id}")


def _imports(trees: object) -> list[tuple[str, str]]:
    found = []
    for tree in trees if isinstance(trees, list) else list(trees):  # type: ignore[call-overload]
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found += [(alias.asname or alias.name.split(".")[0], alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found += [(alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def _after(task: Task) -> list[str]:
    given = task.cell.settings.get("after", [])
    return [str(name) for name in given] if isinstance(given, list) else [str(given)]


def _callable(task: Task, prefix: str) -> str:
    if not prefix:
        return task.name
    return f"{decorator_of(task)}({prefix}{task.name})"


def _arguments(task: Task, values: dict[tuple[str, str], str], prefix: str) -> str:
    """Write the arguments; by name when an author ordered the parameters himself."""
    by_name = isinstance(task.cell.settings.get("signature"), str)
    words = []
    for name, origin in task.sources.items():
        if origin.kind == TASK:
            value = values[origin.cell.id, name]
        else:
            value = name if origin.kind == PARAMETERS else f"{prefix}{name}"
        words.append(f"{name}={value}" if by_name else value)
    return ", ".join(words)


def _variable(task: Task, taken: set[str], *, needed: bool) -> str:
    if len(task.returns) == 1:
        name = task.returns[0]
        return f"{name}_" if name in taken else name
    return f"{task.name}_values" if task.returns else f"{task.name}_done" if needed else ""


def quoted(text: str) -> str:
    """Write a text as Python would with double quotes."""
    return json.dumps(text, ensure_ascii=False)
