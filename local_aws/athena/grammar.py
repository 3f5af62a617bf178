"""What of Trino's SQL the local Athena answers: a list of what is known to mean the same, or is made to.

Everything else is refused. A new line here needs a test in tests/local_aws/test_athena_sql.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.athena.place import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUERIES = """
    Select From Where Group Having Order Ordered Limit Offset Fetch LimitOptions Distinct With CTE Subquery
    Union Intersect Except Values Tuple Join Table TableAlias Unnest Rollup Cube GroupingSets
    Column Identifier Star Alias Paren Literal Null Boolean Var DataType DataTypeParam Interval
"""
_OPERATORS = """
    And Or Not EQ NEQ GT GTE LT LTE Is NullSafeEQ NullSafeNEQ In Between Like Escape Exists
    Add Sub Mul Div Mod Neg DPipe Bracket Array Case If Cast TryCast Try Coalesce Nullif Greatest Least
    Window WindowSpec Filter IgnoreNulls RespectNulls AtTimeZone
"""
_AGGREGATES = """
    Count CountIf Sum Avg Min Max ArrayAgg AnyValue ArgMax ArgMin ApproxDistinct ApproxQuantile
    Stddev StddevSamp StddevPop Variance VariancePop LogicalAnd LogicalOr
    RowNumber Rank DenseRank PercentRank CumeDist Ntile Lag Lead FirstValue LastValue NthValue
"""
_FUNCTIONS = """
    Abs Ceil Floor Round Trunc Pow Sqrt Cbrt Exp Ln Log Pi Degrees Radians IsNan IsInf WidthBucket
    Lower Upper Length Concat Substring Trim Replace Reverse Pad StrPosition StartsWith Split SplitPart Chr
    RegexpLike RegexpExtract RegexpReplace
    Lambda Transform ArrayFilter Reduce ArrayDistinct ArrayIntersect ArrayExcept ArrayRemove ArrayPosition ArraySlice
    Repeat Map Struct PropertyEQ MapFromEntries
    ParseJSON JSONFormat JSONExtract JSONExtractScalar JSONPath JSONPathRoot JSONPathKey JSONPathSubscript
    JSONArrayContains
    Translate ConcatWs RegexpExtractAll RegexpSplit RegexpCount Encode Decode Hex Unhex MD5Digest SHA2Digest ToBase64
    FromBase64 BitwiseAnd BitwiseOr BitwiseXor BitwiseNot Sin Cos Tan Asin Acos Atan Atan2 YearOfWeek GroupConcat
    WithinGroup ColumnDef
    ArraySize ArrayContains ArrayToString ArrayMax ArrayMin ArraySort ArrayReverse Flatten GenerateSeries MapKeys
    CurrentDate CurrentTimestamp Localtimestamp DateAdd DateDiff DateTrunc TimestampTrunc Extract
    Year Quarter Month Week WeekOfYear Day DayOfMonth DayOfWeek DayOfWeekIso DayOfYear Hour Minute Second LastDay
    Date FromISO8601Timestamp FromISO8601Date UnixToTime TimeToUnix TimeToStr StrToTime
"""
_KNOWN = frozenset(f"{_QUERIES} {_OPERATORS} {_AGGREGATES} {_FUNCTIONS}".split())
_NAMED = """
    format_datetime map_agg every nan infinity e is_finite codepoint to_iso8601 with_timezone at_timezone millisecond
    yow any_match all_match none_match zip_with array_union arrays_overlap
    map_values map_filter transform_values map_concat map_entries histogram json_size json_array_length
"""
_BY_NAME = frozenset(_NAMED.split())
"""Functions that sqlglot does not know as Trino's."""

_PARTS = {
    "Column": {"this", "table", "db", "catalog"},
    "Unnest": {"expressions", "alias", "offset"},
    "StrPosition": {"this", "substr"},
    "Split": {"this", "expression"},
    "Round": {"this", "decimals"},
    "SHA2Digest": {"this", "length"},
}
"""Which arguments a node may have, where some change what it means."""

_JOINS = frozenset({"", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER"})
_CAST_TARGETS = """
    TINYINT SMALLINT INT BIGINT FLOAT DOUBLE DECIMAL BOOLEAN TEXT VARCHAR CHAR DATE ARRAY MAP STRUCT
    TIMESTAMP TIMESTAMPNTZ TIMESTAMPTZ
"""


def check_grammar(query: exp.Expr, sql: str) -> None:
    """Refuse what is not known.

    :raises QueryError: names the first thing that is not, and its place
    """
    for node in _in_order(query):
        name = type(node).__name__
        if isinstance(node, exp.Anonymous):
            if node.name.lower() not in _BY_NAME:
                message = f"Function '{node.name.lower()}' not registered in the local Athena"
                raise QueryError("FUNCTION_NOT_FOUND", f"{place_of(node, sql)}{message}")
        elif name not in _KNOWN:
            raise NotSupportedError(_shown(node), place_of(node, sql))
        _check_parts(node, name, sql)


def _in_order(query: exp.Expr) -> Iterable[exp.Expr]:
    return query.walk(bfs=False)


def _check_parts(node: exp.Expr, name: str, sql: str) -> None:
    allowed = _PARTS.get(name)
    present = {part for part, value in node.args.items() if value}
    if allowed is not None and present - allowed:
        raise NotSupportedError(_shown(node), place_of(node, sql))
    if isinstance(node, exp.Join) and (node.side not in _JOINS or node.kind not in _JOINS or node.method):
        raise NotSupportedError(f"{node.method or node.kind or node.side} JOIN", place_of(node, sql))
    if isinstance(node, exp.Cast):
        kind = node.to.this
        if not isinstance(kind, exp.DataType.Type) or kind.name not in _CAST_TARGETS.split():
            raise NotSupportedError(f"a cast to {node.to.sql('athena')}", place_of(node, sql))
    if isinstance(node, exp.Table) and (not isinstance(node.this, exp.Identifier) or present & _TABLE_EXTRAS):
        raise NotSupportedError(node.sql("athena"), place_of(node, sql))


_TABLE_EXTRAS = {"pivots", "laterals", "version", "when", "sample", "hints", "changes", "ordinality"}


def _shown(node: exp.Expr) -> str:
    if isinstance(node, exp.JSONPathPart):
        return "this JSON path"
    if isinstance(node, exp.Func):
        return f"the function {node.sql_name().lower()}"
    text = node.sql("athena")
    return text if len(text) <= 80 else f"{text[:77]}..."
