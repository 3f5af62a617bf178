"""Which names a cell reads from outside, binds, changes and deletes: def-use over its syntax tree.

A name that is read on a path on which the cell has not bound it counts as read from outside. A name that is bound on
some paths only is in ``binds`` but not in ``surely``. A value that is changed in place (an item or an attribute is
set, a method is called for its effect) counts as bound anew, for a task that runs elsewhere must hand it back.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHUFFLING = ("random.shuffle", "heapq.heapify", "heapq.heappush", "heapq.heappop", "bisect.insort")
"""Functions of the standard library that change their first argument."""
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Uses:
    """What a piece of code does with names; dictionaries stand for ordered sets."""

    reads: dict[str, int] = field(default_factory=dict)
    """Names read before the code surely bound them, with the first line."""
    closed: dict[str, int] = field(default_factory=dict)
    """Names that inner functions take from around them, whenever they are called."""
    binds: dict[str, str] = field(default_factory=dict)
    """Names bound on some path, with what they are: ``value``, ``import``, ``function`` or ``class``."""
    surely: set[str] = field(default_factory=set)
    """Names bound on every path to the end."""
    in_loops: set[str] = field(default_factory=set)
    """Names bound in the body of a loop, that may never be entered."""
    changed: dict[str, int] = field(default_factory=dict)
    """Names whose value is changed in place, with the line."""
    passed: dict[str, list[str]] = field(default_factory=dict)
    """Names given to functions that are called for their effect, with those functions."""
    deleted: set[str] = field(default_factory=set)
    global_names: dict[str, int] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    shown: tuple[str, ...] = ()
    """Names that the last line shows, when it is nothing but names."""
    awaits: bool = False


def uses_of(tree: ast.Module) -> Uses:
    """Analyse the names of a cell."""
    walker = _Walker()
    walker.uses.surely = walker.block(tree.body, set()) or set()
    uses = walker.uses
    uses.awaits = _awaits(tree)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        parts = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
        if all(isinstance(part, ast.Name) for part in parts):
            uses.shown = tuple(part.id for part in parts if isinstance(part, ast.Name))
    return uses


def _awaits(tree: ast.AST) -> bool:
    """Whether the code awaits outside of the functions that it defines."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, _SCOPES):
            continue
        waits = isinstance(child, (ast.Await, ast.AsyncFor, ast.AsyncWith))
        if waits or (isinstance(child, ast.comprehension) and child.is_async) or _awaits(child):
            return True
    return False


