"""Bind the arguments of a call to a function's parameters, and run it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from festaf.sharing.reading.bounds import MAXIMUM_CALLS
from festaf.sharing.reading.evaluator.operations import same_value
from festaf.sharing.reading.scope import Scope
from festaf.sharing.reading.values import Arguments, Dict, Function, List, Super, Unknown

if TYPE_CHECKING:
    from festaf.sharing.reading.machine import Machine


def run_function(machine: Machine, function: Function, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Run a function of a file that is read, and give what it returns."""
    if machine.running.count(function) >= 3 or len(machine.running) >= MAXIMUM_CALLS:
        return machine.unknown("A function calls itself deeper than what is read", node, scope)
    if isinstance(function.node, ast.AsyncFunctionDef):
        return machine.unknown("What an async function returns is not known", node, scope)
    inner = Scope("function", function.scope, function.scope.path)
    bind(machine, function, arguments, inner, node, scope)
    if function.owner is not None:
        inner.names["__class__"] = function.owner
        first = next(iter(_positional(function)), None)
        if first is not None and function.kind != "static":
            inner.names["super()"] = Super(function.owner, inner.names.get(first))
    machine.running.append(function)
    depth = len(machine.doubts)
    returns: list[object] = []
    machine.returns.append(returns)
    try:
        if isinstance(function.node, ast.Lambda):
            return machine.evaluate(function.node.body, inner)
        if _yields(function.node):
            return _generate(machine, function, inner)
        signal = machine.run(function.node.body, inner)
        value = signal.value if signal is not None and signal.kind == "return" else None
        doubt = machine.doubts[depth] if len(machine.doubts) > depth else None
        if returns and not all(same_value(value, other) for other in returns):
            reason = doubt.reason if doubt is not None else "What a function returns is not known"
            return machine.unknown(reason, node, scope)
        return value
    finally:
        machine.returns.pop()
        machine.running.pop()
        del machine.doubts[depth:]


def _generate(machine: Machine, function: Function, inner: Scope) -> object:
    """Run a generator to its end and give all that it yields."""
    assert not isinstance(function.node, ast.Lambda)
    made = List(born=machine.doubt)
    machine.yields.append(made)
    try:
        machine.run(function.node.body, inner)
    finally:
        machine.yields.pop()
    return made


def _yields(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        current = waiting.pop()
        if isinstance(current, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(current, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(current))
    return False


def _positional(function: Function) -> list[str]:
    return [argument.arg for argument in (*function.node.args.posonlyargs, *function.node.args.args)]


def parameters(function: Function) -> list[str]:
    """Name the parameters that can be given by keyword."""
    return [*_positional(function), *(argument.arg for argument in function.node.args.kwonlyargs)]


def bind(machine: Machine, function: Function, arguments: Arguments, inner: Scope, node: ast.AST, scope: Scope) -> None:
    """Put the arguments' values into the function's scope; what is not given and has no default is unknown."""
    spec = function.node.args
    positional = _positional(function)
    given = arguments.positional
    for name, value in zip(positional, given, strict=False):
        inner.names[name] = value
    if spec.vararg is not None:
        inner.names[spec.vararg.arg] = tuple(given[len(positional) :])
    rest = dict(arguments.keywords)
    for name in parameters(function):
        if name in rest:
            inner.names[name] = rest.pop(name)
        elif name not in inner.names:
            inner.names[name] = _default(machine, function, name, arguments.gap, node, scope)
    if spec.kwarg is not None:
        inner.names[spec.kwarg.arg] = Dict(dict(rest), machine.doubt, arguments.gap)


def _default(
    machine: Machine, function: Function, name: str, gap: Unknown | None, node: ast.AST, scope: Scope
) -> object:
    if gap is not None:
        return gap
    if name in function.defaults:
        return function.defaults[name]
    return machine.unknown(f"The argument {name} of {function.name} is not given", node, scope)
