"""Make instances of classes that are read; a class of operators makes a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.operators import construct_task, is_operator
from festaf.sharing.reading.evaluator.binding import run_function
from festaf.sharing.reading.evaluator.outside import call_outside
from festaf.sharing.reading.values import (
    Arguments,
    EnumMember,
    External,
    Function,
    Instance,
    LocalClass,
    Made,
    Unknown,
)

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope

HARMLESS_BASES = ("builtins.", "abc.", "typing.", "enum.", "collections.", "pydantic.", "dataclasses.")


def call_class(machine: Machine, cls: LocalClass, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Make an instance."""
    if is_operator(cls, arguments):
        return construct_task(machine, cls, arguments, node, scope)
    if cls.enum:
        return _member(machine, cls, arguments.get("value", 0), node, scope)
    instance = Instance(cls, {}, machine.doubt)
    initialise = cls.find("__init__")
    if isinstance(initialise, Function):
        owned = Arguments([instance, *arguments.positional], arguments.keywords, arguments.gap)
        run_function(machine, initialise, owned, node, scope)
    elif cls.dataclass:
        _fill(machine, instance, arguments, node, scope)
    elif _opaque(cls):
        call_outside(
            machine, cls.outside, arguments, f"The class {cls.name} is made by a base that is not read", node, scope
        )
        instance.attributes.update(arguments.keywords)
    return instance


def _opaque(cls: LocalClass) -> bool:
    """Say whether a base that is not read decides what an instance is."""
    for base in cls.lineage():
        if isinstance(base, Unknown):
            return True
        if isinstance(base, External) and not base.path.startswith(HARMLESS_BASES):
            return True
    return False


def _member(machine: Machine, cls: LocalClass, value: object, node: ast.AST, scope: Scope) -> object:
    if isinstance(value, EnumMember):
        return value
    for member in cls.attributes.values():
        if isinstance(member, EnumMember) and not isinstance(value, Unknown) and member.value == value:
            return member
    return machine.unknown(f"Which member of {cls.name} is meant is not known", node, scope)


def _fill(machine: Machine, instance: Instance, arguments: Arguments, node: ast.AST, scope: Scope) -> None:
    """Set the fields of a dataclass."""
    names: list[str] = []
    for base in reversed(list(instance.cls.lineage())):
        if isinstance(base, LocalClass):
            names.extend(name for name in base.fields if name not in names)
    for position, name in enumerate(names):
        value = arguments.get(name, position, MISSING_FIELD)
        if value is MISSING_FIELD:
            value = _field_default(machine, instance.cls.find(name), node, scope)
        instance.attributes[name] = value
    after = instance.cls.find("__post_init__")
    if isinstance(after, Function):
        run_function(machine, after, Arguments([instance]), node, scope)


MISSING_FIELD = object()


def _field_default(machine: Machine, default: object, node: ast.AST, scope: Scope) -> object:
    if isinstance(default, Made) and default.cls.name in {"field", "Field", "Factory"}:
        if "default_factory" in default.keywords:
            return machine.call(default.keywords["default_factory"], Arguments(), node, scope)
        if "default" in default.keywords:
            return default.keywords["default"]
        if default.positional:
            return default.positional[0]
        return machine.unknown("A field has no default", node, scope)
    return default if default is not None else machine.unknown("A field is not given", node, scope)
