"""Take items out of values, and walk over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.model import Dag, DagParam, Group, Task, XCom
from festaf.sharing.reading.bounds import MAXIMUM_ITEMS
from festaf.sharing.reading.machine import Machine, RaisedError
from festaf.sharing.reading.values import (
    Dict,
    EnumMember,
    External,
    Instance,
    List,
    LocalClass,
    Made,
    Set,
    Tuple,
    Unknown,
)

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.scope import Scope


def iterate(machine: Machine, value: object, node: ast.AST, scope: Scope) -> tuple[list[object], Unknown | None]:
    """Give the items of a value in order, and the gap when there may be more."""
    if isinstance(value, List | Set | Dict | Tuple):
        return list(value), value.gap
    if isinstance(value, tuple | range | str | bytes):
        if len(value) > MAXIMUM_ITEMS:
            return list(value[:MAXIMUM_ITEMS]), machine.unknown("A loop is longer than what is read", node, scope)
        return list(value), None
    if isinstance(value, LocalClass) and value.enum:
        members = [item for item in value.attributes.values() if isinstance(item, EnumMember)]
        return list(members), None
    if isinstance(value, Group):
        return list(value.tasks()), None
    if isinstance(value, Unknown):
        return [], value
    return [], machine.unknown("What is walked over here is not known", node, scope)


def get_item(machine: Machine, value: object, key: object, node: ast.AST, scope: Scope) -> object:
    """Give ``value[key]``."""
    if isinstance(value, XCom):
        return XCom(value.tasks, key if isinstance(key, str) else "return_value")
    if isinstance(value, Unknown):
        return value
    if isinstance(key, Unknown):
        return key
    if isinstance(value, Dict):
        return _from_dict(machine, value, key, node, scope)
    if isinstance(value, List | tuple | str | bytes | range):
        return _from_sequence(machine, value, key, node, scope)
    if isinstance(value, LocalClass) and value.enum and isinstance(key, str):
        return value.attributes.get(key, machine.unknown(f"{value.name} has no member {key}", node, scope))
    if isinstance(value, Group) and isinstance(key, str):
        found = value.children.get(value.child_id(key))
        return found if found is not None else machine.unknown(f"The group has no child {key}", node, scope)
    return _from_object(machine, value, key, node, scope)


def _from_object(machine: Machine, value: object, key: object, node: ast.AST, scope: Scope) -> object:
    if isinstance(value, Dag | DagParam | Task | Made):
        return machine.unknown("An item of an object is not known", node, scope)
    if isinstance(value, External) and value.path == "os.environ":
        machine.needs.environment_variable(machine, key, node, scope)
        return machine.plain("An environment variable is not in the package", node, scope)
    if isinstance(value, LocalClass) or (isinstance(value, External) and value.certain):
        return value  # A type's parameters, such as list[str].
    if isinstance(value, Instance):
        method = value.cls.find("__getitem__")
        if method is not None:
            from festaf.sharing.reading.values import Arguments, Function, Method

            if isinstance(method, Function):
                return machine.call(Method(method, value), Arguments([key]), node, scope)
    return machine.unknown("An item of a value that is not known", node, scope)


def _from_dict(machine: Machine, value: Dict, key: object, node: ast.AST, scope: Scope) -> object:
    try:
        if key in value:
            return value[key]
    except TypeError:
        return machine.unknown("A key is not known", node, scope)
    if value.gap is not None:
        return value.gap
    raise RaisedError("KeyError", repr(key)[:80])


def _from_sequence(
    machine: Machine, value: List | tuple[object, ...] | str | bytes | range, key: object, node: ast.AST, scope: Scope
) -> object:
    gap = getattr(value, "gap", None)
    if isinstance(gap, Unknown):
        return gap
    if isinstance(key, slice):
        part = value[key]
        return List(part, machine.doubt) if isinstance(value, List) else part
    if not isinstance(key, int):
        return machine.unknown("An index is not known", node, scope)
    try:
        return value[key]
    except IndexError:
        raise RaisedError("IndexError", "the index is out of range") from None
