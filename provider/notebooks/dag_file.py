"""A notebook as a DAG file that people read: TaskFlow functions in the notebook's order, and the flow below them.

Markers carry ids and tags, texts above tasks are docstrings, other texts are comments, so the way back loses nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from festaf.provider.notebooks.blueprint import draw
from festaf.provider.notebooks.errors import CellError
from festaf.provider.notebooks.flow import decorator_of, flow_of, quoted, unfit_values
from festaf.provider.notebooks.function import render
from festaf.provider.notebooks.indentation import STEP, indent
from festaf.provider.notebooks.segments import assemble

if TYPE_CHECKING:
    from festaf.provider.notebooks.blueprint import Blueprint, Task
    from festaf.provider.notebooks.document import Cell, Document

KNOWN = ("dag_id", "schedule", "start_date", "catchup", "description", "max_active_runs", "tags", "owner", "retries")
DEFAULTS = ("owner", "retries")
RESERVED = ("dag", "task", "datetime", "UTC")


@dataclass(frozen=True)
class DagFile:
    """The text of a DAG file and what its author should know."""

    dag_id: str | None
    text: str
    tasks: tuple[str, ...]
    notes: tuple[str, ...]


def write_dag(document: Document, name: str, given: dict[str, Any], module: str | None = None) -> DagFile:
    """Write the DAG of a notebook; ``given`` stands above what the notebook's metadata say."""
    if document.settings.get("carries") == "a DAG file":
        return DagFile(None, assemble(document), (), ())
    document.give_ids()
    plan = draw(document)
    if not plan.tasks:
        raise CellError(
            f"{name} has no cell tagged task, so there is no DAG to write; tag the cells that are its tasks"
        )
    if functions := [task.name for task in plan.tasks if task.is_function]:
        raise CellError(
            f"The task cells of {functions[0]} hold a function; write its body as the cell, or tag it export"
        )
    recorded = document.settings.get("dag", {})
    arguments = (recorded if isinstance(recorded, dict) else {}) | {key: value for key, value in given.items() if value}
    _check(plan, arguments)
    dag_id = str(arguments.get("dag_id") or re.sub(r"[^A-Za-z0-9_]+", "_", name.removesuffix(".ipynb")).strip("_"))
    text = _text(plan if module else draw(_tagged(document)), name, dag_id, arguments, module)
    try:
        compile(text, f"{dag_id}.py", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise CellError(f"The cells make no valid DAG file: {error.msg} (line {error.lineno})") from None
    left = sum(cell.kind == "code" and cell.role is None and bool(cell.source.strip()) for cell in document.cells)
    notes = [*plan.notes, *unfit_values(plan), *_unordered(plan)]
    if left:
        notes.append(f"{left} code cells without a tag stay in the notebook alone")
    return DagFile(dag_id, text, tuple(task.name for task in plan.tasks), tuple(notes))


def _tagged(document: Document) -> Document:
    """Leave out the code that stays in the notebook: what it reads of a task need not go through an XCom."""
    return replace(document, cells=[cell for cell in document.cells if cell.kind == "markdown" or cell.role])


def _check(plan: Blueprint, arguments: dict[str, Any]) -> None:
    if unknown := sorted(set(arguments) - set(KNOWN)):
        raise CellError(f"The notebook's metadata give its DAG {unknown[0]!r}, which is none of {', '.join(KNOWN)}")
    for word in RESERVED:
        if word in plan.module_names and plan.module_names[word].what != "import":
            raise CellError(f"The notebook binds {word!r}, a name that the DAG file needs; give it another")


def _unordered(plan: Blueprint) -> list[str]:
    fed = {origin.cell.id for task in plan.tasks for origin in task.sources.values()}
    alone = [
        task.name
        for task in plan.tasks
        if not task.cell.settings.get("after") and task.cell.id not in fed
        and not any(origin.kind == "task" for origin in task.sources.values())
    ]  # fmt: skip
    if len(plan.tasks) == 1 or not alone:
        return []
    return [f'{", ".join(alone)} share no data with other tasks and may run at any time; order them with "after"']


def _text(plan: Blueprint, name: str, dag_id: str, arguments: dict[str, Any], module: str | None) -> str:
    cells = list(plan.document.cells)
    first = cells[0] if cells and docstring(cells[0]) is not None else None
    head = f"# festaf: written from {name}{f', [nb:{first.id}]' if first else ''}\n"
    if first:
        head += f"{docstring(first)}\n\n"
        cells.remove(first)
    imports = ["from airflow.sdk import dag, task"]
    if "start_date" in arguments:
        imports = ["from datetime import UTC, datetime", "", *imports]
    if module:
        imports += ["", f"import {module}"]
    parts = [head + "\n".join(imports)]
    if module is None:
        parts += _parts(plan, cells)
    parts.append(_definition(plan, dag_id, arguments, doc=first is not None, module=module))
    return "\n\n\n".join(parts) + "\n"


def _parts(plan: Blueprint, cells: list[Cell]) -> list[str]:
    """Write the cells in order; a text right above a task is its docstring."""
    parts = []
    for position, cell in enumerate(cells):
        task = plan.task_of(cell)
        above = cells[position - 1] if position else None
        below = cells[position + 1] if position + 1 < len(cells) else None
        if cell.kind == "markdown" and not _documents(plan, cell, below):
            parts.append(
                f"# %% [markdown] [nb:{cell.id}]\n" + "\n".join(f"# {line}" for line in cell.source.split("\n"))
            )
        elif task is not None:
            is_documented = above is not None and _documents(plan, above, cell)
            parts.append(_function(task, above if is_documented else None))
        elif cell.role is not None:
            parts.append(f"{_marker(cell)}\n{cell.source.strip(chr(10))}")
    return parts


def _documents(plan: Blueprint, text: Cell, below: Cell | None) -> bool:
    is_task = below is not None and plan.task_of(below) is not None
    return text.kind == "markdown" and is_task and docstring(text, STEP) is not None


def _marker(cell: Cell, doc: Cell | None = None) -> str:
    words = [f"# %% [nb:{cell.id}] tags={json.dumps(cell.tags, ensure_ascii=False)}"]
    if doc is not None:
        words.append(f'doc="{doc.id}"')
    if cell.settings:
        words.append(f"festaf={json.dumps(cell.settings, ensure_ascii=False)}")
    return " ".join(words)


def _function(task: Task, doc: Cell | None) -> str:
    above = f"{STEP}{docstring(doc, STEP)}\n" if doc is not None else ""
    return f"{_marker(task.cell, doc)}\n{render(task, f'@{decorator_of(task)}{chr(10)}', above)}"


def docstring(cell: Cell, margin: str = "") -> str | None:
    """Write a text as a docstring that reads back as the same text; None when that cannot be."""
    text = cell.source
    awkward = text != text.strip() or '"""' in text or text.endswith('"') or "\r" in text
    if cell.kind != "markdown" or not text or awkward or text.endswith("\\"):
        return None
    lines = text.split("\n")
    inside = "\n".join([lines[0], *(margin + line if line else line for line in lines[1:])])
    if margin and any(line and not line.strip() for line in lines):
        return None
    end = f"\n{margin}" if len(lines) > 1 else ""
    return f'{"r" if chr(92) in text else ""}"""{inside}{end}"""'


def _definition(plan: Blueprint, dag_id: str, arguments: dict[str, Any], *, doc: bool, module: str | None) -> str:
    prefix = f"{module}." if module else ""
    function = dag_id if dag_id.isidentifier() and dag_id not in plan.module_names else "notebook_dag"
    if function in {task.name for task in plan.tasks}:
        function = f"{function}_dag"
    words = [f"dag_id={quoted(dag_id)}", f"schedule={arguments.get('schedule')!r}".replace("'", '"')]
    if "start_date" in arguments:
        day = datetime.fromisoformat(str(arguments["start_date"]))
        words.append(f"start_date=datetime({day.year}, {day.month}, {day.day}, tzinfo=UTC)")
    words.append(f"catchup={bool(arguments.get('catchup', False))}")
    words += [
        f"{key}={json.dumps(arguments[key])}" for key in ("description", "max_active_runs", "tags") if key in arguments
    ]
    if defaults := {key: arguments[key] for key in DEFAULTS if key in arguments}:
        words.append(f"default_args={json.dumps(defaults)}")
    if doc:
        words.append("doc_md=__doc__")
    head = "@dag(\n" + "".join(f"{STEP}{word},\n" for word in words) + ")\n"
    signature = ", ".join(f"{name}={prefix}{name}" for name in plan.parameters)
    return f"{head}def {function}({signature}):\n{indent(flow_of(plan, prefix))}\n\n\n{function}()"
