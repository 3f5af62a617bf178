"""The JSON functions as calls of those in ``python_functions``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlglot import exp

from festaf.local_aws.athena.errors import NotSupportedError
from festaf.local_aws.athena.kinds import TEXT, is_kind
from festaf.local_aws.athena.place import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = Callable[[exp.Expr, str], exp.Expr]

JSON = frozenset({exp.DType.JSON})
_TARGETS = {
    exp.DType.BIGINT: "bigint",
    exp.DType.DOUBLE: "double",
    exp.DType.BOOLEAN: "boolean",
    exp.DType.VARCHAR: "varchar",
    exp.DType.TEXT: "varchar",
}


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """Call a function of DuckDB by its name."""
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def with_path(name: str) -> Rule:
    """Give the rule of a function with a text and a path."""

    def rule(node: exp.Expr, sql: str) -> exp.Expr:
        text, path = _arguments(node)
        return call(name, _checked(text, node, sql), exp.Literal.string(json.dumps(_steps(path, node, sql))))

    return rule


def of_text(name: str) -> Rule:
    """Give the rule of a function with a text alone."""

    def rule(node: exp.Expr, sql: str) -> exp.Expr:
        text = node.expressions[0] if isinstance(node, exp.Anonymous) else node.this
        return call(name, _checked(text, node, sql))

    return rule


def contains(node: exp.Expr, sql: str) -> exp.Expr:
    """Compare with a literal alone: what of a computed value is JSON depends on its type."""
    wanted = node.expression
    if not isinstance(wanted, exp.Literal | exp.Boolean):
        raise NotSupportedError("json_array_contains of what is no literal", place_of(node, sql))
    text = json.dumps(wanted.name) if wanted.args.get("is_string") else wanted.sql("athena").lower()
    return call("athena_json_array_contains", _checked(node.this, node, sql), exp.Literal.string(text))


def formatted(node: exp.Expr, sql: str) -> exp.Expr:
    """Give the text of JSON, which it is already."""
    if not is_kind(node.this, JSON):
        raise NotSupportedError("json_format of what is not known to be JSON", place_of(node, sql))
    text: exp.Expr = node.this.copy()
    return text


def cast(node: exp.Cast, sql: str) -> exp.Expr:
    """Cast JSON to a scalar, an array or a map of scalars."""
    target, suffix = node.to, ""
    if target.this == exp.DType.ARRAY:
        target, suffix = target.expressions[0], "_list"
    elif target.this == exp.DType.MAP and target.expressions[0].this in (exp.DType.VARCHAR, exp.DType.TEXT):
        target, suffix = target.expressions[1], "_map"
    name = _TARGETS.get(target.this)
    if name is None or target.expressions:
        raise NotSupportedError(f"a cast of JSON to {node.to.sql('athena').lower()}", place_of(node, sql))
    made = call(f"athena_json_to_{name}{suffix}", node.this)
    return exp.Try(this=made) if isinstance(node, exp.TryCast) else made


def _arguments(node: exp.Expr) -> tuple[exp.Expr, exp.Expr | None]:
    if isinstance(node, exp.Anonymous):
        return node.expressions[0], node.expressions[1] if len(node.expressions) > 1 else None
    return node.this, node.expression


def _checked(text: exp.Expr, node: exp.Expr, sql: str) -> exp.Expr:
    if not is_kind(text, TEXT | JSON):
        raise NotSupportedError("a JSON function of what is not known to be varchar or JSON", place_of(node, sql))
    return text


def _steps(path: exp.Expr | None, node: exp.Expr, sql: str) -> list[str | int]:
    """Read a path of keys and indexes, which is all that is known to mean the same."""
    if isinstance(path, exp.Literal):
        import sqlglot

        parsed = sqlglot.parse_one(f"json_extract(x, {path.sql('athena')})", read="athena").expression
        path = parsed if isinstance(parsed, exp.JSONPath) else None
    steps: list[str | int] = []
    for part in path.expressions if isinstance(path, exp.JSONPath) else [None]:
        if isinstance(part, exp.JSONPathRoot):
            continue
        step = part.this if isinstance(part, exp.JSONPathKey | exp.JSONPathSubscript) else None
        if not isinstance(step, str | int):
            raise NotSupportedError("this JSON path", place_of(node, sql))
        steps.append(step)
    return steps
