"""What functions give, for sqlglot's ``annotate_types``: those whose types Trino fixes and sqlglot leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.dialects import Athena

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_T = exp.DType

Typed = exp.DataType | None


def _of(kind: exp.DType) -> Callable[[Sequence[exp.Expr]], Typed]:
    return lambda arguments: exp.DataType(this=kind)


def array_of(kind: Typed) -> Typed:
    """Give the type of arrays of a type, when that is known."""
    return exp.DataType(this=_T.ARRAY, expressions=[kind.copy()], nested=True) if known(kind) and kind else None


def known(kind: Typed) -> bool:
    """Say whether a type was worked out, with all that is in it."""
    if kind is None or kind.this in (_T.UNKNOWN, _T.NULL):
        return False
    return not (kind.this in (_T.ARRAY, _T.MAP) and not kind.expressions)


def element(node: exp.Expr | None, place: int = 0) -> Typed:
    """Give the type of an array's elements, or of a map's keys (0) or values (1)."""
    kind = node.type if node is not None else None
    if kind is None or kind.this not in (_T.ARRAY, _T.MAP) or len(kind.expressions) <= place:
        return None
    found = kind.expressions[place]
    return found if isinstance(found, exp.DataType) else None


def _map_of(key: Typed, value: Typed) -> Typed:
    if not known(key) or not known(value) or key is None or value is None:
        return None
    return exp.DataType(this=_T.MAP, expressions=[key.copy(), value.copy()], nested=True)


def _body(node: exp.Expr) -> Typed:
    return node.this.type if isinstance(node, exp.Lambda) else None


NAMED: dict[str, Callable[[Sequence[exp.Expr]], Typed]] = {
    **dict.fromkeys(("any_match", "all_match", "none_match", "arrays_overlap", "is_finite"), _of(_T.BOOLEAN)),
    **dict.fromkeys(("json_size", "json_array_length", "codepoint", "millisecond", "yow"), _of(_T.BIGINT)),
    **dict.fromkeys(("format_datetime", "to_iso8601"), _of(_T.VARCHAR)),
    **dict.fromkeys(("with_timezone", "at_timezone"), _of(_T.TIMESTAMPTZ)),
    **dict.fromkeys(("nan", "infinity", "e"), _of(_T.DOUBLE)),
    **dict.fromkeys(("array_union", "trim_array", "map_filter", "map_concat"), lambda arguments: arguments[0].type),
    "zip_with": lambda arguments: array_of(_body(arguments[-1])),
    "map_values": lambda arguments: array_of(element(arguments[0], 1)),
    "transform_values": lambda arguments: _map_of(element(arguments[0]), _body(arguments[-1])),
    "map_agg": lambda arguments: _map_of(arguments[0].type, arguments[1].type),
    "histogram": lambda arguments: _map_of(arguments[0].type, exp.DataType(this=_T.BIGINT)),
    "every": _of(_T.BOOLEAN),
}
"""By the name of a function that sqlglot does not know."""


def _set(annotator: Any, node: exp.Expr, kind: Typed) -> exp.Expr:
    annotator._set_type(node, kind if known(kind) else _T.UNKNOWN)
    return node


def _named(annotator: Any, node: exp.Expr) -> exp.Expr:
    rule = NAMED.get(node.name.lower())
    return _set(annotator, node, rule(node.expressions) if rule and node.expressions else rule([]) if rule else None)


_RESULTS = {
    _T.VARCHAR: (
        exp.RegexpExtract,
        exp.RegexpReplace,
        exp.Pad,
        exp.Replace,
        exp.SplitPart,
        exp.Translate,
        exp.ConcatWs,
        exp.JSONExtractScalar,
        exp.JSONFormat,
        exp.ArrayToString,
        exp.Hex,
        exp.ToBase64,
        exp.Decode,
        exp.GroupConcat,
    ),
    _T.DOUBLE: (exp.TimeToUnix, exp.Cbrt, exp.Sin, exp.Cos, exp.Tan, exp.Asin, exp.Acos, exp.Atan, exp.Atan2),
    _T.BIGINT: (exp.StrPosition, exp.RegexpCount, exp.ArrayPosition, exp.YearOfWeek),
    _T.BOOLEAN: (exp.ArrayContains, exp.JSONArrayContains),
    _T.VARBINARY: (exp.Encode, exp.MD5Digest, exp.SHA2Digest, exp.Unhex, exp.FromBase64),
    _T.JSON: (exp.JSONExtract, exp.ParseJSON),
    _T.TIMESTAMPTZ: (exp.FromISO8601Timestamp,),
}
_BY_ARGUMENTS: dict[type[exp.Expr], Callable[[exp.Expr], Typed]] = {
    **dict.fromkeys(
        (exp.ArrayFilter, exp.ArrayDistinct, exp.ArrayRemove, exp.ArraySlice, exp.ArrayExcept, exp.ArraySort),
        lambda node: node.this.type,
    ),
    **dict.fromkeys((exp.ArrayMax, exp.ArrayMin), lambda node: element(node.this)),
    exp.ArrayIntersect: lambda node: node.expressions[0].type,
    exp.Transform: lambda node: array_of(_body(node.expression)),
    exp.Reduce: lambda node: element(node.this),
    exp.Repeat: lambda node: array_of(node.this.type),
    exp.MapKeys: lambda node: array_of(element(node.this)),
    exp.Map: lambda node: _map_of(element(node.args.get("keys")), element(node.args.get("values"))),
    exp.RegexpExtractAll: lambda node: array_of(exp.DataType(this=_T.VARCHAR)),
    exp.RegexpSplit: lambda node: array_of(exp.DataType(this=_T.VARCHAR)),
    exp.Split: lambda node: array_of(exp.DataType(this=_T.VARCHAR)),
}


def _by_arguments(rule: Callable[[exp.Expr], Typed]) -> dict[str, Any]:
    return {"annotator": lambda annotator, node: _set(annotator, node, rule(node))}


KNOWN_RESULTS: dict[Any, Any] = (
    dict(Athena.EXPRESSION_METADATA)
    | {function: {"returns": kind} for kind, functions in _RESULTS.items() for function in functions}
    | {function: _by_arguments(rule) for function, rule in _BY_ARGUMENTS.items()}
    | {exp.Anonymous: {"annotator": _named}}
)
