"""A notebook that tells what a DAG file does and carries it piece by piece: nothing of the file is lost.

A DAG of TaskFlow functions becomes a section for each task, plain functions that run in the notebook, and at the end
the calls in their order. Any other DAG is carried as it stands, in cells tagged ``export``.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from festaf.provider.notebooks.document import Cell, Document, fresh_id
from festaf.provider.notebooks.errors import UnreadableError
from festaf.provider.notebooks.indentation import dedent
from festaf.provider.notebooks.restoring import blank, restore
from festaf.provider.notebooks.segments import CARRIES, assemble
from festaf.provider.notebooks.story import facts

if TYPE_CHECKING:
    from pathlib import Path

    from festaf.contract.dag_inspection import DagInspection

Function = ast.FunctionDef | ast.AsyncFunctionDef


def write_notebook(text: str, path: Path) -> Document:
    """Write the notebook of a DAG file."""
    name = path.name
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise UnreadableError(f"{name} is no valid Python: {error}") from error
    if (document := restore(text)) is not None:
        return document
    found = facts(text, path)
    if not found.dags:
        raise UnreadableError(f"{name} defines no DAG: {found.error or 'none is made at the level of the module'}")
    for carried in (_Carrier(text, tree).in_sections, _Carrier(text, tree).whole):
        document = carried(found.dags, name)
        if document is not None and assemble(document) == text:
            return document
    raise UnreadableError(f"{name} could not be taken apart without a loss, so no notebook was written")


class _Carrier:
    """Cuts a file into pieces that make it up without a rest."""

    def __init__(self, text: str, tree: ast.Module) -> None:
        self.lines = text.splitlines(keepends=True)
        self.tree = tree
        self.cells: list[Cell] = []
        self.taken: set[str] = set()

    def whole(self, dags: tuple[DagInspection, ...], name: str) -> Document:
        """Carry the file as it stands."""
        self._story(dags, name)
        self._piece(1, len(self.lines), "export")
        return self._made()

    def in_sections(self, dags: tuple[DagInspection, ...], name: str) -> Document | None:
        """Carry a DAG of TaskFlow functions task by task; None when it is more than that."""
        definitions = [node for node in self.tree.body if isinstance(node, Function) and _decorator(node, "dag")]
        if len(definitions) != 1 or len(dags) != 1 or not isinstance(definitions[0], ast.FunctionDef):
            return None
        flow = definitions[0]
        tasks = [
            node for node in [*self.tree.body, *flow.body] if isinstance(node, Function) and _decorator(node, "task")
        ]
        names = {task.name for task in tasks}
        calls = [node for node in flow.body if node not in tasks and not _is_docstring(node)]
        plain = all(_is_plain(node, names) for node in calls) and all(_is_simple(task) for task in tasks)
        if not tasks or not calls or not plain:
            return None
        self._story(dags, name)
        self._parameters(flow)
        self._sections(flow, tasks)
        return self._made()

    def _sections(self, flow: ast.FunctionDef, tasks: list[Function]) -> None:
        """Cut at the tasks, at the head of the DAG, and where its calls begin and end."""
        nested = [node for node in flow.body if node in tasks]
        docstrings = [node for node in flow.body[:1] if _is_docstring(node)]
        calls = [node for node in flow.body if node not in tasks and node not in docstrings]
        marks: dict[int, tuple[str, Function | None, bool]] = {}
        for task in tasks:
            marks[_first_line(task)] = ("task", task, task in nested)
        head = _first_line(flow)
        marks[head] = ("dag", None, False)
        for before, call in zip([None, *flow.body], flow.body, strict=False):
            if call in calls and (before is None or before not in calls):
                marks[(before.end_lineno or 0) + 1 if before else call.lineno] = ("flow", None, True)
        marks[(flow.end_lineno or 0) + 1] = ("dag", None, False)
        marks |= {
            (task.end_lineno or 0) + 1: ("export", None, False)
            for task in tasks
            if task not in nested and (task.end_lineno or 0) + 1 not in marks
        }
        starts = sorted({1, *(line for line in marks if line <= len(self.lines))})
        for start, stop in zip(starts, [*starts[1:], len(self.lines) + 1], strict=True):
            role, function, inside = marks.get(start, ("export", None, False))
            self._piece(start, stop - 1, role, function, nested=inside)

    def _piece(
        self, start: int, end: int, role: str, function: Function | None = None, *, nested: bool = False
    ) -> None:
        text = "".join(self.lines[start - 1 : end])
        body = text.strip("\n")
        if lead := text[: len(text) - len(text.lstrip("\n"))]:
            self._widen_gap(lead)
        settings: dict[str, Any] = {"gap": text[len(text.rstrip("\n")) :]}
        if nested:
            settings["nested"] = True
            body = dedent(body)
        if function is not None:
            cut = function.lineno - _first_line(function)
            lines = body.split("\n")
            settings["decorators"] = "".join(f"{line}\n" for line in lines[:cut])
            body = "\n".join(lines[cut:])
            said = (ast.get_docstring(function) or "").split("\n")[0]
            self._text(f"## {function.name}" + (f"\n\n{said}" if said else ""))
        elif role == "flow":
            self._text("## Run\n\nThe tasks in order, and what each hands on.")
        cell = Cell.made("raw" if role == "dag" else "code", body, fresh_id(f"{role}\n{body}", self.taken), [role])
        cell.settings = settings
        self.cells.append(cell)

    def _widen_gap(self, lead: str) -> None:
        """Leave empty lines to the piece above, when there is one."""
        above = next((cell for cell in reversed(self.cells) if "gap" in cell.settings), None)
        if above is not None:
            above.settings = above.settings | {"gap": above.settings["gap"] + lead}

    def _parameters(self, flow: ast.FunctionDef) -> None:
        """Give the DAG's parameters their defaults, so that the calls at the end run."""
        named = [*flow.args.posonlyargs, *flow.args.args]
        pairs = [*zip(named[len(named) - len(flow.args.defaults) :], flow.args.defaults, strict=True)]
        pairs += [
            (name, value) for name, value in zip(flow.args.kwonlyargs, flow.args.kw_defaults, strict=True) if value
        ]
        if pairs:
            source = "\n".join(f"{name.arg} = {ast.unparse(value)}" for name, value in pairs)
            self._text(
                "## Parameters\n\nTheir defaults stand in the definition of the DAG; here they serve the run below."
            )
            self.cells.append(Cell.made("code", source, fresh_id(source, self.taken), ["parameters"]))

    def _story(self, dags: tuple[DagInspection, ...], name: str) -> None:
        from festaf.provider.notebooks.story import tell

        for dag in dags:
            for text in tell(dag, name):
                self._text(text)

    def _text(self, text: str) -> None:
        self.cells.append(Cell.made("markdown", text, fresh_id(text, self.taken)))

    def _made(self) -> Document:
        document = blank(self.cells)
        document.settings = {"carries": CARRIES}
        return document


def _first_line(node: Function) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _decorator(node: Function, name: str) -> bool:
    """Whether a function is decorated with ``@name`` or ``@name(...)``."""
    plain = [part.func if isinstance(part, ast.Call) else part for part in node.decorator_list]
    return any(isinstance(part, ast.Name) and part.id == name for part in plain)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_simple(task: Function) -> bool:
    """Whether the function runs outside of Airflow: it asks for no context."""
    return len(task.decorator_list) == 1 and task.args.kwarg is None and "get_current_context" not in ast.unparse(task)


def _is_plain(node: ast.stmt, tasks: set[str]) -> bool:
    """Whether a statement does nothing but call tasks with values."""
    if not isinstance(node, (ast.Assign, ast.Expr)) or not isinstance(node.value, ast.Call):
        return False
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    return all(isinstance(call.func, ast.Name) and call.func.id in tasks for call in calls)
