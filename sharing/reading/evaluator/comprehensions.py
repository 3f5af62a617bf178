"""Evaluate list, set and dict comprehensions, and generators as if they were lists."""

from __future__ import annotations

import ast
from collections.abc import Callable

from festaf.sharing.reading.bounds import MAXIMUM_ITEMS, ExhaustedError
from festaf.sharing.reading.evaluator.items import iterate
from festaf.sharing.reading.evaluator.targets import assign
from festaf.sharing.reading.machine import Evaluate, Machine, truth
from festaf.sharing.reading.scope import Scope
from festaf.sharing.reading.values import Dict, List, Set, Unknown

Collect = Callable[[Scope], None]


def _walk(machine: Machine, generators: list[ast.comprehension], scope: Scope, collect: Collect) -> Unknown | None:
    """Run the loops of a comprehension; give the gap that what is not known leaves."""
    if not generators:
        collect(scope)
        return None
    first, rest = generators[0], generators[1:]
    items, gap = iterate(machine, machine.evaluate(first.iter, scope), first.iter, scope)
    for item in items:
        machine.budget.step()
        inner = Scope("comprehension", scope, scope.path)
        assign(machine, first.target, item, inner)
        passes, condition_gap = _passes(machine, first.ifs, inner)
        gap = gap or condition_gap
        if passes:
            gap = _walk(machine, rest, inner, collect) or gap
    return gap


def _passes(machine: Machine, conditions: list[ast.expr], scope: Scope) -> tuple[bool, Unknown | None]:
    for condition in conditions:
        value = machine.evaluate(condition, scope)
        decided = truth(value)
        if decided is None:
            return False, machine.unknown("A condition in a comprehension is not known", condition, scope)
        if not decided:
            return False, None
    return True, None


def list_comprehension(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Make the list of a comprehension or a generator."""
    assert isinstance(node, ast.ListComp | ast.GeneratorExp)
    made = List(born=machine.doubt)

    def collect(inner: Scope) -> None:
        made.append(machine.evaluate(node.elt, inner))
        _check(len(made))

    made.gap = _walk(machine, node.generators, Scope("comprehension", scope, scope.path), collect)
    _evaluate_once(machine, node.elt, node.generators, made.gap, scope)
    return made


def set_comprehension(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Make the set of a comprehension."""
    assert isinstance(node, ast.SetComp)
    made = Set(born=machine.doubt)

    def collect(inner: Scope) -> None:
        value = machine.evaluate(node.elt, inner)
        if isinstance(value, Unknown | list | dict):
            made.gap = made.gap or machine.unknown("A set holds a value that is not known", node, scope)
        else:
            made[value] = None
        _check(len(made))

    gap = _walk(machine, node.generators, Scope("comprehension", scope, scope.path), collect)
    made.gap = made.gap or gap
    return made


def dict_comprehension(machine: Machine, node: ast.expr, scope: Scope) -> object:
    """Make the dict of a comprehension."""
    assert isinstance(node, ast.DictComp)
    made = Dict(born=machine.doubt)

    def collect(inner: Scope) -> None:
        key = machine.evaluate(node.key, inner)
        value = machine.evaluate(node.value, inner)
        if isinstance(key, Unknown | list | dict):
            made.gap = made.gap or machine.unknown("A dict has a key that is not known", node, scope)
        else:
            made[key] = value
        _check(len(made))

    gap = _walk(machine, node.generators, Scope("comprehension", scope, scope.path), collect)
    made.gap = made.gap or gap
    _evaluate_once(machine, node.value, node.generators, gap, scope)
    return made


def _evaluate_once(
    machine: Machine, element: ast.expr, generators: list[ast.comprehension], gap: Unknown | None, scope: Scope
) -> None:
    """Evaluate the element for an item that is not known: it may make tasks, which are then told as undecided."""
    if gap is None:
        return
    inner = Scope("comprehension", scope, scope.path)
    for generator in generators:
        assign(machine, generator.target, gap, inner)
    with machine.doubting(gap.reason, gap.place):
        machine.evaluate(element, inner)


def _check(size: int) -> None:
    if size > MAXIMUM_ITEMS:
        raise ExhaustedError(f"A comprehension makes more than {MAXIMUM_ITEMS} items")


COMPREHENSIONS: dict[type[ast.AST], Evaluate] = {
    ast.ListComp: list_comprehension,
    ast.GeneratorExp: list_comprehension,
    ast.SetComp: set_comprehension,
    ast.DictComp: dict_comprehension,
}
