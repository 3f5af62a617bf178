"""Functions that take a function: ``transform(a, x -> x + 1)`` and its kin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from festaf.local_aws.athena.errors import NotSupportedError
from festaf.local_aws.athena.json_rules import call
from festaf.local_aws.athena.kinds import INTEGER, MAP, is_kind
from festaf.local_aws.athena.place import place_of
from festaf.local_aws.athena.result_types import element, known

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.local_aws.athena.result_types import Typed

_OF_ARRAY = ("any_match", "all_match", "none_match")
_OF_MAP = ("map_filter", "transform_values")
DEPTH = 8
"""How deep lambdas may stand in each other."""


def type_lambdas(query: exp.Query, sql: str, annotate: Callable[[exp.Query], exp.Query]) -> exp.Query:
    """Work out the types, and give every use of a lambda's parameter the type that it has.

    :raises NotSupportedError: the type of an array or map is not known
    """
    typed: set[int] = set()
    for _ in range(DEPTH):
        query = annotate(query)
        new = [one for one in _untyped(query) if id(one) not in typed]
        for one in new:
            if _give_types(one) if isinstance(one, exp.Lambda) else _give_column_types(one):
                typed.add(id(one))
        if all(id(one) not in typed for one in new):
            break
    for one in _untyped(query):
        if id(one) not in typed:
            what = "a lambda over" if isinstance(one, exp.Lambda) else "unnest of"
            raise NotSupportedError(f"{what} values whose type is not known here", place_of(one, sql))
    return query


def _untyped(query: exp.Query) -> list[exp.Expr]:
    """Give the lambdas, and the unnests of whose columns sqlglot does not know the types."""
    unnests = (one for one in query.find_all(exp.Unnest) if one.args.get("offset") or len(one.expressions) > 1)
    maps = (one for one in query.find_all(exp.Unnest) if len(one.expressions) == 1 and is_kind(one.expressions[0], MAP))
    return [*query.find_all(exp.Lambda), *unnests, *maps]


def _give_column_types(unnest: exp.Expr) -> bool:
    """Give every use of an unnest's columns the type that it has."""
    kinds: list[Typed] = []
    for value in unnest.expressions:
        kinds += [element(value), element(value, 1)] if is_kind(value, MAP) else [element(value)]
    alias, select = unnest.args.get("alias"), unnest.find_ancestor(exp.Select)
    if alias is None or select is None or not all(map(known, kinds)):
        return False
    names = [column.name for column in alias.args.get("columns") or ()]
    offset = unnest.args.get("offset")
    if isinstance(offset, exp.Identifier):
        names.append(offset.name)
        kinds.append(exp.DataType(this=exp.DType.BIGINT))
    if len(names) != len(kinds) or any(kind is not None and kind.this == exp.DType.DECIMAL for kind in kinds):
        return False
    told = dict(zip(names, kinds, strict=True))
    for column in list(select.find_all(exp.Column)):
        if column.table == alias.name and (kind := told.get(column.name)) is not None:
            made = exp.Cast(this=column.copy(), to=kind.copy())
            made.meta["parameter"] = True
            column.replace(made)
    return True


def is_parameter(node: exp.Cast) -> bool:
    """Say whether a cast only tells the type of a lambda's parameter."""
    return bool(node.meta.get("parameter"))


def matched(name: str) -> Callable[[exp.Expr], exp.Expr]:
    """Give the rule of any_match and its kin."""

    def rule(node: exp.Expr) -> exp.Expr:
        array, test = node.expressions
        return call(f"athena_{name}", exp.Anonymous(this="list_transform", expressions=[array.copy(), test.copy()]))

    return rule


def zip_with(node: exp.Expr) -> exp.Expr:
    """Pair the elements, and put a pair's halves in the place of the two parameters."""
    left, right, function = node.expressions
    pair = exp.Anonymous(this="list_zip", expressions=[left.copy(), right.copy()])
    return _over("list_transform", pair, function, lambda function: function.this)


