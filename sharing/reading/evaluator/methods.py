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
from festaf.sharing.reading.evaluator.containers import DICT, LIST, set_method, unknown_method
from festaf.sharing.reading.evaluator.items import get_item, iterate
from festaf.sharing.reading.evaluator.operations import PLAIN, format_value
from festaf.sharing.reading.evaluator.outside import call_outside
from festaf.sharing.reading.values import Arguments, Dict, External, Instance, List, Made, Set, Unknown

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from festaf.sharing.reading.machine import Machine
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
        return LIST.get(name, unknown_method)(machine, owner, arguments, node, scope)
    if isinstance(owner, Dict):
        return DICT.get(name, unknown_method)(machine, owner, arguments, node, scope)
    if isinstance(owner, Set):
        return set_method(machine, owner, name, arguments, node, scope)
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
