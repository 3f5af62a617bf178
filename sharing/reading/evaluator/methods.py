"""Call methods of plain values, within bounds; and those of instances that are not read."""

from __future__ import annotations

import re
import string
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.methods import call_airflow_method
from festaf.sharing.reading.bounds import MAXIMUM_ITEMS, MAXIMUM_TEXT
from festaf.sharing.reading.evaluator.attributes import get_attribute
from festaf.sharing.reading.evaluator.items import get_item, iterate
from festaf.sharing.reading.evaluator.operations import PLAIN, format_value
from festaf.sharing.reading.evaluator.outside import call_outside
from festaf.sharing.reading.machine import Machine, RaisedError
from festaf.sharing.reading.values import Arguments, Dict, External, Instance, List, Made, Set, Unknown

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from festaf.sharing.reading.scope import Scope

TEXT = frozenset({
    "capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isascii", "isdecimal",
    "isdigit", "isidentifier", "islower", "isnumeric", "isspace", "istitle", "isupper", "lower", "lstrip", "partition",
    "removeprefix", "removesuffix", "rfind", "rpartition", "rstrip", "split", "rsplit", "splitlines", "startswith",
    "strip", "swapcase", "title", "upper",
})  # fmt: skip
MOMENT = frozenset({"isoformat", "strftime", "date", "weekday", "isoweekday", "total_seconds", "replace", "toordinal"})
PATH = frozenset({"joinpath", "with_suffix", "with_name", "as_posix", "is_absolute", "relative_to", "__str__"})
IDENTITY = frozenset({"resolve", "absolute", "expanduser"})


def call_method(
    machine: Machine, owner: object, name: str, arguments: Arguments, node: ast.AST, scope: Scope
) -> object:
    """Call a method by its name."""
    if isinstance(owner, str):
        return _of_text(machine, owner, name, arguments, node, scope)
    if isinstance(owner, List):
        return LIST.get(name, _unknown_method)(machine, owner, arguments, node, scope)
    if isinstance(owner, Dict):
        return DICT.get(name, _unknown_method)(machine, owner, arguments, node, scope)
    if isinstance(owner, Set):
        return _of_set(machine, owner, name, arguments, node, scope)
    if isinstance(owner, datetime | date | timedelta):
        return _of_moment(machine, owner, name, arguments, node, scope)
    if isinstance(owner, PurePosixPath):
        return _of_path(machine, owner, name, arguments, node, scope)
    if isinstance(owner, tuple) and name in {"index", "count"} and len(arguments.positional) == 1:
        return _plainly(machine, getattr(owner, name), arguments, node, scope)
    return _of_object(machine, owner, name, arguments, node, scope)


