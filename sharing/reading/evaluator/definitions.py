"""Define functions and classes, with their decorators."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.model import DagFactory, GroupFactory, TaskFactory
from festaf.sharing.reading.scope import Scope
from festaf.sharing.reading.values import (
    Arguments,
    EnumMember,
    External,
    Function,
    LocalClass,
    Made,
    Unknown,
)

if TYPE_CHECKING:
    from festaf.sharing.reading.machine import Machine, Signal

TRANSPARENT = {
    "functools.wraps", "functools.lru_cache", "functools.cache", "contextlib.contextmanager", "abc.abstractmethod",
    "typing.overload", "functools.cached_property", "typing.no_type_check",
}  # fmt: skip
TRANSPARENT_ONCE_CALLED = {"festaf.operators.lineage.consumes", "festaf.operators.lineage.produces", "tenacity.retry"}
"""Decorators with options that give back what they decorate, or a function that does the same."""
ENUMS = ("enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag")


def define_function(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Bind a function, as its decorators make it."""
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    outer = scope
    while outer.kind == "class" and outer.outer is not None:
        outer = outer.outer
    function = Function(node.name, node, outer)
    _defaults(machine, function, node.args, scope)
    value: object = function
    for decorator in reversed(node.decorator_list):
        value = decorate(machine, decorator, value, scope)
    scope.home(node.name).names[node.name] = value
    return None


def _defaults(machine: Machine, function: Function, arguments: ast.arguments, scope: Scope) -> None:
    positional = [*arguments.posonlyargs, *arguments.args]
    first = len(positional) - len(arguments.defaults)
    for argument, default in zip(positional[first:], arguments.defaults, strict=True):
        function.defaults[argument.arg] = machine.evaluate(default, scope)
    for argument, optional in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if optional is not None:
            function.defaults[argument.arg] = machine.evaluate(optional, scope)


def decorate(machine: Machine, node: ast.expr, value: object, scope: Scope) -> object:
    """Apply one decorator."""
    decorator = machine.evaluate(node, scope)
    if isinstance(node, ast.Call) and _path(machine.evaluate(node.func, scope)) in TRANSPARENT_ONCE_CALLED:
        return value
    path = decorator.cls.path if isinstance(decorator, Made) else _path(decorator)
    if path == "builtins.staticmethod" and isinstance(value, Function):
        value.kind = "static"
        return value
    if path == "builtins.classmethod" and isinstance(value, Function):
        value.kind = "class"
        return value
    if path in {"builtins.property", "functools.cached_property"} and isinstance(value, Function):
        value.kind = "property"
        return value
    if path in TRANSPARENT:
        if path == "contextlib.contextmanager" and isinstance(value, Function):
            value.kind = "context"
        return value
    if path in {"dataclasses.dataclass", "attrs.define", "attr.s", "attrs.frozen"} and isinstance(value, LocalClass):
        value.dataclass = True
        return value
    if isinstance(decorator, Unknown) or (path and not path.startswith("airflow.") and isinstance(value, LocalClass)):
        return value if isinstance(value, LocalClass) else _made_by(decorator, value)
    return machine.call(decorator, Arguments([value]), node, scope)


def _path(value: object) -> str:
    return value.path if isinstance(value, External) else ""


def _made_by(decorator: object, value: object) -> object:
    """Give what an unknown decorator makes; of something that makes tasks it may make others, harmless or not."""
    if isinstance(decorator, Unknown) and isinstance(value, TaskFactory | GroupFactory | DagFactory):
        return replace(decorator, inert=False)
    return decorator


def define_class(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Bind a class: its body runs, and what it assigns are its attributes."""
    assert isinstance(node, ast.ClassDef)
    bases = tuple(machine.evaluate(base, scope) for base in node.bases if not isinstance(base, ast.Starred))
    body = Scope("class", scope, scope.path)
    machine.run(node.body, body)
    made = LocalClass(node.name, bases, body.names, line=node.lineno)
    made.fields = tuple(
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    )
    outside = {base.path for base in made.lineage() if isinstance(base, External)}
    made.dataclass = bool(outside & {"typing.NamedTuple", "pydantic.BaseModel", "pydantic.main.BaseModel"}) or any(
        isinstance(base, LocalClass) and base.dataclass for base in made.lineage()
    )
    made.enum = any(path in ENUMS for path in outside)
    for name, value in list(made.attributes.items()):
        if isinstance(value, Function) and value.owner is None:
            value.owner = made
        elif made.enum and not name.startswith("_"):
            made.attributes[name] = EnumMember(made, name, value)
    result: object = made
    for decorator in reversed(node.decorator_list):
        result = decorate(machine, decorator, result, scope)
    scope.home(node.name).names[node.name] = result
    return None
