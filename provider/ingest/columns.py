"""Turn a column of values into the texts that the feature store takes, all rows at once.

The common case is done by Arrow for the whole column. What Arrow refuses is looked at value by value, so that one bad
value costs its own row and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from festaf.provider.artifacts import Feature

INTEGER = r"^\s*[+-]?\d{1,18}(\.0*)?\s*$"
DECIMAL = r"^\s*[+-]?(\d{1,99}\.?\d*|\.\d+)([eE][+-]?\d{1,2})?\s*$"
LOWEST, HIGHEST = -(2**63), 2**63 - 1

Parser = Callable[[Any], str | None]


@dataclass(frozen=True)
class Texts:
    """A column as text; null where the value is missing or wrong."""

    values: pa.Array
    """Strings; lists of strings for a collection."""
    wrong: dict[int, str]
    """By position: why the value is wrong."""


def misfit(feature: Feature, kind: pa.DataType | None, *, is_text: bool) -> str | None:
    """Tell why values of an Arrow type can never be values of the feature; None when they can."""
    if kind is None or pa.types.is_null(kind):
        return None
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if feature.collection:
        if not _is_list(kind):
            return f"is {kind}, the feature is a {feature.collection} of {feature.type}"
        element = _misfit(feature.type, kind.value_type)
        return f"holds {kind.value_type}, the feature is a {feature.collection} of {feature.type}" if element else None
    if is_text or not _misfit(feature.type, kind):
        return None
    return f"is {kind}, the feature is {feature.type}"


def texts(feature: Feature, column: pa.Array, *, is_text: bool) -> Texts:
    """Turn a column into texts.

    :param is_text: whether strings may stand for numbers, as in CSV
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_null(column.type):
        return Texts(pa.nulls(len(column), pa.list_(pa.string()) if feature.collection else pa.string()), {})
    if feature.collection:
        return _collection(feature, column)
    return _scalars(feature.type or "String", column, is_text=is_text)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view())


def _misfit(wanted: str | None, kind: pa.DataType) -> bool:
    kinds = pa.types
    if wanted == "Integral":
        return not (kinds.is_integer(kind) or kinds.is_boolean(kind) or kinds.is_floating(kind))
    if wanted == "Fractional":
        return not (kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind))
    return not (
        _is_string(kind)
        or kinds.is_integer(kind)
        or kinds.is_boolean(kind)
        or kinds.is_date(kind)
        or kinds.is_timestamp(kind)
    )


def _scalars(wanted: str, column: pa.Array, *, is_text: bool) -> Texts:
    kind = column.type
    if wanted == "String":
        return Texts(moment_texts(column) if pa.types.is_timestamp(kind) else pc.cast(column, pa.string()), {})
    if _is_string(kind):
        parse = _integer_text if wanted == "Integral" else _decimal_text
        if not is_text:
            return _each(column, lambda value: _refuse(f"text {_short(value)} is not {wanted}"))
        column = pc.cast(column, pa.string())
        return _parsed(column, INTEGER if wanted == "Integral" else DECIMAL, parse)
    return _integers(column) if wanted == "Integral" else _decimals(column)


def _integers(column: pa.Array) -> Texts:
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    if pa.types.is_floating(column.type):
        column = _without_nan(column)
    try:
        return Texts(pc.cast(pc.cast(column, pa.int64()), pa.string()), {})
    except pa.ArrowInvalid:
        return _each(column, _integer_text)


def _decimals(column: pa.Array) -> Texts:
    if pa.types.is_floating(column.type):
        column = _without_nan(column)
        if not pc.all(pc.is_finite(column), skip_nulls=True).as_py():
            return _each(column, _decimal_text)
    return Texts(pc.cast(column, pa.string()), {})


def _without_nan(column: pa.Array) -> pa.Array:
    if pa.types.is_float16(column.type):
        column = pc.cast(column, pa.float32())
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def _parsed(column: pa.Array, pattern: str, parse: Parser) -> Texts:
    """Take texts that match the pattern as they are; parse the others one by one."""
    if not pc.all(pc.match_substring_regex(column, pattern), skip_nulls=True).as_py():
        return _each(column, parse)
    column = pc.utf8_trim_whitespace(column)
    return Texts(pc.replace_substring_regex(column, r"\.0*$", "") if pattern is INTEGER else column, {})


def _each(column: pa.Array, parse: Parser) -> Texts:
    values: list[str | None] = []
    wrong: dict[int, str] = {}
    for position, value in enumerate(column.to_pylist()):
        try:
            values.append(None if value is None else parse(value))
        except ValueError as error:
            values.append(None)
            wrong[position] = str(error)
    return Texts(pa.array(values, pa.string()), wrong)


def _refuse(reason: str) -> str | None:
    raise ValueError(reason)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _integer_text(value: Any) -> str | None:
    if isinstance(value, str):
        value = value.strip()
        if value.lower() in {"", "nan"}:
            return None
    try:
        number = Decimal(value) if isinstance(value, str) else value
        whole = int(number)
        if whole != number:
            raise ValueError
    except (ArithmeticError, ValueError):
        raise ValueError(f"{_short(value)} is no whole number") from None
    if not LOWEST <= whole <= HIGHEST:
        raise ValueError(f"{whole} does not fit 64 bits")
    return str(whole)


def _decimal_text(value: Any) -> str | None:
    try:
        if isinstance(value, str) and not value.strip():
            return None
        number = float(value)
    except ValueError:
        raise ValueError(f"{_short(value)} is no number") from None
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise ValueError(f"{_short(value)} is not finite")
    return value.strip() if isinstance(value, str) else repr(number)


def _collection(feature: Feature, column: pa.Array) -> Texts:
    wrong: dict[int, str] = {}
    if pa.types.is_fixed_size_list(column.type):
        column = pc.cast(column, pa.list_(column.type.value_type))
    parents = pc.list_parent_indices(column)
    elements = _scalars(feature.type or "String", pc.list_flatten(column), is_text=False)
    for position, reason in elements.wrong.items():
        wrong.setdefault(parents[position].as_py(), f"an element: {reason}")
    if elements.values.null_count:
        for parent in pc.unique(pc.filter(parents, pc.is_null(elements.values))).to_pylist():
            wrong.setdefault(parent, "an element is missing")
    lengths = pc.list_value_length(column)
    if feature.collection == "Vector" and feature.dimension:
        for position in pc.indices_nonzero(pc.fill_null(pc.not_equal(lengths, feature.dimension), False)).to_pylist():
            wrong.setdefault(position, f"{lengths[position]} elements, the Vector has {feature.dimension}")
    ends = pc.cumulative_sum(pc.fill_null(pc.cast(lengths, pa.int32()), 0))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    mask = pc.is_null(column)
    return Texts(pa.ListArray.from_arrays(offsets, elements.values, mask=mask), wrong)


def moment_texts(column: pa.Array) -> pa.Array:
    """Write timestamps as ISO 8601 in UTC, as AWS asks: to the second, or to the millisecond where they are finer.

    A timestamp without a zone is taken as UTC.
    """
    unit = "s" if column.type.unit == "s" else "ms"
    utc = pc.cast(column, pa.timestamp(unit), safe=False) if column.type.tz is None else column
    stamped = pc.cast(utc, pa.timestamp(unit, "UTC"), safe=False)
    return pc.strftime(stamped, format="%Y-%m-%dT%H:%M:%SZ")
