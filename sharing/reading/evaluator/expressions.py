"""Evaluate expressions."""

from __future__ import annotations

import ast

from festaf.sharing.reading.bounds import MAXIMUM_ITEMS
from festaf.sharing.reading.evaluator.attributes import get_attribute
from festaf.sharing.reading.evaluator.comprehensions import COMPREHENSIONS
from festaf.sharing.reading.evaluator.items import get_item, iterate
from festaf.sharing.reading.evaluator.operations import binary, compare, format_value, unary
from festaf.sharing.reading.evaluator.stdlib import BUILTINS
from festaf.sharing.reading.machine import Evaluate, Machine, truth
from festaf.sharing.reading.scope import Missing, Scope
from festaf.sharing.reading.values import Arguments, Dict, External, Function, List, Set, Tuple, Unknown


def constant(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Give a literal's value."""
    assert isinstance(node, ast.Constant)
    return node.value


def name(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Look a name up, at last among the built-in ones."""
    assert isinstance(node, ast.Name)
    value = scope.look_up(node.id)
    if not isinstance(value, Missing):
        return value
    if node.id in BUILTINS:
        return External(f"builtins.{node.id}")
    star = scope.module.names.get("*")
    if isinstance(star, Unknown):
        return Unknown(star.reason, machine.place(node, scope))
    return machine.unknown(f"The name {node.id} is not defined in what was read", node, scope)


def attribute(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Give an attribute of a value."""
    assert isinstance(node, ast.Attribute)
    return get_attribute(machine, machine.evaluate(node.value, scope), node.attr, node, scope)


def subscript(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Give an item or a slice of a value."""
    assert isinstance(node, ast.Subscript)
    value = machine.evaluate(node.value, scope)
    return get_item(machine, value, machine.evaluate(node.slice, scope), node, scope)


def slice_(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Make a slice."""
    assert isinstance(node, ast.Slice)
    parts = [
        machine.evaluate(part, scope) if part is not None else None for part in (node.lower, node.upper, node.step)
    ]
    if all(part is None or isinstance(part, int) for part in parts):
        return slice(*parts)
    return machine.unknown("The bounds of a slice are not known", node, scope)


def elements(machine: Machine, nodes: list[ast.expr], scope: Scope) -> tuple[list[object], Unknown | None]:
    """Evaluate the elements of a display, with ``*`` unpacked."""
    items: list[object] = []
    gap: Unknown | None = None
    for node in nodes:
        if not isinstance(node, ast.Starred):
            items.append(machine.evaluate(node, scope))
            continue
        inner, inner_gap = iterate(machine, machine.evaluate(node.value, scope), node, scope)
        items.extend(inner)
        gap = gap or inner_gap
        if len(items) > MAXIMUM_ITEMS:
            return items[:MAXIMUM_ITEMS], machine.unknown("A list is larger than what is read", node, scope)
    machine.budget.make(len(items))
    return items, gap


def list_(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Make a list."""
    assert isinstance(node, ast.List)
    items, gap = elements(machine, node.elts, scope)
    return List(items, machine.doubt, gap)


def tuple_(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Make a tuple."""
    assert isinstance(node, ast.Tuple)
    items, gap = elements(machine, node.elts, scope)
    if gap is None:
        return tuple(items)
    made = Tuple(items)
    made.gap = gap
    return made


def set_(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Make a set."""
    assert isinstance(node, ast.Set)
    items, gap = elements(machine, node.elts, scope)
    known = [item for item in items if hashable(item)]
    if len(known) < len(items):
        gap = gap or machine.unknown("A set holds a value that is not known", node, scope)
    return Set(known, machine.doubt, gap)


def hashable(value: object) -> bool:
    """Say whether a value can be a key that is compared by what it says."""
    if isinstance(value, tuple):
        return all(hashable(item) for item in value)
    return not isinstance(value, Unknown | list | dict)


def dict_(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Make a dict, with ``**`` unpacked."""
    assert isinstance(node, ast.Dict)
    made = Dict(born=machine.doubt)
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = machine.evaluate(value_node, scope)
        if key_node is None:
            if isinstance(value, Dict):
                made.update(value)
                made.gap = made.gap or value.gap
            else:
                made.gap = made.gap or machine.unknown("A dict that is unpacked here is not known", node, scope)
            continue
        key = machine.evaluate(key_node, scope)
        if hashable(key):
            made[key] = value
        else:
            made.gap = made.gap or machine.unknown("A dict has a key that is not known", key_node, scope)
    machine.budget.make(len(made))
    return made


def joined(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Make the text of an f-string."""
    assert isinstance(node, ast.JoinedStr)
    parts: list[str] = []
    for part in node.values:
        value = machine.evaluate(part, scope)
        if isinstance(value, Unknown):
            return value
        parts.append(str(value))
    text = "".join(parts)
    machine.budget.make(len(text))
    return text


def formatted(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Make the text of a value in an f-string."""
    assert isinstance(node, ast.FormattedValue)
    value = machine.evaluate(node.value, scope)
    specification = machine.evaluate(node.format_spec, scope) if node.format_spec is not None else ""
    conversion = chr(node.conversion) if node.conversion > 0 else ""
    return format_value(machine, value, conversion, specification, node, scope)


def unary_(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Apply ``-``, ``+``, ``~`` or ``not``."""
    assert isinstance(node, ast.UnaryOp)
    value = machine.evaluate(node.operand, scope)
    if isinstance(node.op, ast.Not):
        decided = truth(value)
        return machine.unknown("A condition is not known", node, scope) if decided is None else not decided
    return unary(machine, node.op, value, node, scope)


def binary_(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Apply an operator to two values; a long chain of one operator is walked without going deeper."""
    assert isinstance(node, ast.BinOp)
    chain = [node]
    while isinstance(chain[-1].left, ast.BinOp):
        chain.append(chain[-1].left)
    value = machine.evaluate(chain[-1].left, scope)
    for link in reversed(chain):
        machine.budget.step()
        value = binary(machine, link.op, value, machine.evaluate(link.right, scope), link, scope)
    return value


def boolean(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Apply ``and`` or ``or``."""
    assert isinstance(node, ast.BoolOp)
    wanted = isinstance(node.op, ast.Or)
    value: object = None
    for part in node.values:
        value = machine.evaluate(part, scope)
        decided = truth(value)
        if decided is None:
            reason = value.reason if isinstance(value, Unknown) else "A condition is not known"
            return machine.unknown(reason, part, scope)
        if decided is wanted:
            return value
    return value


def compare_(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Compare values."""
    assert isinstance(node, ast.Compare)
    left = machine.evaluate(node.left, scope)
    result: object = True
    for operator, right_node in zip(node.ops, node.comparators, strict=True):
        right = machine.evaluate(right_node, scope)
        result = compare(machine, operator, left, right, node, scope)
        decided = truth(result)
        if decided is not True:
            return result
        left = right
    return result


def conditional(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Choose by a condition; when it is unknown, the value is unless both sides are alike."""
    assert isinstance(node, ast.IfExp)
    test = machine.evaluate(node.test, scope)
    decided = truth(test)
    if decided is not None:
        return machine.evaluate(node.body if decided else node.orelse, scope)
    reason = test.reason if isinstance(test, Unknown) else "A condition is not known"
    place = machine.place(node, scope)
    with machine.doubting(reason, place):
        first = machine.evaluate(node.body, scope)
    with machine.doubting(reason, place):
        second = machine.evaluate(node.orelse, scope)
    if first is second or (type(first) is type(second) and isinstance(first, str | int | float) and first == second):
        return first
    return Unknown(reason, place)


def named(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Assign in an expression."""
    assert isinstance(node, ast.NamedExpr)
    value = machine.evaluate(node.value, scope)
    assert isinstance(node.target, ast.Name)
    scope.function_names().home(node.target.id).names[node.target.id] = value
    return value


def lambda_(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Make a function of one expression."""
    assert isinstance(node, ast.Lambda)
    made = Function("<lambda>", node, scope)
    positional = [*node.args.posonlyargs, *node.args.args]
    for argument, default in zip(
        positional[len(positional) - len(node.args.defaults) :], node.args.defaults, strict=True
    ):
        made.defaults[argument.arg] = machine.evaluate(default, scope)
    return made


def call_(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Call a value with the arguments' values."""
    assert isinstance(node, ast.Call)
    machine.evaluated.add(id(node))
    function = machine.evaluate(node.func, scope)
    arguments = Arguments()
    arguments.positional, arguments.gap = elements(machine, node.args, scope)
    for keyword in node.keywords:
        value = machine.evaluate(keyword.value, scope)
        if keyword.arg is not None:
            arguments.keywords[keyword.arg] = value
        elif isinstance(value, Dict):
            arguments.keywords.update({key: item for key, item in value.items() if isinstance(key, str)})
            arguments.gap = arguments.gap or value.gap
        else:
            arguments.gap = arguments.gap or machine.unknown("Arguments unpacked with ** are not known", node, scope)
    return machine.call(function, arguments, node, scope)


def awaited(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Give up on what only a running loop decides."""
    return machine.unknown("What is awaited is not known", node, scope)


def yielded(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Add to what the generator that runs gives."""
    assert isinstance(node, ast.Yield | ast.YieldFrom)
    value = machine.evaluate(node.value, scope) if node.value is not None else None
    if machine.yields:
        made = machine.yields[-1]
        items, gap = iterate(machine, value, node, scope) if isinstance(node, ast.YieldFrom) else ([value], None)
        machine.budget.make(len(items) + 1)
        made.extend(items)
        made.gap = made.gap or gap or machine.gap_for(made.born)
    return machine.unknown("What is sent to a generator is not known", node, scope)


EXPRESSIONS: dict[type[ast.AST], Evaluate] = {
    ast.Constant: constant,
    ast.Name: name,
    ast.Attribute: attribute,
    ast.Subscript: subscript,
    ast.Slice: slice_,
    ast.List: list_,
    ast.Tuple: tuple_,
    ast.Set: set_,
    ast.Dict: dict_,
    ast.JoinedStr: joined,
    ast.FormattedValue: formatted,
    ast.UnaryOp: unary_,
    ast.BinOp: binary_,
    ast.BoolOp: boolean,
    ast.Compare: compare_,
    ast.IfExp: conditional,
    ast.NamedExpr: named,
    ast.Lambda: lambda_,
    ast.Call: call_,
    ast.Await: awaited,
    ast.Yield: yielded,
    ast.YieldFrom: yielded,
    **COMPREHENSIONS,
}
