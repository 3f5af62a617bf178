"""Where the same words mean something else in DuckDB than in Trino: say it in DuckDB's words, or refuse.

Every rule takes a node whose types are known (sqlglot's ``annotate_types``) and gives the node to stand in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from festaf.local_aws.athena import collection_rules, json_rules, lambdas, times
from festaf.local_aws.athena.casts import cast
from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.athena.json_rules import call
from festaf.local_aws.athena.kinds import ARRAY, DATE, DECIMAL, MAP, REAL, TEMPORAL, TEXT, family, is_kind
from festaf.local_aws.athena.place import place_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@dataclass(frozen=True)
class Context:
    """What a rule may need besides its node."""

    sql: str
    now: datetime

    def place(self, node: exp.Expr) -> str:
        """Give where the node stands in the query."""
        return place_of(node, self.sql)


def keep_meaning(query: exp.Expr, sql: str, now: datetime) -> None:
    """Change a query so that DuckDB understands it as Trino does.

    :raises QueryError: Trino would refuse it, or DuckDB cannot do it
    """
    context = Context(sql, now)
    for node in reversed(list(query.walk(bfs=True))):
        rule = _RULES.get(type(node))
        if rule is None:
            continue
        replacement = rule(node, context)
        if replacement is not node:
            replacement.type = node.type
            node.replace(replacement)


def _divide(node: exp.Expr, context: Context) -> exp.Expr:
    """Divide integers as integers; DuckDB's ``//`` does it, and divides doubles as doubles."""
    _check_operands(node, context)
    left, right = node.this, node.expression
    if is_kind(left, REAL) or is_kind(right, REAL):
        return exp.Div(this=left.copy(), expression=right.copy())
    if is_kind(left, DECIMAL) or is_kind(right, DECIMAL):
        raise NotSupportedError(
            "the division of decimals (Athena keeps their scale: 1.0/3 is 0.3; write 1e0 or cast to double)",
            context.place(node),
        )
    return exp.IntDiv(this=left.copy(), expression=right.copy())


def _check_operands(node: exp.Expr, context: Context) -> exp.Expr:
    """Refuse to compare or reckon with two kinds of values: DuckDB would convert one, Trino does not."""
    left, right = node.this, node.expression
    kinds = family(left), family(right)
    if all(kinds) and kinds[0] != kinds[1] and "interval" not in kinds:
        raise _mismatch(node, left, right, context)
    if kinds == ("text", "text") and isinstance(node, _ARITHMETIC):
        raise _mismatch(node, left, right, context)
    return node


def _subtract(node: exp.Expr, context: Context) -> exp.Expr:
    _check_operands(node, context)
    if is_kind(node.this, TEMPORAL) and is_kind(node.expression, TEMPORAL):
        raise NotSupportedError("an interval between two times (write date_diff)", context.place(node))
    return _shift(node, context)


def _shift(node: exp.Expr, context: Context) -> exp.Expr:
    """Keep a date a date: DuckDB makes date + interval a timestamp."""
    _check_operands(node, context)
    dates = [side for side in (node.this, node.expression) if is_kind(side, DATE)]
    if dates and any(isinstance(side, exp.Interval) for side in (node.this, node.expression)):
        return exp.cast(exp.paren(node.copy()), "date")
    return node


def _in(node: exp.Expr, context: Context) -> exp.Expr:
    for item in node.expressions:
        kinds = family(node.this), family(item)
        if all(kinds) and kinds[0] != kinds[1]:
            raise _mismatch(node, node.this, item, context, "IN")
    return node


def _between(node: exp.Expr, context: Context) -> exp.Expr:
    for bound in (node.args["low"], node.args["high"]):
        kinds = family(node.this), family(bound)
        if all(kinds) and kinds[0] != kinds[1]:
            raise _mismatch(node, node.this, bound, context, "BETWEEN")
    return node


