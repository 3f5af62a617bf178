"""What a notebook's tagged cells become outside of it: which tasks there are, what each takes, what each gives.

The cells are read in order, as they run. Code of an ``export`` or ``parameters`` cell stands at the level of the
module; a ``task`` cell is a function, whose parameters are the names it reads of tasks and parameters above, and whose
result is what cells below read of it. What a module could not do as the notebook does is refused, not guessed.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from festaf.provider.notebooks.code import parse, parse_or_none
from festaf.provider.notebooks.document import EXPORT, PARAMETERS, TASK
from festaf.provider.notebooks.errors import CellError
from festaf.provider.notebooks.names import SHUFFLING, Uses, uses_of

if TYPE_CHECKING:
    from festaf.provider.notebooks.document import Cell, Document

GIVEN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "get_ipython", "display"}
MUTATORS = ("append", "extend", "insert", "update", "setdefault", "add", "remove", "discard", "pop", "clear", "sort")


@dataclass(frozen=True)
class Origin:
    """Where a name's value comes from: a kind of cell, and the cell; ``deleted`` when a cell took it away."""

    kind: str
    cell: Cell
    what: str = "value"


@dataclass(eq=False)
class Task:
    """A task cell. ``sources`` says for each parameter where its value comes from."""

    cell: Cell
    name: str
    uses: Uses
    before: dict[str, Origin] = field(default_factory=dict)
    sources: dict[str, Origin] = field(default_factory=dict)
    needed: dict[str, None] = field(default_factory=dict)
    """Names that cells below read of this one."""
    is_function: bool = False
    """The cell is a function already, and is taken as it is."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that the function takes, in the order in which it reads them."""
        return tuple(self.sources)

    @property
    def returns(self) -> tuple[str, ...]:
        """The names that the function gives, in the order in which it binds them."""
        if isinstance(asked := self.cell.settings.get("returns"), list):
            return tuple(str(name) for name in asked)
        if self.needed:
            order = [*self.uses.binds, *self.uses.changed, *self.uses.passed]
            return tuple(sorted(self.needed, key=order.index))
        return tuple(dict.fromkeys(name for name in self.uses.shown if name in self.uses.binds))


