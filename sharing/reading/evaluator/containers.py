"""Call methods of lists, dicts and sets; a change made in a doubt leaves a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.bounds import MAXIMUM_ITEMS
from festaf.sharing.reading.evaluator.items import iterate
from festaf.sharing.reading.evaluator.operations import PLAIN
from festaf.sharing.reading.machine import Machine, RaisedError
from festaf.sharing.reading.values import Arguments, Dict, List, Set, Unknown

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from festaf.sharing.reading.scope import Scope


def unknown_method(machine: Machine, owner: List | Dict, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Call a method that is not followed: it may have changed what it was called on."""
    owner.gap = owner.gap or machine.plain("What a method changes is not known", node, scope)
    return owner.gap


def _clear(machine: Machine, owner: List | Dict, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    owner.gap = machine.gap_for(owner.born)
    owner.clear()
    return None


def _position(machine: Machine, owner: List, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    item = arguments.get("value", 0)
    if owner.gap is None and isinstance(item, PLAIN) and all(isinstance(other, PLAIN) for other in owner):
        if item in owner:
            return owner.index(item)
        raise RaisedError("ValueError", "the item is not in the list")
    return machine.plain("An item's position is not known", node, scope)


def _append(machine: Machine, owner: List, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    owner.gap = owner.gap or machine.gap_for(owner.born)
    if len(owner) >= MAXIMUM_ITEMS:
        owner.gap = owner.gap or machine.plain("A list is larger than what is read", node, scope)
        return None
    owner.append(arguments.get("object", 0))
    return None


def _extend(machine: Machine, owner: List, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    items, gap = iterate(machine, arguments.get("iterable", 0), node, scope)
    owner.gap = owner.gap or gap or machine.gap_for(owner.born)
    machine.budget.make(len(owner) + len(items))
    owner.extend(items[: max(MAXIMUM_ITEMS - len(owner), 0)])
    return None


def _insert(machine: Machine, owner: List, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    index = arguments.get("index", 0)
    owner.gap = owner.gap or machine.gap_for(owner.born)
    if isinstance(index, int) and len(owner) < MAXIMUM_ITEMS:
        owner.insert(index, arguments.get("object", 1))
    else:
        owner.gap = owner.gap or machine.plain("Where an item is inserted is not known", node, scope)
    return None


def _pop(machine: Machine, owner: List, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    index = arguments.get("index", 0, -1)
    gap = owner.gap or machine.gap_for(owner.born)
    if gap is not None or not isinstance(index, int):
        owner.gap = gap or machine.plain("Which item is taken is not known", node, scope)
        return owner.gap
    try:
        return owner.pop(index)
    except IndexError:
        raise RaisedError("IndexError", "pop from empty list") from None


def _copy_list(machine: Machine, owner: List, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    machine.budget.make(len(owner))
    return List(owner, machine.doubt, owner.gap)


def _reverse(machine: Machine, owner: List, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    owner.reverse()
    owner.gap = owner.gap or machine.gap_for(owner.born)
    return None


def _sort(machine: Machine, owner: List, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    gap = owner.gap or machine.gap_for(owner.born)
    if gap is None and not arguments.keywords and all(isinstance(item, str) for item in owner):
        owner.sort(key=str)
    else:
        owner.gap = gap or machine.plain("The order of a list is not known", node, scope)
    return None


def _get(machine: Machine, owner: Dict, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    key = arguments.get("key", 0)
    if isinstance(key, Unknown):
        return key
    if not isinstance(key, list | dict) and key in owner:
        return owner[key]
    return owner.gap if owner.gap is not None else arguments.get("default", 1)


def _items(machine: Machine, owner: Dict, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    machine.budget.make(len(owner))
    return List(list(owner.items()), machine.doubt, owner.gap)


def _keys(machine: Machine, owner: Dict, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    machine.budget.make(len(owner))
    return List(list(owner), machine.doubt, owner.gap)


def _values(machine: Machine, owner: Dict, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    machine.budget.make(len(owner))
    return List(list(owner.values()), machine.doubt, owner.gap)


def _update(machine: Machine, owner: Dict, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    other = arguments.get("other", 0)
    gap = machine.gap_for(owner.born) or arguments.gap
    if isinstance(other, Dict):
        owner.update(other)
        gap = gap or other.gap
    elif other is not None:
        gap = gap or machine.plain("What a dict is updated with is not known", node, scope)
    owner.update({key: value for key, value in arguments.keywords.items() if key != "other"})
    owner.gap = owner.gap or gap
    return None


def _set_default(machine: Machine, owner: Dict, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    key = arguments.get("key", 0)
    gap = owner.gap or machine.gap_for(owner.born)
    if isinstance(key, Unknown | list | dict) or (gap is not None and key not in owner):
        owner.gap = gap or machine.plain("A key is not known", node, scope)
        return owner.gap
    return owner.setdefault(key, arguments.get("default", 1))


def _pop_key(machine: Machine, owner: Dict, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    key = arguments.get("key", 0)
    gap = machine.gap_for(owner.born)
    if isinstance(key, Unknown | list | dict) or gap is not None:
        owner.gap = owner.gap or gap or machine.plain("Which key is taken is not known", node, scope)
        return owner.gap
    if key in owner:
        return owner.pop(key)
    if owner.gap is not None:
        return owner.gap
    if len(arguments.positional) < 2 and "default" not in arguments.keywords:
        raise RaisedError("KeyError", repr(key)[:80])
    return arguments.get("default", 1)


def _copy_dict(machine: Machine, owner: Dict, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    machine.budget.make(len(owner))
    return Dict(owner, machine.doubt, owner.gap)


LIST: dict[str, Callable[..., object]] = {
    "append": _append,
    "extend": _extend,
    "insert": _insert,
    "pop": _pop,
    "copy": _copy_list,
    "reverse": _reverse,
    "sort": _sort,
    "clear": _clear,
    "index": _position,
}


DICT: dict[str, Callable[..., object]] = {
    "get": _get,
    "items": _items,
    "keys": _keys,
    "values": _values,
    "update": _update,
    "setdefault": _set_default,
    "pop": _pop_key,
    "copy": _copy_dict,
    "clear": _clear,
}


def set_method(machine: Machine, owner: Set, name: str, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Call a method of a set."""
    gap = machine.gap_for(owner.born)
    if name == "add":
        item = arguments.get("elem", 0)
        if isinstance(item, Unknown | list | dict):
            owner.gap = owner.gap or machine.plain("What is added to a set is not known", node, scope)
        else:
            owner[item] = None
        owner.gap = owner.gap or gap
        return None
    if name in {"union", "update", "difference", "intersection"} and len(arguments.positional) == 1:
        items, other_gap = iterate(machine, arguments.positional[0], node, scope)
        items = [item for item in items if not isinstance(item, Unknown | list | dict)]
        if name == "update":
            owner.update(dict.fromkeys(items))
            owner.gap = owner.gap or other_gap or gap
            return None
        if name == "union":
            return Set([*owner, *items], machine.doubt, owner.gap or other_gap)
        if owner.gap is None and other_gap is None:
            wanted = name == "intersection"
            return Set([item for item in owner if (item in items) is wanted], machine.doubt)
    if name == "copy":
        return Set(owner, machine.doubt, owner.gap)
    return machine.plain(f"What set.{name} gives is not known", node, scope)