def _mismatch(node: exp.Expr, left: exp.Expr, right: exp.Expr, context: Context, operator: str = "") -> QueryError:
    symbol = operator or _SYMBOLS.get(type(node), type(node).__name__.upper())
    shown = [side.type.sql("athena").lower() if side.type else "unknown" for side in (left, right)]
    message = f"Cannot apply operator: {shown[0]} {symbol} {shown[1]}"
    return QueryError("TYPE_MISMATCH", f"{context.place(node)}{message}")


def _average(node: exp.Expr, context: Context) -> exp.Expr:
    if is_kind(node.this, DECIMAL):
        raise NotSupportedError("avg of decimals (Athena keeps their scale; cast to double)", context.place(node))
    return node


def _approx_distinct(node: exp.Expr, context: Context) -> exp.Expr:
    """Count exactly: within Trino's error, and the same at every run."""
    return exp.Count(this=exp.Distinct(expressions=[node.this.copy()]))


def _approx_percentile(node: exp.Expr, context: Context) -> exp.Expr:
    if node.args.get("weight") or node.args.get("accuracy") or node.args.get("error_tolerance"):
        raise NotSupportedError("approx_percentile with weights or an accuracy", context.place(node))
    return exp.Anonymous(this="quantile_disc", expressions=[node.this.copy(), node.args["quantile"].copy()])


def _arg(name: str) -> Callable[[exp.Expr, Context], exp.Expr]:
    def rule(node: exp.Expr, context: Context) -> exp.Expr:
        """Keep a null of the winning row: DuckDB's arg_max passes such rows over."""
        if node.args.get("count"):
            raise NotSupportedError("max_by or min_by with a count", context.place(node))
        return exp.Anonymous(this=name, expressions=[node.this.copy(), node.expression.copy()])

    return rule


def _substring(node: exp.Expr, context: Context) -> exp.Expr:
    length = node.args.get("length") or exp.Literal.number(2147483647)
    return exp.Anonymous(this="athena_substr", expressions=[node.this.copy(), node.args["start"].copy(), length.copy()])


def _split_part(node: exp.Expr, context: Context) -> exp.Expr:
    parts = [node.this, node.args["delimiter"], node.args["part_index"]]
    return exp.Anonymous(this="athena_split_part", expressions=[part.copy() for part in parts])


def _regexp_extract(node: exp.Expr, context: Context) -> exp.Expr:
    group = node.args.get("group") or exp.Literal.number(0)
    return exp.Anonymous(
        this="athena_regexp_extract", expressions=[node.this.copy(), node.expression.copy(), group.copy()]
    )


def _regexp_replace(node: exp.Expr, context: Context) -> exp.Expr:
    new = node.args.get("replacement") or exp.Literal.string("")
    if not (isinstance(new, exp.Literal) and new.is_string) or "${" in new.name or "\\" in new.name:
        raise NotSupportedError("regexp_replace with this replacement", context.place(node))
    text = "".join("\\" + part[0] + part[1:] if part[:1].isdigit() else f"${part}" for part in new.name.split("$")[1:])
    new = exp.Literal.string(new.name.split("$")[0] + text)
    parts = [node.this.copy(), node.expression.copy(), new, exp.Literal.string("g")]
    return exp.Anonymous(this="regexp_replace", expressions=parts)


def _bracket(node: exp.Expr, context: Context) -> exp.Expr:
    if node.args.get("safe"):
        return node
    if len(node.expressions) == 1 and is_kind(node.this, MAP):
        return call("athena_map_at", node.this, collection_rules.subscript(node))
    if len(node.expressions) != 1 or not is_kind(node.this, ARRAY):
        raise NotSupportedError(
            "a subscript of what is not known to be an array (write element_at)", context.place(node)
        )
    return call("athena_subscript", node.this, collection_rules.subscript(node))


def _by_name(node: exp.Expr, context: Context) -> exp.Expr:
    rule = _NAMED.get(node.name.lower())
    return rule(node, context.sql) if rule else node


def _width_bucket(node: exp.Expr, context: Context) -> exp.Expr:
    """Count the bins that begin at or below a value; the form with equal widths is refused."""
    if node.args.get("max_value") or node.args.get("num_buckets"):
        raise NotSupportedError("width_bucket with equal widths", context.place(node))
    parts = [node.this.copy(), node.args["min_value"].copy()]
    return exp.Anonymous(this="athena_width_bucket", expressions=parts)


