"""Casts as Trino does them: it rounds halves up, reads text strictly, and writes times with milliseconds."""

from __future__ import annotations

from sqlglot import exp

from festaf.local_aws.athena import json_rules
from festaf.local_aws.athena.collection_rules import cast_row
from festaf.local_aws.athena.errors import NotSupportedError
from festaf.local_aws.athena.kinds import (
    DATE,
    DECIMAL,
    INTEGER,
    PLAIN_TIMESTAMP,
    REAL,
    TEMPORAL,
    TEXT,
    ZONED_TIMESTAMP,
    is_kind,
)
from festaf.local_aws.athena.lambdas import is_parameter
from festaf.local_aws.athena.place import place_of

MILLISECONDS = "%Y-%m-%d %H:%M:%S.%g"


def cast(node: exp.Cast, sql: str) -> exp.Expr:
    """Give a cast, or a try_cast, that does what Trino's does.

    :raises NotSupportedError: Trino's way of writing the value is not known for sure
    """
    target = node.to.this
    if is_parameter(node):
        return node
    if is_kind(node.this, json_rules.JSON):
        return json_rules.cast(node, sql)
    if target == exp.DType.STRUCT:
        return cast_row(node, sql)
    if isinstance(node.this, exp.Null):
        return node
    if node.this.type is None or node.this.type.this == exp.DataType.Type.UNKNOWN:
        if target in INTEGER or target in TEXT:
            raise NotSupportedError("a cast of a value whose type is not known here", place_of(node, sql))
        return node
    if is_kind(node.this, TEXT):
        return _from_text(node)
    if target in INTEGER and is_kind(node.this, REAL | DECIMAL):
        rounded = exp.Round(this=node.this.copy())
        return type(node)(this=rounded, to=node.to.copy())
    if target in TEXT:
        return _to_text(node, sql)
    return node


def _from_text(node: exp.Cast) -> exp.Expr:
    """Read text only if Trino would: DuckDB takes '1.5' for 2 and '2013-01-01T00:00:00Z' for a timestamp."""
    target = node.to.this
    if target in TEXT:
        return _shortened(node.this.copy(), node.to)
    check = (
        "athena_is_number"
        if target in INTEGER
        else "athena_is_date"
        if target in DATE
        else "athena_is_moment"
        if target in TEMPORAL
        else None
    )
    if check is None:
        return node
    if isinstance(node.this, exp.Literal) and target in TEMPORAL:
        return node if node.args.get("literal") else _checked(node, check)
    return _checked(node, check)


def _checked(node: exp.Cast, check: str) -> exp.Expr:
    text = node.this
    good = exp.Anonymous(this=check, expressions=[text.copy()])
    bad: exp.Expr = exp.Null()
    if not isinstance(node, exp.TryCast):
        kind = exp.Literal.string(node.to.sql("athena").lower())
        sample = exp.Cast(this=exp.Null(), to=node.to.copy())
        bad = exp.Anonymous(this="athena_bad_cast", expressions=[text.copy(), kind, sample])
    plain = type(node)(this=text.copy(), to=node.to.copy())
    nothing = exp.Is(this=text.copy(), expression=exp.Null())
    return exp.Case(ifs=[exp.If(this=nothing, true=exp.Null()), exp.If(this=good, true=plain)], default=bad)


def _to_text(node: exp.Cast, sql: str) -> exp.Expr:
    value = node.this.copy()
    if is_kind(node.this, frozenset({exp.DType.FLOAT})):
        raise NotSupportedError("a cast of a real to varchar", place_of(node, sql))
    if is_kind(node.this, REAL):
        return _fitting(exp.Anonymous(this="athena_double_text", expressions=[value]), node.to)
    if is_kind(node.this, PLAIN_TIMESTAMP | ZONED_TIMESTAMP):
        suffix = " UTC" if is_kind(node.this, ZONED_TIMESTAMP) else ""
        form = exp.Literal.string(MILLISECONDS + suffix)
        return _fitting(exp.Anonymous(this="strftime", expressions=[value, form]), node.to)
    return _fitting(exp.cast(value, "text"), node.to)


def _fitting(text: exp.Expr, target: exp.DataType) -> exp.Expr:
    """Fail when the text is longer than varchar(n): Trino cuts text alone."""
    if not target.expressions:
        return text
    return exp.Anonymous(this="athena_short", expressions=[text, exp.Literal.number(target.expressions[0].name)])


def _shortened(text: exp.Expr, target: exp.DataType) -> exp.Expr:
    """Cut to the length of varchar(n), which DuckDB does not."""
    if not target.expressions:
        return text
    return exp.Anonymous(this="left", expressions=[text, exp.Literal.number(target.expressions[0].name)])
