"""Call the built-in functions that make and walk over collections."""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import islice, product

from festaf.sharing.reading.bounds import MAXIMUM_ITEMS
from festaf.sharing.reading.evaluator.items import iterate
from festaf.sharing.reading.evaluator.operations import PLAIN
from festaf.sharing.reading.machine import Machine, truth
from festaf.sharing.reading.scope import Scope
from festaf.sharing.reading.values import Arguments, Dict, List, Set, Unknown

Standard = Callable[[Machine, Arguments, ast.AST, Scope], object]


def _range(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if arguments.gap is None and all(isinstance(item, int) for item in arguments.positional):
        try:
            made = range(*(item for item in arguments.positional if isinstance(item, int)))
            len(made)
        except (TypeError, ValueError, OverflowError):
            return machine.unknown("A range is not known", node, scope)
        return made
    return machine.unknown("A range is not known", node, scope)


def _len(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    value = arguments.get("obj", 0)
    if isinstance(value, List | Dict | Set | tuple | str | range) and getattr(value, "gap", None) is None:
        return len(value)
    return machine.unknown("A length is not known", node, scope)


def _list(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if not arguments.positional:
        return List(born=machine.doubt)
    items, gap = iterate(machine, arguments.positional[0], node, scope)
    machine.budget.make(len(items))
    return List(items, machine.doubt, gap)


def _tuple(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if not arguments.positional:
        return ()
    items, gap = iterate(machine, arguments.positional[0], node, scope)
    return gap if gap is not None else tuple(items)


def _set(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    items, gap = iterate(machine, arguments.positional[0], node, scope) if arguments.positional else ([], None)
    known = [item for item in items if not isinstance(item, Unknown | list | dict)]
    if len(known) < len(items):
        gap = gap or machine.unknown("A set holds a value that is not known", node, scope)
    return Set(known, machine.doubt, gap)


def _dict(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    made = Dict(born=machine.doubt, gap=arguments.gap)
    if arguments.positional:
        given = arguments.positional[0]
        if isinstance(given, Dict):
            made.update(given)
            made.gap = made.gap or given.gap
        else:
            pairs, gap = iterate(machine, given, node, scope)
            for pair in pairs:
                if isinstance(pair, tuple | List) and len(pair) == 2 and not isinstance(pair[0], Unknown | list | dict):
                    made[pair[0]] = pair[1]
                else:
                    gap = gap or machine.unknown("A dict's items are not known", node, scope)
            made.gap = made.gap or gap
    made.update(arguments.keywords)
    return made


def _sorted(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    items, gap = iterate(machine, arguments.get("iterable", 0), node, scope)
    reverse = truth(arguments.keywords.get("reverse", False))
    alike = all(isinstance(item, str) for item in items) or all(isinstance(item, int | float) for item in items)
    if alike and "key" not in arguments.keywords and reverse is not None:
        return List(sorted(items, reverse=reverse), machine.doubt, gap)  # type: ignore[type-var]
    if len(items) > 1:
        gap = gap or machine.unknown("The order of a list is not known", node, scope)
    return List(items, machine.doubt, gap)


def _enumerate(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    items, gap = iterate(machine, arguments.get("iterable", 0), node, scope)
    start = arguments.get("start", 1, 0)
    if not isinstance(start, int):
        return machine.unknown("Where counting starts is not known", node, scope)
    machine.budget.make(len(items))
    return List(list(enumerate(items, start)), machine.doubt, gap)


def _zip(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    columns = [iterate(machine, value, node, scope) for value in arguments.positional]
    gap = arguments.gap or next((gap for _, gap in columns if gap is not None), None)
    rows: list[object] = list(zip(*(items for items, _ in columns), strict=False))
    machine.budget.make(len(rows))
    return List(rows, machine.doubt, gap)


def _map(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    function, *values = arguments.positional or [None]
    columns = [iterate(machine, value, node, scope) for value in values]
    gap = arguments.gap or next((gap for _, gap in columns if gap is not None), None)
    made = List(born=machine.doubt, gap=gap)
    for row in zip(*(items for items, _ in columns), strict=False):
        made.append(machine.call(function, Arguments(list(row)), node, scope))
    return made


def _filter(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    items, gap = iterate(machine, arguments.get("iterable", 1), node, scope)
    function = arguments.get("function", 0)
    made = List(born=machine.doubt, gap=gap)
    for item in items:
        value = item if function is None else machine.call(function, Arguments([item]), node, scope)
        decided = truth(value)
        if decided:
            made.append(item)
        elif decided is None:
            made.gap = made.gap or machine.unknown("A condition is not known", node, scope)
    return made


def _reversed(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    items, gap = iterate(machine, arguments.get("sequence", 0), node, scope)
    return List(items[::-1], machine.doubt, gap)


def _any_all(wanted: bool) -> Standard:
    def decide(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
        items, gap = iterate(machine, arguments.get("iterable", 0), node, scope)
        undecided = gap is not None
        for item in items:
            decided = truth(item)
            if decided is wanted:
                return wanted
            undecided = undecided or decided is None
        return machine.unknown("A condition is not known", node, scope) if undecided else not wanted

    return decide


def _extreme(choose: Callable[..., object]) -> Standard:
    def extreme(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
        if len(arguments.positional) == 1:
            items, gap = iterate(machine, arguments.positional[0], node, scope)
        else:
            items, gap = arguments.positional, arguments.gap
        if gap is None and items and not arguments.keywords and all(isinstance(item, PLAIN) for item in items):
            try:
                return choose(items)
            except TypeError:
                pass
        return machine.unknown("A number is not known", node, scope)

    return extreme


def _product(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    columns = [iterate(machine, value, node, scope) for value in arguments.positional]
    gap = next((gap for _, gap in columns if gap is not None), None)
    rows = list(islice(product(*(items for items, _ in columns)), MAXIMUM_ITEMS))
    machine.budget.make(len(rows))
    return List(rows, machine.doubt, gap)


def _chain(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    made = List(born=machine.doubt, gap=arguments.gap)
    for value in arguments.positional:
        items, gap = iterate(machine, value, node, scope)
        made.extend(items)
        made.gap = made.gap or gap
    return made


def _sum(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    items, gap = iterate(machine, arguments.get("iterable", 0), node, scope)
    if gap is None and all(isinstance(item, int | float) for item in items):
        return sum(item for item in items if isinstance(item, int | float))
    if gap is None and all(isinstance(item, List) for item in items) and len(arguments.positional) == 2:
        return _chain(machine, Arguments(items), node, scope)
    return machine.unknown("A sum is not known", node, scope)


SEQUENCES: dict[str, Standard] = {
    "builtins.range": _range,
    "builtins.len": _len,
    "builtins.list": _list,
    "builtins.tuple": _tuple,
    "builtins.iter": _list,
    "builtins.set": _set,
    "builtins.frozenset": _set,
    "builtins.dict": _dict,
    "builtins.sorted": _sorted,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.map": _map,
    "builtins.filter": _filter,
    "builtins.reversed": _reversed,
    "builtins.any": _any_all(True),
    "builtins.all": _any_all(False),
    "builtins.min": _extreme(min),
    "builtins.max": _extreme(max),
    "builtins.sum": _sum,
    "collections.OrderedDict": _dict,
    "itertools.product": _product,
    "itertools.chain": _chain,
}