def _map_agg(node: exp.Expr) -> exp.Expr:
    """Gather keys and values; a null key is passed over, a second value for a key fails."""
    key, value = node.expressions
    known = exp.Not(this=exp.Is(this=key.copy(), expression=exp.Null()))
    lists = [
        exp.Filter(this=exp.Anonymous(this="list", expressions=[part.copy()]), expression=exp.Where(this=known.copy()))
        for part in (key, value)
    ]
    return exp.Anonymous(this="map", expressions=lists)


def _join_texts(node: exp.Expr, context: Context) -> exp.Expr:
    """Refuse to join text with what is none: DuckDB would convert it, Trino does not."""
    parts = node.expressions if isinstance(node, exp.Concat) else [node.this, node.expression]
    kinds = {family(part) for part in parts}
    if "array" not in kinds and kinds - {"", "text"}:
        shown = ", ".join(part.type.sql("athena").lower() if part.type else "unknown" for part in parts)
        message = f"{context.place(node)}Unexpected parameters ({shown}) for function concat"
        raise QueryError("FUNCTION_NOT_FOUND", message)
    return node


def _reverse(node: exp.Expr, context: Context) -> exp.Expr:
    if is_kind(node.this, ARRAY):
        return exp.Anonymous(this="list_reverse", expressions=[node.this.copy()])
    if not is_kind(node.this, TEXT):
        raise NotSupportedError("reverse of what is not known to be text or an array", context.place(node))
    return node


def _day_of_week(node: exp.Expr, context: Context) -> exp.Expr:
    return exp.Anonymous(this="isodow", expressions=[node.this.copy()])


def _with_sql(rule: Callable[..., exp.Expr]) -> Callable[[exp.Expr, Context], exp.Expr]:
    return lambda node, context: rule(node, context.sql)


def _now(node: exp.Expr, context: Context) -> exp.Expr:
    return times.current(node, context.now)


def _plain_lambda(rule: Callable[[exp.Expr], exp.Expr]) -> Callable[[exp.Expr, str], exp.Expr]:
    return lambda node, sql: rule(node)


def _round(node: exp.Expr, context: Context) -> exp.Expr:
    if is_kind(node.this, DECIMAL) and node.args.get("decimals") is not None:
        raise NotSupportedError("round of a decimal to digits (Athena keeps its scale)", context.place(node))
    return node