@dataclass
class Blueprint:
    """All that is known of a notebook's tagged cells."""

    document: Document
    tasks: list[Task] = field(default_factory=list)
    parameters: dict[str, Cell] = field(default_factory=dict)
    module_names: dict[str, Origin] = field(default_factory=dict)
    """Names at the level of the module."""
    exported: list[tuple[Cell, Uses]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What the author should know; nothing of it stops the work."""

    def task_of(self, cell: Cell) -> Task | None:
        """The task that a cell is."""
        return next((task for task in self.tasks if task.cell is cell), None)


def draw(document: Document) -> Blueprint:
    """Read a notebook's cells in order and say what each becomes."""
    return _Reader(Blueprint(document)).read()


def function_of(tree: ast.Module) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function, when a cell holds one and nothing else."""
    only = tree.body[0] if len(tree.body) == 1 else None
    return only if isinstance(only, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def task_name(document: Document, cell: Cell) -> str:
    """A task's name: the one that its metadata give, or its heading, or its id."""
    given = cell.settings.get("name")
    if isinstance(given, str):
        return given
    return name_by_heading(document, cell) or f"task_{cell.id}".replace("-", "_")


def name_by_heading(document: Document, cell: Cell) -> str | None:
    """Make a name of the heading in the text right above a cell."""
    position = document.cells.index(cell)
    above = document.cells[position - 1] if position else None
    if above is None or above.kind != "markdown":
        return None
    heading = re.search(r"^#+[ \t]+(.+?)[ \t#]*$", above.source, re.MULTILINE)
    words = re.sub(r"[^a-z0-9]+", "_", heading.group(1).lower()).strip("_") if heading else ""
    return words if words.isidentifier() and not keyword.iskeyword(words) else None


class _Reader:
    def __init__(self, plan: Blueprint) -> None:
        self.plan = plan
        self.document = plan.document
        self.origins: dict[str, Origin] = {}
        self.stars: list[str] = []

    def read(self) -> Blueprint:
        for cell in self.document.cells:
            if cell.kind != "code" or "flow" in cell.tags:
                continue
            if cell.role == TASK:
                self._task(cell)
            elif cell.role is not None:
                self._module_code(cell, cell.role)
            else:
                self._untagged(cell)
        for task in reversed(self.plan.tasks):
            self._settle(task)
        self._check_names()
        self._check_module_code()
        return self.plan

    def _label(self, cell: Cell) -> str:
        return self.document.label(cell)

    def _module_code(self, cell: Cell, role: str) -> None:
        uses = uses_of(parse(cell.source, self._label(cell)))
        if uses.awaits:
            raise CellError(f"{self._label(cell)} awaits at the level of the module; put it into a task cell")
        if role == PARAMETERS:
            self._check_parameters(cell, uses)
            self.plan.parameters |= dict.fromkeys(uses.binds, cell)
        for name in uses.reads:
            self._check_module_read(cell, name, self.origins.get(name))
        for name, what in uses.binds.items():
            self.origins[name] = Origin(role, cell, what)
            self.plan.module_names[name] = self.origins[name]
        for name in uses.deleted:
            self.origins[name] = Origin("deleted", cell)
            self.plan.module_names.pop(name, None)
        self.stars += uses.stars
        self.plan.exported.append((cell, uses))

    def _check_parameters(self, cell: Cell, uses: Uses) -> None:
        if any(what != "value" for what in uses.binds.values()):
            raise CellError(
                f"{self._label(cell)} is tagged {PARAMETERS} and does more than give names values; "
                f"move imports and functions into a cell tagged {EXPORT}"
            )

    def _check_module_read(self, cell: Cell, name: str, origin: Origin | None) -> None:
        """Code of the module cannot read what exists only while tasks run, or in the notebook alone."""
        if origin is None or origin.kind in (EXPORT, PARAMETERS):
            return
        where = self._label(origin.cell)
        if origin.kind == TASK:
            raise CellError(
                f"{self._label(cell)} is tagged {cell.role} and reads {name!r}, which {where} makes when it "
                f"runs; tag it {TASK}, or give its function {name!r} as an argument"
            )
        if origin.kind == "deleted":
            raise CellError(f"{self._label(cell)} reads {name!r}, which {where} deleted")
        raise CellError(
            f"{self._label(cell)} reads {name!r}, which only {where} binds, and that stays in the notebook; "
            f"tag it {EXPORT} or {TASK}"
        )

    def _untagged(self, cell: Cell) -> None:
        tree = parse_or_none(cell.source)
        if tree is None:
            self.plan.notes.append(
                f"{self._label(cell)} cannot be read (it is not Python alone), so what it takes and binds is not known"
            )
            return
        uses = uses_of(tree)
        for name in [*uses.reads, *uses.changed]:
            self._need(name, self.origins.get(name))
        for name in uses.binds:
            self.origins[name] = Origin("untagged", cell)
        for name in uses.changed:
            if name in self.origins and self.origins[name].kind == TASK and uses.binds.get(name) is None:
                self.origins[name] = Origin("untagged", cell)
        for name in uses.deleted:
            self.origins[name] = Origin("deleted", cell)

    def _need(self, name: str, origin: Origin | None) -> None:
        """Note that a task's name is read further down."""
        if origin is None or origin.kind != TASK:
            return
        if origin.what != "value":
            raise CellError(
                f"{self._label(origin.cell)} is a task and binds {name!r}, {_with_article(origin.what)} that a later "
                f"cell uses and that no task can hand over; put it into a cell tagged {EXPORT}"
            )
        task = self.plan.task_of(origin.cell)
        if task is not None:
            task.needed[name] = None

    def _task(self, cell: Cell) -> None:
        tree = parse(cell.source, self._label(cell))
        uses = uses_of(tree)
        if function := function_of(tree):
            self.plan.tasks.append(Task(cell, function.name, uses, is_function=True))
            self.origins[function.name] = Origin(EXPORT, cell, "function")
            self.plan.module_names[function.name] = self.origins[function.name]
            return
        if uses.stars:
            raise CellError(
                f"{self._label(cell)} imports * of {uses.stars[0]}; only a cell tagged {EXPORT} can do that"
            )
        for name in uses.global_names:
            raise CellError(
                f"{self._label(cell)} is a task and says 'global {name}'; a task runs alone, so hand {name!r} over "
                f"by an assignment at the level of the cell"
            )
        task = Task(cell, task_name(self.document, cell), uses, dict(self.origins))
        self._add_changes(task)
        for name in uses.reads:
            self._take(task, name)
        self.plan.tasks.append(task)
        for name, what in uses.binds.items():
            self.origins[name] = Origin(TASK, cell, what)
        for name in uses.deleted:
            self.origins[name] = Origin("deleted", cell)

    def _add_changes(self, task: Task) -> None:
        """A value that is changed in place is bound anew; one of the module cannot be handed on."""
        changed = dict(task.uses.changed)
        for name, functions in task.uses.passed.items():
            roots = [function.split(".")[0] for function in functions]
            if any(function in SHUFFLING for function in functions) or any(
                root in self.origins and self.origins[root].what == "function" for root in roots
            ):
                changed.setdefault(name, 0)
        for name in changed:
            origin = self.origins.get(name)
            if origin is None or name in task.uses.binds:
                continue
            if origin.kind in (TASK, PARAMETERS):
                task.uses.binds[name] = "value"
            elif origin.kind == EXPORT and origin.what == "value" and self._certainly(task, name):
                self.plan.notes.append(
                    f"{self._label(task.cell)} changes {name!r} of {self._label(origin.cell)} in place; "
                    f"each task runs by itself, so no other task sees the change"
                )

    def _certainly(self, task: Task, name: str) -> bool:
        calls = re.findall(rf"\b{re.escape(name)}\.(\w+)\(", task.cell.source)
        return not calls or any(call in MUTATORS for call in calls)

    def _take(self, task: Task, name: str) -> None:
        """Decide where a name that a task reads comes from."""
        origin, uses = task.before.get(name), task.uses
        if origin is None:
            if name in uses.binds or name in uses.deleted or name in GIVEN:
                return
            if self.stars:
                self.plan.notes.append(
                    f"{self._label(task.cell)} reads {name!r}, which no cell binds; it is taken to come from "
                    f"'from {self.stars[-1]} import *'"
                )
                return
            raise CellError(
                f"{self._label(task.cell)} reads {name!r} (line {uses.reads[name]}), which no cell above binds"
            )
        if origin.kind == EXPORT and name not in uses.binds and name not in uses.deleted:
            return
        if origin.kind in ("deleted", "untagged"):
            self._check_module_read(task.cell, name, origin)
        task.sources[name] = origin
        self._need(name, origin)

    def _settle(self, task: Task) -> None:
        """See that each name which others need is bound whatever path the task takes."""
        for name in task.returns:
            if name in task.uses.surely or name in task.sources:
                continue
            if name not in task.uses.binds:
                raise CellError(f"{self._label(task.cell)} is to return {name!r}, which it does not bind")
            origin = task.before.get(name)
            if origin is not None and origin.kind not in ("deleted", "untagged"):
                task.sources[name] = origin
                self._need(name, origin)
            elif name in task.uses.in_loops:
                self.plan.notes.append(
                    f"{self._label(task.cell)} binds {name!r} only inside a loop; a run in which the loop is never "
                    f"entered fails: give {name!r} a value before it"
                )
            else:
                raise CellError(
                    f"{self._label(task.cell)} binds {name!r} only on some paths, and later cells read it; "
                    f"give {name!r} a value before"
                )

    def _check_names(self) -> None:
        seen: dict[str, Cell] = {}
        for task in self.plan.tasks:
            if not task.name.isidentifier() or keyword.iskeyword(task.name):
                raise CellError(f"{self._label(task.cell)} is called {task.name!r}, which is no name of a function")
            other = seen.get(task.name)
            if other is None and not task.is_function and task.name in self.plan.module_names:
                other = self.plan.module_names[task.name].cell
            if other is not None:
                raise CellError(
                    f"{self._label(task.cell)} and {self._label(other)} both make the name {task.name!r}; give it "
                    f'another in its metadata: "festaf": {{"name": "..."}}'
                )
            seen[task.name] = task.cell

    def _check_module_code(self) -> None:
        """A function of the module sees the module's names, and never what a task binds."""
        for cell, uses in self.plan.exported:
            for name in uses.reads | uses.closed:
                if name not in self.plan.module_names:
                    self._check_module_read(cell, name, self.origins.get(name))
                for task in self.plan.tasks:
                    if name in task.uses.binds and name in self.plan.module_names and not task.is_function:
                        raise CellError(
                            f"{self._label(task.cell)} is a task and binds {name!r} anew; {self._label(cell)} reads it "
                            f"as a name of the module and would not see changed; give it as an argument instead"
                        )
                if name in self.plan.parameters and cell.role == EXPORT:
                    self.plan.notes.append(
                        f"{self._label(cell)} reads the parameter {name!r} itself; a run that sets "
                        f"another value reaches only tasks that read {name!r} themselves"
                    )


def _with_article(what: str) -> str:
    return f"an {what}" if what == "import" else f"a {what}"
