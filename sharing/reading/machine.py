"""The state of reading one file: its budget, doubts, modules, and what was found.

The machine evaluates nothing itself. It holds the tables of evaluators by kind of syntax, so that the files beside it,
which need one another, each see only the machine.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from festaf.contract.dag_inspection import Place, Unresolved
from festaf.sharing.reading.bounds import MAXIMUM_NESTING, Budget, ExhaustedError
from festaf.sharing.reading.values import Arguments, Doubt, External, List, Unknown

if TYPE_CHECKING:
    from festaf.sharing.reading.airflow.model import Dag, Group, SetupContext
    from festaf.sharing.reading.modules import Modules
    from festaf.sharing.reading.needs import Needs
    from festaf.sharing.reading.scope import Scope


class RaisedError(Exception):
    """The code that is read raises an exception here, for certain."""

    def __init__(self, kind: str, message: str = "") -> None:
        super().__init__(f"{kind}: {message}" if message else kind)
        self.kind = kind


Evaluate = Callable[["Machine", ast.expr, "Scope"], object]
Execute = Callable[["Machine", ast.stmt, "Scope"], "Signal | None"]
Call = Callable[["Machine", object, Arguments, ast.AST, "Scope"], object]


@dataclass(slots=True)
class Signal:
    """How a block ended early: ``return``, ``break`` or ``continue``."""

    kind: str
    value: object = None


@dataclass(frozen=True)
class Tables:
    """The evaluators by kind of syntax."""

    expressions: Mapping[type[ast.AST], Evaluate]
    statements: Mapping[type[ast.AST], Execute]
    call: Call


@dataclass
class Machine:
    """Read one file and what it imports."""

    tables: Tables
    modules: Modules
    needs: Needs
    path: str
    budget: Budget = field(default_factory=Budget)
    doubts: list[Doubt] = field(default_factory=list)
    dags: list[Dag] = field(default_factory=list)
    entered: list[Dag] = field(default_factory=list)
    """DAGs that were used as a context, which Airflow registers by itself."""
    dag_stack: list[Dag] = field(default_factory=list)
    group_stack: list[Group] = field(default_factory=list)
    setups: list[SetupContext] = field(default_factory=list)
    running: list[object] = field(default_factory=list)
    """Functions that are being called, to stop recursion."""
    returns: list[list[object]] = field(default_factory=list)
    """By call that runs: values that it may have returned already."""
    yields: list[List] = field(default_factory=list)
    """By generator that runs: what it yielded."""
    unresolved: list[Unresolved] = field(default_factory=list)
    evaluated: set[int] = field(default_factory=set)
    """Ids of the call nodes that were evaluated."""
    counter: int = 0

    def evaluate(self, node: ast.expr, scope: Scope) -> object:
        """Give an expression's value."""
        budget = self.budget
        budget.step()
        evaluator = self.tables.expressions.get(type(node))
        if evaluator is None:
            return self.unknown(f"{type(node).__name__} expressions are not decided", node, scope)
        budget.nesting += 1
        try:
            if budget.nesting > MAXIMUM_NESTING:
                raise ExhaustedError(f"The code is nested more than {MAXIMUM_NESTING} levels deep")
            return evaluator(self, node, scope)
        finally:
            budget.nesting -= 1

    def run(self, body: list[ast.stmt], scope: Scope) -> Signal | None:
        """Execute statements until one ends the block."""
        for node in body:
            self.budget.step()
            execute = self.tables.statements.get(type(node))
            if execute is not None:
                signal = execute(self, node, scope)
                if signal is not None:
                    return signal
        return None

    def call(self, function: object, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
        """Call a value."""
        return self.tables.call(self, function, arguments, node, scope)

    @property
    def doubt(self) -> Doubt | None:
        """The innermost doubt, or None when the code here runs exactly once."""
        return self.doubts[-1] if self.doubts else None

    @contextmanager
    def doubting(self, reason: str, place: Place | None) -> Iterator[Doubt]:
        """Execute what may run, may not, or may run more than once."""
        doubt = Doubt(reason, place)
        self.doubts.append(doubt)
        depth = len(self.doubts)
        try:
            yield doubt
        finally:
            del self.doubts[depth - 1 :]

    def gap_for(self, born: Doubt | None) -> Unknown | None:
        """Give the gap that a change here leaves in what was born in a doubt, or None when the change is certain."""
        doubt = self.doubt
        if doubt is None or doubt is born:
            return None
        return Unknown(doubt.reason, doubt.place)

    def place(self, node: ast.AST, scope: Scope) -> Place:
        """Give the place of a node."""
        return Place(file=scope.module.path, line=getattr(node, "lineno", 1))

    def unknown(self, reason: str, node: ast.AST, scope: Scope) -> Unknown:
        """Make a value that cannot be decided."""
        return Unknown(reason, self.place(node, scope))

    def plain(self, reason: str, node: ast.AST, scope: Scope) -> Unknown:
        """Make a value that cannot be decided, and surely is plain data."""
        return Unknown(reason, self.place(node, scope), inert=True)

    def tell(self, what: str, reason: str, place: Place | None) -> None:
        """Tell something that could not be decided about the file as a whole."""
        item = Unresolved(what=what, reason=reason, place=place)
        if item not in self.unresolved and len(self.unresolved) < 200:
            self.unresolved.append(item)

    @property
    def current_dag(self) -> Dag | None:
        """The DAG whose context is open."""
        return self.dag_stack[-1] if self.dag_stack else None

    def current_group(self, dag: Dag) -> Group:
        """The task group that new tasks of a DAG go to."""
        if self.group_stack and self.group_stack[-1].dag is dag:
            return self.group_stack[-1]
        return dag.root

    def next_number(self) -> int:
        """Number what is created, in order."""
        self.counter += 1
        return self.counter


def truth(value: object) -> bool | None:
    """Say whether a value counts as true, or None when it is unknown."""
    if isinstance(value, Unknown):
        return None
    gap = getattr(value, "gap", None)
    if gap is not None and not value:
        return None
    if isinstance(value, External):
        return True if value.certain else None
    try:
        return bool(value)
    except Exception:
        return None