_NAMED: dict[str, Callable[[exp.Expr, str], exp.Expr]] = {
    "map_agg": lambda node, sql: _map_agg(node),
    "format_datetime": times.format_datetime,
    "every": lambda node, sql: exp.Anonymous(this="bool_and", expressions=[item.copy() for item in node.expressions]),
    **dict.fromkeys(("nan", "infinity"), lambda node, sql: exp.cast(exp.Literal.string(node.name.lower()), "double")),
    "e": lambda node, sql: exp.cast(exp.Literal.string("2.718281828459045"), "double"),
    "is_finite": collection_rules.one("isfinite"),
    "codepoint": lambda node, sql: exp.cast(call("unicode", node.expressions[0]), "bigint"),
    **{name: _plain_lambda(lambdas.matched(name)) for name in ("any_match", "all_match", "none_match")},
    "zip_with": _plain_lambda(lambdas.zip_with),
    "map_filter": _plain_lambda(lambdas.map_filter),
    "transform_values": _plain_lambda(lambdas.transform_values),
    "array_union": collection_rules.two("athena_array_union"),
    "arrays_overlap": collection_rules.two("athena_arrays_overlap"),
    "map_entries": collection_rules.one("athena_map_entries"),
    "json_size": json_rules.with_path("athena_json_size"),
    "json_array_length": json_rules.of_text("athena_json_array_length"),
    "to_iso8601": times.to_iso8601,
    "millisecond": times.millisecond,
    "yow": lambda node, sql: exp.cast(call("isoyear", node.expressions[0]), "bigint"),
    "with_timezone": times.in_zone,
    "at_timezone": times.in_zone,
}
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_SYMBOLS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}
_RULES: dict[type[exp.Expr], Callable[[exp.Expr, Context], exp.Expr]] = {
    **dict.fromkeys((*_SYMBOLS, exp.NullSafeEQ, exp.NullSafeNEQ), _check_operands),
    exp.Div: _divide,
    exp.Add: _shift,
    exp.Sub: _subtract,
    exp.In: _in,
    exp.Between: _between,
    exp.Avg: _average,
    exp.ApproxDistinct: _approx_distinct,
    exp.ApproxQuantile: _approx_percentile,
    exp.ArgMax: _arg("arg_max_null"),
    exp.ArgMin: _arg("arg_min_null"),
    exp.Substring: _substring,
    exp.SplitPart: _split_part,
    exp.RegexpExtract: _regexp_extract,
    exp.RegexpReplace: _regexp_replace,
    exp.WidthBucket: _width_bucket,
    exp.Bracket: _bracket,
    exp.Anonymous: _by_name,
    exp.Reverse: _reverse,
    exp.Concat: _join_texts,
    exp.DPipe: _join_texts,
    exp.DayOfWeek: _day_of_week,
    exp.DayOfWeekIso: _day_of_week,
    exp.Cast: _with_sql(cast),
    exp.TryCast: _with_sql(cast),
    exp.DateDiff: _with_sql(times.date_diff),
    exp.DateAdd: _with_sql(times.date_add),
    exp.DateTrunc: _with_sql(times.date_trunc),
    exp.TimestampTrunc: _with_sql(times.date_trunc),
    exp.Extract: _with_sql(times.extract),
    exp.UnixToTime: _with_sql(times.from_unixtime),
    exp.AtTimeZone: _with_sql(times.at_time_zone),
    exp.FromISO8601Timestamp: _with_sql(times.from_iso8601),
    exp.TimeToStr: _with_sql(times.strftime_pattern),
    exp.StrToTime: _with_sql(times.strftime_pattern),
    exp.Round: _round,
    exp.Cbrt: _with_sql(collection_rules.one("athena_cbrt")),
    exp.ArrayMax: _with_sql(collection_rules.one("athena_array_max")),
    exp.ArrayMin: _with_sql(collection_rules.one("athena_array_min")),
    exp.ArrayContains: _with_sql(collection_rules.two("athena_contains")),
    exp.ArrayDistinct: _with_sql(collection_rules.one("athena_distinct")),
    exp.ArrayIntersect: _with_sql(collection_rules.two("athena_array_intersect")),
    exp.ArrayExcept: _with_sql(collection_rules.two("athena_array_except")),
    exp.ArrayPosition: _with_sql(collection_rules.two("athena_array_position")),
    exp.ArrayRemove: _with_sql(collection_rules.two("athena_array_remove")),
    exp.ArraySlice: _with_sql(collection_rules.array_slice),
    exp.ArraySize: _with_sql(collection_rules.cardinality),
    exp.Repeat: _with_sql(collection_rules.repeat),
    exp.GenerateSeries: _with_sql(collection_rules.sequence),
    exp.Map: _with_sql(collection_rules.make_map),
    exp.Struct: _with_sql(collection_rules.row),
    exp.Unnest: _with_sql(collection_rules.unnest),
    exp.Reduce: _with_sql(lambdas.reduce),
    exp.JSONExtract: _with_sql(json_rules.with_path("athena_json_extract")),
    exp.JSONExtractScalar: _with_sql(json_rules.with_path("athena_json_extract_scalar")),
    exp.ParseJSON: _with_sql(json_rules.of_text("athena_json_parse")),
    exp.JSONFormat: _with_sql(json_rules.formatted),
    exp.JSONArrayContains: _with_sql(json_rules.contains),
    exp.CurrentDate: _now,
    exp.CurrentTimestamp: _now,
    exp.Localtimestamp: _now,
}
