"""Apply operators and formats to plain values, within bounds."""

from __future__ import annotations

import ast
import operator
import re
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from festaf.sharing.reading.airflow.assets import combine_assets
from festaf.sharing.reading.airflow.edges import shift
from festaf.sharing.reading.airflow.model import AssetLike
from festaf.sharing.reading.bounds import MAXIMUM_BITS, MAXIMUM_ITEMS, MAXIMUM_TEXT
from festaf.sharing.reading.machine import Machine, truth
from festaf.sharing.reading.values import (
    Dict,
    EnumMember,
    External,
    Instance,
    List,
    LocalClass,
    Set,
    Tuple,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.sharing.reading.scope import Scope

PLAIN = (str, int, float, bool, bytes, type(None), datetime, date, timedelta, PurePosixPath)
OPERATORS: dict[type[ast.AST], Callable[[object, object], object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
COMPARISONS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
WIDTH = re.compile(r"\d{5,}|\*")
PERCENT = re.compile(r"%(?:\(([^()]*)\))?[-+ #0]*(\*|\d*)(?:\.(\*|\d*))?[hlL]?(.)", re.DOTALL)


def binary(machine: Machine, op: ast.operator, left: object, right: object, node: ast.AST, scope: Scope) -> object:
    """Apply an operator to two values."""
    if isinstance(op, ast.RShift | ast.LShift):
        return shift(machine, left, right, isinstance(op, ast.RShift), node, scope)
    if isinstance(left, AssetLike) or isinstance(right, AssetLike):
        return combine_assets(machine, op, left, right, node, scope)
    if isinstance(left, Unknown):
        return left
    if isinstance(right, Unknown):
        if isinstance(op, ast.Add) and isinstance(left, List):
            return List(left, machine.doubt, right)
        return right
    if isinstance(left, EnumMember) and isinstance(left.value, PLAIN):
        left = left.value
    if isinstance(right, EnumMember) and isinstance(right.value, PLAIN):
        right = right.value
    if isinstance(left, List | tuple | Set | Dict):
        return _combine(machine, op, left, right, node, scope)
    if isinstance(right, List | tuple) and isinstance(op, ast.Mult):
        return _combine(machine, op, right, left, node, scope)
    return _plain(machine, op, left, right, node, scope)


def _plain(machine: Machine, op: ast.operator, left: object, right: object, node: ast.AST, scope: Scope) -> object:
    if isinstance(op, ast.Mod) and isinstance(left, str):
        return percent(machine, left, right, node, scope)
    apply = OPERATORS.get(type(op))
    if isinstance(op, ast.BitOr) and (
        isinstance(left, External | LocalClass) or isinstance(right, External | LocalClass)
    ):
        return External("types.UnionType")
    if apply is None or not isinstance(left, PLAIN) or not isinstance(right, PLAIN) or _large(op, left, right):
        return machine.plain("The result of an operation is not known", node, scope)
    try:
        result = apply(left, right)
    except Exception:
        return machine.plain("An operation fails when it is read", node, scope)
    if isinstance(result, str | bytes):
        machine.budget.make(len(result))
    return result


def _large(op: ast.operator, left: object, right: object) -> bool:
    """Say whether a result would be too large to be made."""
    sizes = [len(value) for value in (left, right) if isinstance(value, str | bytes)]
    if isinstance(op, ast.Mult) and sizes:
        times = right if isinstance(right, int) else left
        return isinstance(times, int) and times * max(sizes) > MAXIMUM_TEXT
    if sizes:
        return sum(sizes) > MAXIMUM_TEXT
    numbers = [value for value in (left, right) if isinstance(value, int)]
    return any(number.bit_length() > MAXIMUM_BITS for number in numbers)


def _combine(machine: Machine, op: ast.operator, left: object, right: object, node: ast.AST, scope: Scope) -> object:
    """Apply an operator to a list, tuple, set or dict."""
    gap = getattr(left, "gap", None) or getattr(right, "gap", None)
    size = len(left) + (len(right) if hasattr(right, "__len__") else 0)  # type: ignore[arg-type]
    if isinstance(op, ast.Mult) and isinstance(right, int) and isinstance(left, List | tuple):
        if len(left) * max(right, 0) > MAXIMUM_ITEMS:
            return machine.plain("A list is larger than what is read", node, scope)
        machine.budget.make(len(left) * max(right, 0))
        return List(list(left) * right, machine.doubt, gap) if isinstance(left, List) else tuple(left) * right
    if size > MAXIMUM_ITEMS:
        return machine.plain("A list is larger than what is read", node, scope)
    machine.budget.make(size)
    if isinstance(op, ast.Add) and isinstance(left, List) and isinstance(right, List):
        return List([*left, *right], machine.doubt, gap)
    if isinstance(op, ast.Add) and isinstance(left, tuple) and isinstance(right, tuple):
        made = Tuple((*left, *right))
        made.gap = gap
        return made if gap is not None else tuple(made)
    if isinstance(op, ast.BitOr) and isinstance(left, Dict) and isinstance(right, Dict):
        return Dict({**left, **right}, machine.doubt, gap)
    if isinstance(left, Set) and isinstance(right, Set):
        return _combine_sets(machine, op, left, right, gap, node, scope)
    return machine.plain("The result of an operation is not known", node, scope)


def _combine_sets(
    machine: Machine, op: ast.operator, left: Set, right: Set, gap: Unknown | None, node: ast.AST, scope: Scope
) -> object:
    if isinstance(op, ast.BitOr):
        return Set([*left, *right], machine.doubt, gap)
    if gap is not None:
        return gap
    if isinstance(op, ast.BitAnd):
        return Set([item for item in left if item in right], machine.doubt)
    if isinstance(op, ast.Sub):
        return Set([item for item in left if item not in right], machine.doubt)
    if isinstance(op, ast.BitXor):
        return Set([*(i for i in left if i not in right), *(i for i in right if i not in left)], machine.doubt)
    return machine.plain("The result of an operation is not known", node, scope)


def unary(machine: Machine, op: ast.unaryop, value: object, node: ast.AST, scope: Scope) -> object:
    """Apply ``-``, ``+`` or ``~``."""
    if isinstance(value, int | float | timedelta):
        if isinstance(op, ast.USub):
            return -value
        if isinstance(op, ast.UAdd):
            return +value
        if isinstance(op, ast.Invert) and isinstance(value, int):
            return ~value
    return (
        value if isinstance(value, Unknown) else machine.plain("The result of an operation is not known", node, scope)
    )


def compare(machine: Machine, op: ast.cmpop, left: object, right: object, node: ast.AST, scope: Scope) -> object:
    """Compare two values; what cannot be decided is unknown."""
    if isinstance(op, ast.Is | ast.IsNot):
        same = _identical(left, right)
        if same is None:
            return _undecided(machine, left, right, node, scope)
        return same if isinstance(op, ast.Is) else not same
    if isinstance(op, ast.In | ast.NotIn):
        found = _contains(right, left)
        if found is None:
            return _undecided(machine, left, right, node, scope)
        return found if isinstance(op, ast.In) else not found
    if isinstance(op, ast.Eq | ast.NotEq):
        equal = _equal(left, right)
        if equal is None:
            return _undecided(machine, left, right, node, scope)
        return equal if isinstance(op, ast.Eq) else not equal
    apply = COMPARISONS.get(type(op))
    if apply is not None and isinstance(left, PLAIN) and isinstance(right, PLAIN):
        try:
            return apply(left, right)
        except TypeError:
            return machine.plain("A comparison fails when it is read", node, scope)
    return _undecided(machine, left, right, node, scope)


def _undecided(machine: Machine, left: object, right: object, node: ast.AST, scope: Scope) -> Unknown:
    for value in (left, right):
        if isinstance(value, Unknown):
            return value
    return machine.plain("A comparison is not known", node, scope)


def _identical(left: object, right: object) -> bool | None:
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    if any(isinstance(side, External) and not side.certain for side in (left, right)):
        return None
    if left is None or right is None or isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if left is right:
        return True
    if isinstance(left, External) and isinstance(right, External):
        return left.path == right.path
    return None if isinstance(left, PLAIN) else False


def _known(value: object, depth: int = 0) -> bool:
    """Say whether a value is wholly plain."""
    if depth > 8:
        return False
    if isinstance(value, PLAIN):
        return True
    if isinstance(value, List | tuple | Set):
        return getattr(value, "gap", None) is None and all(_known(item, depth + 1) for item in value)
    if isinstance(value, Dict):
        return value.gap is None and all(_known(item, depth + 1) for item in value.values())
    return False


def _equal(left: object, right: object) -> bool | None:
    if isinstance(left, External) and isinstance(right, External):
        return left.path == right.path or None
    if isinstance(left, EnumMember) and isinstance(right, EnumMember):
        return left is right
    if isinstance(left, EnumMember) or isinstance(right, EnumMember):
        return None
    if _known(left) and _known(right):
        return bool(left == right)
    if isinstance(left, Instance) or isinstance(right, Instance):
        return True if left is right else None
    return None


def _contains(container: object, item: object) -> bool | None:
    if isinstance(container, str) and isinstance(item, str):
        return item in container
    if not isinstance(container, List | tuple | Set | Dict | range):
        return None
    if isinstance(item, Unknown) or not (_known(item) or isinstance(item, EnumMember)):
        return None
    undecided = getattr(container, "gap", None) is not None
    for candidate in container:
        equal = _equal(candidate, item)
        if equal:
            return True
        undecided = undecided or equal is None
    return None if undecided else False


def format_value(
    machine: Machine, value: object, conversion: str, specification: object, node: ast.AST, scope: Scope
) -> object:
    """Make the text of a value as an f-string or ``str.format`` does."""
    if isinstance(value, Unknown):
        return value
    if isinstance(specification, Unknown):
        return specification
    if isinstance(value, EnumMember):
        return _enum_text(machine, value, node, scope)
    if not isinstance(value, PLAIN) or not isinstance(specification, str) or WIDTH.search(specification):
        if isinstance(value, List | tuple | Dict) and _known(value) and not specification:
            text = repr(_plain_copy(value))
            machine.budget.make(len(text))
            return text
        return machine.plain("The text of a value is not known", node, scope)
    try:
        converted = repr(value) if conversion == "r" else str(value) if conversion in {"s", "a"} else value
        text = format(converted, specification)
    except Exception:
        return machine.plain("A value cannot be formatted", node, scope)
    machine.budget.make(len(text))
    return text


def _enum_text(machine: Machine, member: EnumMember, node: ast.AST, scope: Scope) -> object:
    """``str`` of a member is its value only when the class says so."""
    outside = [base.path for base in member.cls.lineage() if isinstance(base, External)]
    if any(path.endswith(("StrEnum", "IntEnum")) for path in outside):
        return str(member.value)
    if member.cls.find("__str__") is not None:
        return machine.plain("The text of an Enum's member is not known", node, scope)
    return f"{member.cls.name}.{member.name}"


def _plain_copy(value: object) -> object:
    if isinstance(value, Dict):
        return {key: _plain_copy(item) for key, item in value.items()}
    if isinstance(value, List):
        return [_plain_copy(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_plain_copy(item) for item in value)
    return value


def percent(machine: Machine, template: str, right: object, node: ast.AST, scope: Scope) -> object:
    """Apply ``%`` to a string."""
    values = right if isinstance(right, tuple | Dict) else (right,)
    for match in PERCENT.finditer(template):
        if any(group and (group == "*" or len(group) > 4) for group in (match[2], match[3])):
            return machine.plain("A format is wider than what is read", node, scope)
    items = list(values.values()) if isinstance(values, Dict) else list(values)
    if not all(isinstance(item, PLAIN) for item in items):
        unknown = next((item for item in items if isinstance(item, Unknown)), None)
        return unknown or machine.plain("The text of a value is not known", node, scope)
    if sum(len(item) for item in items if isinstance(item, str)) * (template.count("%") + 1) > MAXIMUM_TEXT:
        return machine.plain("A text is longer than what is read", node, scope)
    try:
        text = template % (dict(values) if isinstance(values, Dict) else tuple(values))
    except Exception:
        return machine.plain("A format fails when it is read", node, scope)
    machine.budget.make(len(text))
    return text


def same_value(left: object, right: object) -> bool:
    """Say whether two values are certainly alike, when two branches are joined."""
    if left is right:
        return True
    if isinstance(left, External) and isinstance(right, External):
        return left.path == right.path
    return type(left) is type(right) and _equal(left, right) is True


__all__ = ["binary", "compare", "format_value", "percent", "same_value", "truth", "unary"]
