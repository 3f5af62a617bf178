"""Run loops over what is known; over what is not, the body runs once under a doubt."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from festaf.sharing.reading.evaluator.items import iterate
from festaf.sharing.reading.evaluator.operations import same_value
from festaf.sharing.reading.evaluator.targets import assign
from festaf.sharing.reading.machine import Machine, RaisedError, Signal, truth
from festaf.sharing.reading.values import Unknown

if TYPE_CHECKING:
    from festaf.sharing.reading.scope import Scope

ROUNDS = 5_000


def for_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Run a ``for`` loop."""
    assert isinstance(node, ast.For | ast.AsyncFor)
    items, gap = iterate(machine, machine.evaluate(node.iter, scope), node.iter, scope)
    depth = len(machine.doubts)
    broken = False
    for item in items:
        machine.budget.step()
        assign(machine, node.target, item, scope)
        signal = machine.run(node.body, scope)
        if signal is not None and signal.kind == "return":
            return signal
        if signal is not None and signal.kind == "break":
            broken = True
            break
    del machine.doubts[depth:]
    if gap is not None and not broken:
        assign(machine, node.target, gap, scope)
        _once(machine, node.body, gap, scope)
    return None if broken else machine.run(node.orelse, scope)


def while_(machine: Machine, node: ast.stmt, scope: Scope) -> Signal | None:
    """Run a ``while`` loop as long as its condition is known, for some rounds."""
    assert isinstance(node, ast.While)
    depth = len(machine.doubts)
    for _ in range(ROUNDS):
        machine.budget.step()
        decided = truth(machine.evaluate(node.test, scope))
        if decided is None:
            _once(machine, node.body, machine.unknown("How often a loop runs is not known", node, scope), scope)
            return None
        if not decided:
            del machine.doubts[depth:]
            return machine.run(node.orelse, scope)
        signal = machine.run(node.body, scope)
        if signal is not None and signal.kind == "return":
            return signal
        if signal is not None and signal.kind == "break":
            del machine.doubts[depth:]
            return None
    del machine.doubts[depth:]
    reason = f"A loop runs more than {ROUNDS} times"
    place = machine.place(node, scope)
    for dag in machine.dag_stack:
        dag.doubt("tasks", reason, place)
    machine.tell("dags", reason, place)
    return None


def _once(machine: Machine, body: list[ast.stmt], gap: Unknown, scope: Scope) -> None:
    """Run a body that may run any number of times; what it assigns is unknown afterwards."""
    before = dict(scope.names)
    signal = None
    try:
        with machine.doubting(gap.reason, gap.place):
            signal = machine.run(body, scope)
    except RaisedError:
        scope.names.clear()
        scope.names.update(before)
    if signal is not None and signal.kind == "return" and machine.returns:
        machine.returns[-1].append(signal.value)
    for name, value in scope.names.items():
        if name in before and not same_value(before[name], value):
            scope.names[name] = Unknown(gap.reason, gap.place)