def _of_object(machine: Machine, owner: object, name: str, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if isinstance(owner, Made):
        path = External(f"{owner.cls.path}.{name}")
        if owner.cls.name == "Context" and name in {"enter_context"}:
            return arguments.get("cm", 0)
        return call_outside(machine, path, arguments, f"{path.path} is not read", node, scope)
    if isinstance(owner, Instance):
        if name == "super.__init__":
            owner.attributes.update(arguments.keywords)
            return None
        return call_outside(machine, None, arguments, f"{owner.cls.name} has a base that is not read", node, scope)
    return call_airflow_method(machine, owner, name, arguments, node, scope)


def _unknown_method(machine: Machine, owner: List | Dict, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
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


def _plainly(
    machine: Machine, method: Callable[..., object], arguments: Arguments, node: ast.AST, scope: Scope
) -> object:
    """Call a method of a plain value with plain arguments."""
    values = [*arguments.positional, *arguments.keywords.values()]
    for value in values:
        if isinstance(value, Unknown):
            return value
        items = value if isinstance(value, tuple) else (value,)
        if not all(isinstance(item, PLAIN) for item in items):
            return machine.plain("What a method gives is not known", node, scope)
    if arguments.gap is not None:
        return arguments.gap
    try:
        result = method(*arguments.positional, **arguments.keywords)
    except Exception:
        return machine.plain("A method fails when it is read", node, scope)
    if isinstance(result, list):
        machine.budget.make(len(result))
        return List(result[:MAXIMUM_ITEMS], machine.doubt)
    if isinstance(result, str):
        machine.budget.make(len(result))
    return result


def _of_text(machine: Machine, owner: str, name: str, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if name in TEXT:
        return _plainly(machine, getattr(owner, name), arguments, node, scope)
    if name == "format":
        return format_text(machine, owner, arguments, node, scope)
    if name == "join":
        return _join(machine, owner, arguments.get("iterable", 0), node, scope)
    if name == "replace":
        old, new = arguments.get("old", 0), arguments.get("new", 1)
        if isinstance(old, str) and isinstance(new, str):
            times = owner.count(old) if old else len(owner) + 1
            if len(owner) + times * len(new) <= MAXIMUM_TEXT:
                return _plainly(machine, owner.replace, arguments, node, scope)
    if name in {"zfill", "ljust", "rjust", "center"}:
        width = arguments.get("width", 0)
        if isinstance(width, int) and width < 10_000:
            return _plainly(machine, getattr(owner, name), arguments, node, scope)
    if name == "encode":
        return machine.plain("Bytes are not followed", node, scope)
    unknown = next((item for item in arguments.positional if isinstance(item, Unknown)), None)
    return unknown or machine.plain(f"What str.{name} gives is not known", node, scope)


def _join(machine: Machine, owner: str, values: object, node: ast.AST, scope: Scope) -> object:
    items, gap = iterate(machine, values, node, scope)
    if gap is not None:
        return gap
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) != len(items):
        unknown = next((item for item in items if isinstance(item, Unknown)), None)
        return unknown or machine.plain("A text that is joined is not known", node, scope)
    if sum(map(len, texts)) + len(owner) * len(texts) > MAXIMUM_TEXT:
        return machine.plain("A text is longer than what is read", node, scope)
    text = owner.join(texts)
    machine.budget.make(len(text))
    return text


def format_text(machine: Machine, template: str, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Apply ``str.format``."""
    parts: list[str] = []
    automatic = 0
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError:
        return machine.plain("A format fails when it is read", node, scope)
    for literal, field, specification, conversion in fields:
        parts.append(literal)
        if field is None:
            continue
        name = field
        if not field or field[0] in ".[":
            name, automatic = f"{automatic}{field}", automatic + 1
        if "{" in (specification or ""):
            return machine.plain("A format's width is not known", node, scope)
        value = _field(machine, name, arguments, node, scope)
        text = format_value(machine, value, conversion or "", specification or "", node, scope)
        if not isinstance(text, str):
            return text
        parts.append(text)
        if sum(map(len, parts)) > MAXIMUM_TEXT:
            return machine.plain("A text is longer than what is read", node, scope)
    return "".join(parts)


def _field(machine: Machine, field: str, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    first, *steps = re.split(r"(\.\w+|\[[^\]]*\])", field)
    value = arguments.get(first, int(first) if first.isdecimal() and len(first) < 5 else None, MISSING_FIELD)
    if value is MISSING_FIELD:
        return machine.plain("A format names what is not given", node, scope)
    for step in filter(None, steps):
        if step.startswith("."):
            value = get_attribute(machine, value, step[1:], node, scope)
        else:
            key = step[1:-1]
            value = get_item(machine, value, int(key) if key.isdecimal() and len(key) < 6 else key, node, scope)
    return value


MISSING_FIELD = object()


def _of_moment(
    machine: Machine, owner: datetime | date | timedelta, name: str, arguments: Arguments, node: ast.AST, scope: Scope
) -> object:
    if (
        name in MOMENT
        and hasattr(owner, name)
        and not any(isinstance(item, str) and len(item) > 200 for item in arguments.positional)
    ):
        return _plainly(machine, getattr(owner, name), arguments, node, scope)
    if name in {"add", "subtract"} and isinstance(owner, datetime):
        from festaf.sharing.reading.evaluator.moments import duration

        delta = duration(arguments)
        if delta is not None:
            return owner + delta if name == "add" else owner - delta
    return machine.plain(f"What {name} gives is not known", node, scope)


def _of_path(
    machine: Machine, owner: PurePosixPath, name: str, arguments: Arguments, node: ast.AST, scope: Scope
) -> object:
    if name in IDENTITY:
        return owner
    if name in PATH:
        return _plainly(machine, getattr(owner, name), arguments, node, scope)
    from festaf.sharing.reading.evaluator.files import path_method

    return path_method(machine, owner, name, arguments, node, scope)


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


def _of_set(machine: Machine, owner: Set, name: str, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
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
