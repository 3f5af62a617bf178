"""Trino's JSON functions in Python, called by DuckDB: its own keep no number as written and fail on what is no JSON.

A value of type JSON is its text: compact, and by ``json_parse`` with sorted keys, as Trino writes it.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

PARSED = 4096
"""How many texts stay parsed: a row's text is often asked for several of its fields."""


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


class _Missing:
    """What a path does not find; null is a value."""


_MISSING = _Missing()


@lru_cache(maxsize=PARSED)
def _parsed(text: str) -> Any:
    """Read a JSON text.

    :raises ValueError: it is none
    """
    return json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_refuse)


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _at(text: str | None, path: str | None) -> Any:
    """Follow a path, a JSON list of keys and indexes; what is not there, or no JSON, is missing."""
    if text is None or path is None:
        return _MISSING
    try:
        value = _parsed(text)
    except (ValueError, RecursionError):
        return _MISSING
    for step in json.loads(path):
        value = _step(value, step)
    return value


def _step(value: Any, step: Any) -> Any:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step, _MISSING)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return _MISSING


def _written(value: Any, *, sort: bool = False) -> str:
    """Write a value compactly.

    :raises ValueError: it has a number whose digits Trino may write in another way
    """
    if isinstance(value, dict):
        items = sorted(value.items()) if sort else value.items()
        return "{" + ",".join(f"{_text(key)}:{_written(item, sort=sort)}" for key, item in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(item, sort=sort) for item in value) + "]"
    if isinstance(value, _Number):
        if not value.lstrip("-").isdigit() and repr(float(value)) != value:
            raise ValueError(f"NOT_SUPPORTED: the number {value} in JSON is not supported by the local Athena")
        return str(value)
    return _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def extract_scalar(text: str | None, path: str | None) -> str | None:
    """Give a scalar as text; null for what is none."""
    value = _at(text, path)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else None


def extract(text: str | None, path: str | None) -> str | None:
    """Give what stands at a path as JSON."""
    value = _at(text, path)
    return None if value is _MISSING else _written(value)


def size(text: str | None, path: str | None) -> int | None:
    """Count the members or elements at a path; a scalar has none."""
    value = _at(text, path)
    if value is _MISSING:
        return None
    return len(value) if isinstance(value, dict | list) else 0


def array_length(text: str | None) -> int | None:
    """Count the elements of an array; null for what is none."""
    value = _at(text, "[]")
    return len(value) if isinstance(value, list) else None


def array_contains(text: str | None, wanted: str | None) -> bool | None:
    """Say whether an array has an element, given as JSON."""
    value = _at(text, "[]")
    if wanted is None or not isinstance(value, list):
        return None
    return any(type(item) is type(_parsed(wanted)) and item == _parsed(wanted) for item in value)


def parse(text: str | None) -> str | None:
    """Read a text as JSON.

    :raises ValueError: it is none
    """
    if text is None:
        return None
    try:
        value = _parsed(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '{text}'") from error
    return _written(value, sort=True)


def to_scalar(text: str | None, kind: str) -> Any:
    """Cast JSON to a scalar as Trino does.

    :param kind: bigint, double, boolean or varchar
    :raises ValueError: it cannot be cast
    """
    return None if text is None else _cast(_parsed(text), kind, text)


def to_list(text: str | None, kind: str) -> list[Any] | None:
    """Cast JSON to an array of scalars."""
    value = None if text is None else _parsed(text)
    if value is None:
        return None
    if not isinstance(value, list):
        raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast to array({kind}). Expected a json array\n{text}")
    return [_cast(item, kind, text or "") for item in value]


def to_map(text: str | None, kind: str) -> dict[str, Any] | None:
    """Cast JSON to a map from varchar to scalars."""
    value = None if text is None else _parsed(text)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast to map(varchar, {kind}). Expected a json object\n{text}")
    return {key: _cast(item, kind, text or "") for key, item in value.items()}


def _cast(value: Any, kind: str, text: str) -> Any:
    if value is None:
        return None
    if not isinstance(value, dict | list):
        try:
            return _SCALARS[kind](value)
        except (ValueError, OverflowError, KeyError) as error:
            if str(error).startswith("NOT_SUPPORTED"):
                raise
    raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast to {kind}. {text}")


def _bigint(value: Any) -> int:
    if isinstance(value, _Number) and not value.lstrip("-").isdigit():
        raise ValueError(f"NOT_SUPPORTED: a cast of the JSON number {value} to bigint is not supported")
    number = int(value)
    if not -(1 << 63) <= number < 1 << 63:
        raise OverflowError
    return number


def _double(value: Any) -> float:
    return float(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, _Number):
        return float(value) != 0
    return {"true": True, "false": False}[value.lower()]


def _varchar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _written(value) if isinstance(value, _Number) else str(value)


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "bigint": _bigint,
    "double": _double,
    "boolean": _boolean,
    "varchar": _varchar,
}
FUNCTIONS: dict[str, tuple[Callable[..., Any], list[str], str]] = {
    "athena_json_extract_scalar": (extract_scalar, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "athena_json_extract": (extract, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "athena_json_size": (size, ["VARCHAR", "VARCHAR"], "BIGINT"),
    "athena_json_array_length": (array_length, ["VARCHAR"], "BIGINT"),
    "athena_json_array_contains": (array_contains, ["VARCHAR", "VARCHAR"], "BOOLEAN"),
    "athena_json_parse": (parse, ["VARCHAR"], "VARCHAR"),
}
"""By their names in DuckDB: the function, its arguments' types, and what it gives."""


def _with_kind(function: Callable[[str | None, str], Any], kind: str) -> Callable[[str | None], Any]:
    # DuckDB counts the parameters, and would count one that is bound.
    return lambda text: function(text, kind)


def _casts(kind: str) -> dict[str, tuple[Callable[..., Any], list[str], str]]:
    name, result = f"athena_json_to_{kind}", kind.upper()
    return {
        name: (_with_kind(to_scalar, kind), ["VARCHAR"], result),
        f"{name}_list": (_with_kind(to_list, kind), ["VARCHAR"], f"{result}[]"),
        f"{name}_map": (_with_kind(to_map, kind), ["VARCHAR"], f"MAP(VARCHAR, {result})"),
    }


for _kind in _SCALARS:
    FUNCTIONS |= _casts(_kind)


def double_text(value: float | None) -> str | None:
    """Write a double as Trino casts it to varchar: ``1.5E0``."""
    if value is None:
        return None
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    mantissa, _, exponent = repr(value).partition("e")
    sign, digits = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, _, fraction = digits.partition(".")
    plain = (whole + fraction).lstrip("0")
    if not plain:
        return f"{sign}0.0E0"
    leading = len(whole + fraction) - len(plain)
    point = len(whole) - leading - 1 + int(exponent or 0)
    plain = plain.rstrip("0") or "0"
    return f"{sign}{plain[0]}.{plain[1:] or '0'}E{point}"


FUNCTIONS["athena_double_text"] = (double_text, ["DOUBLE"], "VARCHAR")


def register(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Give DuckDB those functions that a statement calls."""
    from duckdb.func import SPECIAL

    called = set(re.findall(r"\bathena_\w+", sql.lower()))
    for name, (function, arguments, result) in FUNCTIONS.items():
        if name in called:
            connection.create_function(name, function, [*arguments], result, null_handling=SPECIAL)
