"""Assign values to names, attributes, items and patterns of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.model import Dag, Task
from festaf.sharing.reading.evaluator.items import iterate
from festaf.sharing.reading.values import Dict, Function, Instance, List, LocalClass, LocalModule, Unknown

if TYPE_CHECKING:
    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope


def assign(machine: Machine, target: ast.expr, value: object, scope: Scope) -> None:
    """Assign a value to a target."""
    machine.budget.step()
    if isinstance(target, ast.Name):
        home = scope.home(target.id)
        if home is not scope and machine.doubt is not None and home.names.get(target.id) is not value:
            value = machine.unknown(machine.doubt.reason, target, scope)
        home.names[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(machine, target.elts, value, target, scope)
    elif isinstance(target, ast.Starred):
        assign(machine, target.value, value, scope)
    elif isinstance(target, ast.Attribute):
        set_attribute(machine, machine.evaluate(target.value, scope), target.attr, value, target, scope)
    elif isinstance(target, ast.Subscript):
        container = machine.evaluate(target.value, scope)
        set_item(machine, container, machine.evaluate(target.slice, scope), value, target, scope)


def _unpack(machine: Machine, targets: list[ast.expr], value: object, node: ast.AST, scope: Scope) -> None:
    items, gap = iterate(machine, value, node, scope)
    star = next((i for i, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    short = len(items) != len(targets) if star is None else len(items) < len(targets) - 1
    if gap is not None or short:
        reason = gap or machine.unknown("The values that are unpacked here are not known", node, scope)
        for target in targets:
            assign(machine, target, reason, scope)
        return
    if star is None:
        for target, item in zip(targets, items, strict=True):
            assign(machine, target, item, scope)
        return
    after = len(targets) - star - 1
    for target, item in zip(targets[:star], items[:star], strict=True):
        assign(machine, target, item, scope)
    assign(machine, targets[star], List(items[star : len(items) - after], machine.doubt), scope)
    for target, item in zip(targets[star + 1 :], items[len(items) - after :] if after else [], strict=True):
        assign(machine, target, item, scope)


def set_attribute(machine: Machine, owner: object, name: str, value: object, node: ast.AST, scope: Scope) -> None:
    """Set an attribute; under a doubt its value is not known afterwards."""
    if isinstance(owner, Instance):
        gap = machine.gap_for(owner.born)
        owner.attributes[name] = gap if gap is not None and owner.attributes.get(name) is not value else value
    elif isinstance(owner, LocalClass):
        owner.attributes[name] = value if machine.doubt is None else machine.unknown(machine.doubt.reason, node, scope)
    elif isinstance(owner, LocalModule):
        owner.scope.names[name] = value
    elif isinstance(owner, Function):
        owner.attributes[name] = value
    elif isinstance(owner, Dag | Task):
        from festaf.sharing.reading.airflow.changes import change_attribute

        change_attribute(machine, owner, name, value, node, scope)


def set_item(machine: Machine, owner: object, key: object, value: object, node: ast.AST, scope: Scope) -> None:
    """Set an item; a key that is not known, or a doubt, leaves a gap."""
    if isinstance(owner, Dict):
        if isinstance(key, Unknown | list | dict):
            owner.gap = owner.gap or machine.unknown("A key that is set here is not known", node, scope)
            return
        gap = machine.gap_for(owner.born)
        owner[key] = value if gap is None or key not in owner else gap
        owner.gap = owner.gap or gap
    elif isinstance(owner, List):
        gap = machine.gap_for(owner.born)
        if isinstance(key, int) and -len(owner) <= key < len(owner) and gap is None:
            owner[key] = value
        else:
            owner.gap = owner.gap or machine.unknown("An item that is set here is not known", node, scope)
    elif isinstance(owner, LocalModule):
        _set_global(machine, owner, key, value, node, scope)


def _set_global(machine: Machine, module: LocalModule, key: object, value: object, node: ast.AST, scope: Scope) -> None:
    """Bind a name through ``globals()``; Airflow finds a DAG there whatever its name is."""
    if isinstance(key, str):
        module.scope.names[key] = value
    elif isinstance(value, Dag):
        module.scope.names[f"name {len(module.scope.names)} that is not known"] = value
    elif isinstance(value, Unknown) and not value.inert:
        reason = f"What is put here among the names of the file is not known: {value.reason}"
        machine.tell("dags", reason, machine.place(node, scope))
