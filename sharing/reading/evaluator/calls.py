"""Call a value: a function or class that is read, one of Airflow's, one of the standard library, or an unknown one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.decorators import call_decorator, call_factory
from festaf.sharing.reading.airflow.model import (
    DagFactory,
    Decorator,
    GroupFactory,
    OperatorPartial,
    TaskFactory,
)
from festaf.sharing.reading.airflow.operators import expand_partial
from festaf.sharing.reading.airflow.vocabulary import call_airflow, is_vocabulary
from festaf.sharing.reading.evaluator.binding import run_function
from festaf.sharing.reading.evaluator.instances import call_class
from festaf.sharing.reading.evaluator.methods import call_method
from festaf.sharing.reading.evaluator.outside import call_outside
from festaf.sharing.reading.evaluator.stdlib import call_standard
from festaf.sharing.reading.values import (
    Arguments,
    BoundPartial,
    External,
    Function,
    Instance,
    LocalClass,
    Method,
    Unknown,
)

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope


def call(machine: Machine, function: object, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Call a value."""
    machine.budget.step()
    if isinstance(function, Function):
        return run_function(machine, function, arguments, node, scope)
    if isinstance(function, External):
        return _call_external(machine, function, arguments, node, scope)
    if isinstance(function, Method):
        return _call_method(machine, function, arguments, node, scope)
    if isinstance(function, LocalClass):
        return call_class(machine, function, arguments, node, scope)
    if isinstance(function, Decorator):
        return call_decorator(machine, function, arguments, node, scope)
    if isinstance(function, TaskFactory | GroupFactory | DagFactory):
        return call_factory(machine, function, arguments, node, scope)
    if isinstance(function, BoundPartial):
        joined = Arguments(
            [*function.positional, *arguments.positional],
            {**function.keywords, **arguments.keywords},
            arguments.gap,
        )
        return machine.call(function.function, joined, node, scope)
    return _call_other(machine, function, arguments, node, scope)


def _call_other(machine: Machine, function: object, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if isinstance(function, Instance):
        method = function.cls.find("__call__")
        if isinstance(method, Function):
            return run_function(machine, method, _with_owner(function, arguments), node, scope)
    if isinstance(function, OperatorPartial):
        return expand_partial(machine, function, arguments, node, scope)
    reason = function.reason if isinstance(function, Unknown) else "What is called here is not known"
    inert = isinstance(function, Unknown) and function.inert
    return call_outside(machine, None, arguments, reason, node, scope, inert=inert)


def _with_owner(owner: object, arguments: Arguments) -> Arguments:
    return Arguments([owner, *arguments.positional], arguments.keywords, arguments.gap)


def _call_method(machine: Machine, method: Method, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if isinstance(method.function, Function):
        return run_function(machine, method.function, _with_owner(method.owner, arguments), node, scope)
    return call_method(machine, method.owner, method.function, arguments, node, scope)


def _call_external(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if is_vocabulary(function):
        return call_airflow(machine, function, arguments, node, scope)
    return call_standard(machine, function, arguments, node, scope)
