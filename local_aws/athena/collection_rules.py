"""Arrays, maps and rows as Trino has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from festaf.local_aws.athena.errors import NotSupportedError
from festaf.local_aws.athena.json_rules import call
from festaf.local_aws.athena.kinds import ARRAY, DATE, INTEGER, MAP, is_kind
from festaf.local_aws.athena.place import place_of

if TYPE_CHECKING:
    from collections.abc import Callable


def two(name: str) -> Callable[[exp.Expr, str], exp.Expr]:
    """Give the rule of a function of two arguments that a macro stands for."""

    def rule(node: exp.Expr, sql: str) -> exp.Expr:
        return call(name, *_parts(node))

    return rule


def one(name: str) -> Callable[[exp.Expr, str], exp.Expr]:
    """Give the rule of a function of one argument that a macro stands for."""
    return lambda node, sql: call(name, _parts(node)[0])


def _parts(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Anonymous | exp.ArrayIntersect):
        return list(node.expressions)
    return [part for part in (node.this, node.args.get("expression")) if part is not None]


def note_subscripts(query: exp.Expr) -> None:
    """Note of every subscript whether sqlglot has counted it from 0: it does when it takes the value for an array."""
    for node in query.find_all(exp.Bracket):
        kind = annotate_types(node.this.copy(), dialect="athena").type
        index = annotate_types(node.expressions[0].copy(), dialect="athena").type if node.expressions else None
        array = kind is None or kind.this in (exp.DType.UNKNOWN, exp.DType.ARRAY)
        node.meta["from_zero"] = array and index is not None and index.this in INTEGER


def subscript(node: exp.Expr) -> exp.Expr:
    """Give a subscript as it was written."""
    index = node.expressions[0]
    if not node.meta.get("from_zero") or (isinstance(index, exp.Literal) and index.is_string):
        written: exp.Expr = index.copy()
        return written
    if index.is_int:
        return exp.Literal.number(int(index.name) + 1)
    return exp.Add(this=exp.paren(index.copy()), expression=exp.Literal.number(1))


def cardinality(node: exp.Expr, sql: str) -> exp.Expr:
    """Count the elements of an array or the entries of a map."""
    if is_kind(node.this, MAP):
        return exp.cast(call("cardinality", node.this), "bigint")
    if not is_kind(node.this, ARRAY):
        raise NotSupportedError("cardinality of what is not known to be an array or a map", place_of(node, sql))
    return call("len", node.this)


def array_slice(node: exp.Expr, sql: str) -> exp.Expr:
    """Take a number of elements from a place on; DuckDB takes from a place to a place."""
    return call("athena_slice", node.this, node.args["start"], node.args["end"])


def repeat(node: exp.Expr, sql: str) -> exp.Expr:
    """Make an array of the same value; DuckDB's repeat is of text."""
    return call("athena_repeat", node.this, node.args["times"])


def sequence(node: exp.Expr, sql: str) -> exp.Expr:
    """Count through integers, or days; DuckDB makes timestamps of dates."""
    start, end, step = node.args["start"], node.args["end"], node.args.get("step")
    if is_kind(start, INTEGER) and is_kind(end, INTEGER) and (step is None or is_kind(step, INTEGER)):
        if step is not None:
            return node
        return call("athena_sequence", start, end)
    if is_kind(start, DATE) and is_kind(end, DATE):
        days = step if step is not None else exp.Interval(this=exp.Literal.string("1"), unit=exp.var("DAY"))
        return exp.cast(call("generate_series", start, end, days), "date[]", dialect="duckdb")
    raise NotSupportedError("sequence of these types", place_of(node, sql))


def make_map(node: exp.Expr, sql: str) -> exp.Expr:
    """Make a map of two arrays."""
    if node.args.get("keys") is None:
        return call("map")
    return call("map", node.args["keys"], node.args["values"])


def row(node: exp.Expr, sql: str) -> exp.Expr:
    """Name the fields of a row without names as Athena shows them."""
    if isinstance(node.parent, exp.Cast) or any(not _plain(item) for item in node.expressions):
        return node
    named = [
        exp.PropertyEQ(this=exp.to_identifier(f"field{place}"), expression=item.copy())
        for place, item in enumerate(node.expressions)
    ]
    return exp.Struct(expressions=named)


def _plain(item: exp.Expr) -> bool:
    return not isinstance(item, exp.PropertyEQ | exp.Alias)


def cast_row(node: exp.Cast, sql: str) -> exp.Expr:
    """Give the fields of a row names and types."""
    fields = node.to.expressions
    made = node.this
    if not isinstance(made, exp.Struct) or len(made.expressions) != len(fields):
        raise NotSupportedError("a cast to row of what is not written as row(...)", place_of(node, sql))
    named = []
    for item, field in zip(made.expressions, fields, strict=True):
        if not isinstance(field, exp.ColumnDef) or field.args["kind"].this in (exp.DType.STRUCT, exp.DType.ARRAY):
            raise NotSupportedError(f"a cast to {node.to.sql('athena').lower()}", place_of(node, sql))
        value = item.expression if isinstance(item, exp.PropertyEQ) else item
        value = exp.Cast(this=value.copy(), to=field.args["kind"].copy())
        named.append((exp.to_identifier(field.name), value))
    return exp.Struct(expressions=[exp.PropertyEQ(this=name, expression=value) for name, value in named])


def unnest(node: exp.Expr, sql: str) -> exp.Expr:
    """Give several arrays, a map's entries or a numbering beside each other, padded with nulls, as Trino does."""
    offset, arrays = node.args.get("offset") or None, node.expressions
    if offset is None and len(arrays) == 1 and not is_kind(arrays[0], MAP):
        return node
    alias = node.args.get("alias")
    parts: list[exp.Expr] = []
    for array in arrays:
        if is_kind(array, MAP):
            parts += [call("map_keys", array), call("map_values", array)]
        elif is_kind(array, ARRAY):
            parts.append(array.copy())
        else:
            raise NotSupportedError("unnest of what is not known to be an array or a map", place_of(node, sql))
    if offset is not None:
        lengths = [exp.func("coalesce", call("len", part), exp.Literal.number(0)) for part in parts]
        most = exp.Anonymous(this="greatest", expressions=lengths) if len(lengths) > 1 else lengths[0]
        parts.append(call("range", exp.Literal.number(1), exp.Add(this=most, expression=exp.Literal.number(1))))
    names = [column.name for column in alias.args.get("columns") or ()] if alias is not None else []
    if offset is not None and isinstance(offset, exp.Identifier):
        names.append(offset.name)
    if len(names) != len(parts):
        raise NotSupportedError("unnest without a name for every column", place_of(node, sql))
    items = [exp.alias_(call("unnest", part), name, quoted=True) for part, name in zip(parts, names, strict=True)]
    table = exp.TableAlias(this=exp.to_identifier(alias.name, quoted=True)) if alias is not None else None
    return exp.Lateral(this=exp.Subquery(this=exp.Select(expressions=items)), alias=table)
