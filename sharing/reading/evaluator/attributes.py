"""Take attributes of values."""

from __future__ import annotations

import ast
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath

from festaf.sharing.reading.airflow.attributes import airflow_attribute
from festaf.sharing.reading.airflow.model import (
    AssetLike,
    Dag,
    DagFactory,
    Decorator,
    Group,
    GroupFactory,
    Label,
    OperatorPartial,
    Task,
    TaskFactory,
    XCom,
)
from festaf.sharing.reading.evaluator.binding import run_function
from festaf.sharing.reading.machine import Machine, RaisedError
from festaf.sharing.reading.scope import MISSING, Missing, Scope
from festaf.sharing.reading.values import (
    Arguments,
    Dict,
    EnumMember,
    External,
    Function,
    Instance,
    List,
    LocalClass,
    LocalModule,
    Made,
    Method,
    Set,
    Super,
    Unknown,
)

AIRFLOW = (
    AssetLike, Dag, DagFactory, Decorator, Group, GroupFactory, Label, OperatorPartial, Task, TaskFactory, XCom
)  # fmt: skip
WITH_METHODS = (str, bytes, List, tuple, Dict, Set, datetime, date, timedelta, PurePosixPath)
PROPERTIES: dict[type, frozenset[str]] = {
    datetime: frozenset({"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"}),
    date: frozenset({"year", "month", "day"}),
    timedelta: frozenset({"days", "seconds", "microseconds"}),
    PurePosixPath: frozenset({"name", "stem", "suffix", "parent", "suffixes"}),
}


def get_attribute(machine: Machine, owner: object, name: str, node: ast.AST, scope: Scope) -> object:
    """Give ``owner.name``."""
    if isinstance(owner, External):
        return machine.modules.member(machine, owner, name, node, scope)
    if isinstance(owner, LocalModule):
        return machine.modules.attribute(machine, owner, name, node, scope)
    if isinstance(owner, Unknown):
        return owner
    if isinstance(owner, Instance | LocalClass | EnumMember | Super):
        return _of_class(machine, owner, name, node, scope)
    if isinstance(owner, AIRFLOW):
        return airflow_attribute(machine, owner, name, node, scope)
    if isinstance(owner, Made):
        return _of_made(machine, owner, name, node, scope)
    if isinstance(owner, Function):
        return _of_function(machine, owner, name, node, scope)
    return _of_plain(machine, owner, name, node, scope)


def _of_class(
    machine: Machine, owner: Instance | LocalClass | EnumMember | Super, name: str, node: ast.AST, scope: Scope
) -> object:
    if isinstance(owner, EnumMember):
        if name in {"value", "name"}:
            return owner.value if name == "value" else owner.name
        return _resolve(machine, owner.cls, owner, name, node, scope)
    if isinstance(owner, Super):
        return _of_super(machine, owner, name, node, scope)
    if isinstance(owner, Instance):
        if name in owner.attributes:
            return owner.attributes[name]
        if name == "__dict__":
            return Dict(dict(owner.attributes), machine.doubt, Unknown("An instance's attributes may be more"))
        if name == "__class__":
            return owner.cls
        return _resolve(machine, owner.cls, owner, name, node, scope)
    if name in {"__name__", "__qualname__"}:
        return owner.name
    if name == "partial" and owner.find("partial") is None:
        return Method("partial", owner)
    return _resolve(machine, owner, None, name, node, scope)


def _resolve(machine: Machine, cls: LocalClass, owner: object | None, name: str, node: ast.AST, scope: Scope) -> object:
    found = cls.find(name)
    if found is None:
        if cls.enum and name == "__members__":
            return Dict({key: item for key, item in cls.attributes.items() if isinstance(item, EnumMember)})
        if any(isinstance(base, External | Unknown) for base in cls.lineage()):
            return machine.unknown(f"{cls.name}.{name} is of a base that is not read", node, scope)
        raise RaisedError("AttributeError", f"{cls.name} has no attribute {name}")
    if isinstance(found, Function):
        return _bind_method(machine, found, cls, owner, node, scope)
    return found


def _bind_method(
    machine: Machine, function: Function, cls: LocalClass, owner: object | None, node: ast.AST, scope: Scope
) -> object:
    if function.kind == "static":
        return function
    if function.kind == "class":
        return Method(function, cls)
    if owner is None:
        return function
    if function.kind == "property":
        return run_function(machine, function, Arguments([owner]), node, scope)
    return Method(function, owner)


def _of_super(machine: Machine, owner: Super, name: str, node: ast.AST, scope: Scope) -> object:
    instance = owner.owner
    cls = instance.cls if isinstance(instance, Instance | Task) else instance
    lineage = list(cls.lineage()) if isinstance(cls, LocalClass) else []
    after = lineage[lineage.index(owner.after) + 1 :] if owner.after in lineage else []
    for base in after:
        if isinstance(base, LocalClass) and name in base.attributes:
            found = base.attributes[name]
            return Method(found, instance) if isinstance(found, Function) and found.kind != "static" else found
        if isinstance(base, External) and not base.path.startswith(("builtins.", "abc.", "typing.")):
            break
    return Method(f"super.{name}", instance)


def _of_made(machine: Machine, owner: Made, name: str, node: ast.AST, scope: Scope) -> object:
    if name in owner.keywords:
        return owner.keywords[name]
    return Method(name, owner)


def _of_function(machine: Machine, owner: Function, name: str, node: ast.AST, scope: Scope) -> object:
    if name in owner.attributes:
        return owner.attributes[name]
    if name in {"__name__", "__qualname__"}:
        return owner.name
    if name == "__doc__":
        return ast.get_docstring(owner.node, clean=False) if not isinstance(owner.node, ast.Lambda) else None
    return machine.unknown(f"The attribute {name} of a function is not known", node, scope)


def _of_plain(machine: Machine, owner: object, name: str, node: ast.AST, scope: Scope) -> object:
    for kind, names in PROPERTIES.items():
        if isinstance(owner, kind) and name in names:
            value: object = getattr(owner, name, MISSING)
            return (
                machine.unknown(f"The attribute {name} is not known", node, scope)
                if isinstance(value, Missing)
                else value
            )
    if isinstance(owner, PurePosixPath) and name == "parents":
        return tuple(owner.parents)
    if isinstance(owner, WITH_METHODS):
        return Method(name, owner)
    if isinstance(owner, bool | int | float) and name in {"bit_length", "is_integer", "real"}:
        return Method(name, owner)
    return machine.unknown(f"The attribute {name} is not known", node, scope)