def map_filter(node: exp.Expr) -> exp.Expr:
    """Filter the entries of a map."""
    value, function = node.expressions
    kept = _over("list_filter", call("map_entries", value), function, lambda function: function.this)
    return call("map_from_entries", kept)


def transform_values(node: exp.Expr) -> exp.Expr:
    """Change the values of a map."""
    value, function = node.expressions

    def pair(function: exp.Lambda) -> exp.Expr:
        return call("row", _part("athena_entry", 1), function.this)

    return call("map_from_entries", _over("list_transform", call("map_entries", value), function, pair))


def reduce(node: exp.Expr, sql: str) -> exp.Expr:
    """Reduce an array to a value of its elements' type; DuckDB knows no other."""
    start, item = node.args["initial"], element(node.this)
    if item is None or not _same_types(node):
        raise NotSupportedError("reduce to another type than that of the array's elements", place_of(node, sql))
    made = call("list_reduce", node.this, node.args["merge"], exp.cast(start.copy(), item.copy()))
    finish = node.args.get("finish")
    if not isinstance(finish, exp.Lambda):
        raise NotSupportedError("reduce without an output function", place_of(node, sql))
    copied = finish.copy()
    return _substitute(copied.this, {copied.expressions[0].name: made})


def _same_types(node: exp.Expr) -> bool:
    """Say whether reduce begins with a value of the type of the elements."""
    start, item = node.args["initial"], element(node.this)
    if start.type is None or item is None:
        return False
    return bool(start.type.this == item.this or {start.type.this, item.this} <= INTEGER)


def _over(name: str, array: exp.Expr, function: exp.Expr, body: Callable[[exp.Lambda], exp.Expr]) -> exp.Expr:
    """Call a function of DuckDB whose lambda gets an entry of two parts."""
    copied = function.copy()
    assert isinstance(copied, exp.Lambda)
    parts = {parameter.name: _part("athena_entry", place) for place, parameter in enumerate(copied.expressions, 1)}
    copied.set("this", _substitute(copied.this, parts))
    made = exp.Lambda(this=body(copied).copy(), expressions=[exp.to_identifier("athena_entry")])
    return exp.Anonymous(this=name, expressions=[array.copy(), made])


def _part(name: str, place: int) -> exp.Expr:
    return call("struct_extract_at", exp.to_identifier(name), exp.Literal.number(place))


def _substitute(body: exp.Expr, values: dict[str, exp.Expr]) -> exp.Expr:
    """Put values in the places of parameters."""
    holder = exp.paren(body.copy())
    for node in list(holder.find_all(exp.Identifier)):
        if node.name in values and not isinstance(node.parent, exp.Column):
            node.replace(values[node.name].copy())
    return holder


def _give_types(function: exp.Lambda) -> bool:
    kinds = _parameters(function)
    if not kinds or not all(map(known, kinds)):
        return False
    names = {parameter.name: kind for parameter, kind in zip(function.expressions, kinds, strict=False)}
    for node in list(function.this.find_all(exp.Identifier)):
        kind = names.get(node.name)
        if kind is None or isinstance(node.parent, exp.Column) or _is_definition(node):
            continue
        if kind.this == exp.DType.DECIMAL:
            return False
        told = exp.Cast(this=exp.to_identifier(node.name, quoted=True), to=kind.copy())
        told.meta["parameter"] = True
        node.replace(told)
    return True


def _is_definition(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.Lambda) and node.arg_key == "expressions"


def _parameters(function: exp.Lambda) -> list[Typed]:
    """Give the types of a lambda's parameters."""
    owner = function.parent
    if isinstance(owner, exp.Transform | exp.ArrayFilter):
        return [element(owner.this)]
    if isinstance(owner, exp.Reduce) and _same_types(owner):
        return [element(owner.this)] * len(function.expressions)
    if isinstance(owner, exp.Anonymous):
        name = owner.name.lower()
        if name in _OF_ARRAY:
            return [element(owner.expressions[0])]
        if name in _OF_MAP:
            return [element(owner.expressions[0]), element(owner.expressions[0], 1)]
        if name == "zip_with":
            return [element(owner.expressions[0]), element(owner.expressions[1])]
    return []