def root_of(node: ast.expr) -> str | None:
    """The name that an attribute or an item belongs to."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


class _Walker:
    """Walks statements in order: surely bound names go in and come out, None when the end is not reached."""

    def __init__(self) -> None:
        self.uses = Uses()

    def block(self, statements: Sequence[ast.stmt], bound: set[str]) -> set[str] | None:
        for statement in statements:
            after = self.statement(statement, bound)
            if after is None:
                return None
            bound = after
        return bound

    def statement(self, node: ast.stmt, bound: set[str]) -> set[str] | None:
        walk = getattr(self, f"_{type(node).__name__.lower()}", None)
        if walk is None:
            self.read(node, bound)
            return bound
        after: set[str] | None = walk(node, bound)
        return after

    def read(self, node: ast.AST, bound: set[str], hidden: frozenset[str] = frozenset()) -> None:
        """Note the names that an expression reads; those in ``hidden`` belong to an inner scope."""
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load) and node.id not in bound and node.id not in hidden:
                self.uses.reads.setdefault(node.id, node.lineno)
        elif isinstance(node, ast.NamedExpr):
            self.read(node.value, bound, hidden)
            self.bind(node.target, bound)
        elif isinstance(node, _SCOPES):
            self._scope(node, bound, hidden)
        elif isinstance(node, _COMPREHENSIONS):
            inner = hidden | set(_stored(generator.target for generator in node.generators))
            self.read(node.generators[0].iter, bound, hidden)
            for child in ast.iter_child_nodes(node):
                self.read(child, bound, inner)
        else:
            for child in ast.iter_child_nodes(node):
                self.read(child, bound, hidden)

    def _scope(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, bound: set[str], hidden: frozenset[str]
    ) -> None:
        """Read what a function takes from around it: when it is defined, and when it is called."""
        arguments = node.args
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        extra = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
        outside: list[ast.AST | None] = [*arguments.defaults, *arguments.kw_defaults]
        outside += [argument.annotation for argument in given + extra]
        if not isinstance(node, ast.Lambda):
            outside += [*node.decorator_list, node.returns]
        for part in outside:
            if part is not None:
                self.read(part, bound, hidden)
        named = {name: line for part in body for name, line in _global_names(part)}
        self.uses.global_names.update(named)
        local = {argument.arg for argument in given + extra} | set(_stored(body)) - set(named)
        inner = _Walker()
        for part in body:
            self.read(part, bound, hidden | local)
            inner.read(part, set(), hidden | local)
        self.uses.closed.update(inner.uses.reads)

    def bind(self, target: ast.expr, bound: set[str], kind: str = "value") -> None:
        """Note what an assignment binds, or changes in place."""
        if isinstance(target, ast.Name):
            self._bind_name(target.id, bound, kind)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.bind(element, bound, kind)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, bound, kind)
        else:
            self.read(target, bound)
            self._change(root_of(target), target.lineno)

    def _bind_name(self, name: str, bound: set[str], kind: str = "value") -> None:
        self.uses.binds[name] = kind
        self.uses.deleted.discard(name)
        bound.add(name)

    def _change(self, name: str | None, line: int) -> None:
        if name is not None:
            self.uses.changed.setdefault(name, line)

    def _assign(self, node: ast.Assign, bound: set[str]) -> set[str]:
        self.read(node.value, bound)
        for target in node.targets:
            self.bind(target, bound)
        return bound

    def _augassign(self, node: ast.AugAssign, bound: set[str]) -> set[str]:
        if isinstance(node.target, ast.Name):
            self.read(ast.Name(node.target.id, ast.Load(), lineno=node.lineno), bound)
        self.read(node.value, bound)
        self.bind(node.target, bound)
        return bound

    def _annassign(self, node: ast.AnnAssign, bound: set[str]) -> set[str]:
        self.read(node.annotation, bound)
        if node.value is not None:
            self.read(node.value, bound)
            self.bind(node.target, bound)
        return bound

    def _expr(self, node: ast.Expr, bound: set[str]) -> set[str]:
        """Read an expression whose value nobody takes: a call is made for its effect."""
        self.read(node.value, bound)
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(call, ast.Call):
            if isinstance(call.func, ast.Attribute):
                self._change(root_of(call.func), node.lineno)
            for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
                if name := root_of(argument):
                    self.uses.passed.setdefault(name, []).append(ast.unparse(call.func))
        return bound

    def _delete(self, node: ast.Delete, bound: set[str]) -> set[str]:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.read(ast.Name(target.id, ast.Load(), lineno=node.lineno), bound)
                bound.discard(target.id)
                self.uses.deleted.add(target.id)
            else:
                self.bind(target, bound)
        return bound

    def _if(self, node: ast.If, bound: set[str]) -> set[str] | None:
        self.read(node.test, bound)
        return _meet([self.block(node.body, set(bound)), self.block(node.orelse, set(bound))])

    def _for(self, node: ast.For | ast.AsyncFor, bound: set[str]) -> set[str]:
        self.read(node.iter, bound)
        return self._loop(node, bound, node.target)

    _asyncfor = _for

    def _while(self, node: ast.While, bound: set[str]) -> set[str]:
        self.read(node.test, bound)
        return self._loop(node, bound)

    def _loop(
        self, node: ast.For | ast.AsyncFor | ast.While, bound: set[str], target: ast.expr | None = None
    ) -> set[str]:
        inside = set(bound)
        if target is not None:
            self.bind(target, inside)
        after = self.block(node.body, inside)
        self.uses.in_loops |= (after or set()) - bound
        self.block(node.orelse, set(bound))
        return bound

    def _with(self, node: ast.With | ast.AsyncWith, bound: set[str]) -> set[str] | None:
        for item in node.items:
            self.read(item.context_expr, bound)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, bound)
        return self.block(node.body, bound)

    _asyncwith = _with

    def _try(self, node: ast.Try, bound: set[str]) -> set[str] | None:
        tried = self.block([*node.body, *node.orelse], set(bound))
        ends = [tried]
        for handler in node.handlers:
            if handler.type is not None:
                self.read(handler.type, bound)
            inside = set(bound) | ({handler.name} if handler.name else set())
            end = self.block(handler.body, inside)
            ends.append(end if end is None else end - ({handler.name} - bound))
        met = _meet(ends)
        finally_ = self.block(node.finalbody, set(bound))
        return None if met is None or finally_ is None else met | finally_

    _trystar = _try

    def _match(self, node: ast.Match, bound: set[str]) -> set[str] | None:
        self.read(node.subject, bound)
        ends: list[set[str] | None] = []
        for case in node.cases:
            inside = set(bound)
            for part in ast.walk(case.pattern):
                captured = getattr(part, "name", None) or getattr(part, "rest", None)
                if captured:
                    self._bind_name(captured, inside)
                elif isinstance(part, ast.expr):
                    self.read(part, bound)
            if case.guard is not None:
                self.read(case.guard, inside)
            ends.append(self.block(case.body, inside))
        last = node.cases[-1]
        if last.guard is not None or not (isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None):
            ends.append(bound)
        return _meet(ends)

    def _functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, bound: set[str]) -> set[str]:
        self._scope(node, bound | {node.name}, frozenset())
        self._bind_name(node.name, bound, "function")
        return bound

    _asyncfunctiondef = _functiondef

    def _classdef(self, node: ast.ClassDef, bound: set[str]) -> set[str]:
        for part in [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]:
            self.read(part, bound)
        inner = _Walker()
        inner.block(node.body, bound | {node.name})
        for name, line in inner.uses.reads.items():
            self.uses.reads.setdefault(name, line)
        self.uses.global_names.update(inner.uses.global_names)
        self._bind_name(node.name, bound, "class")
        return bound

    def _import(self, node: ast.Import, bound: set[str]) -> set[str]:
        for alias in node.names:
            self._bind_name(alias.asname or alias.name.split(".")[0], bound, "import")
        return bound

    def _importfrom(self, node: ast.ImportFrom, bound: set[str]) -> set[str]:
        for alias in node.names:
            if alias.name == "*":
                self.uses.stars.append("." * node.level + (node.module or ""))
            else:
                self._bind_name(alias.asname or alias.name, bound, "import")
        return bound

    def _global(self, node: ast.Global, bound: set[str]) -> set[str]:
        self.uses.global_names.update(dict.fromkeys(node.names, node.lineno))
        return bound

    def _raise(self, node: ast.Raise, bound: set[str]) -> None:
        self.read(node, bound)

    def _leave(self, node: ast.stmt, bound: set[str]) -> None:
        self.read(node, bound)

    _break = _continue = _return = _leave


def _meet(ends: list[set[str] | None]) -> set[str] | None:
    """What is surely bound after paths come together; a path that never comes does not count."""
    reached = [end for end in ends if end is not None]
    return set.intersection(*reached) if reached else None


def _stored(nodes: Iterable[ast.AST]) -> Iterable[str]:
    """The names that statements bind in their own scope."""
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
            yield from _stored(node.body)
        elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name
        elif not isinstance(node, (ast.Lambda, *_COMPREHENSIONS)):
            yield from _stored(ast.iter_child_nodes(node))


def _global_names(node: ast.AST) -> Iterable[tuple[str, int]]:
    for part in ast.walk(node):
        if isinstance(part, ast.Global):
            yield from ((name, part.lineno) for name in part.names)
