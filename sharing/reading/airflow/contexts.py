"""Enter and leave what ``with`` can open: DAGs, groups, setups and teardowns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.dags import enter_dag, leave_dag
from festaf.sharing.reading.airflow.edges import draw
from festaf.sharing.reading.airflow.model import Dag, Group, SetupContext, Task, XCom
from festaf.sharing.reading.values import External, List, Made, Unknown

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope


def enter(machine: Machine, value: object, node: ast.AST, scope: Scope) -> object:
    """Enter a context and give what ``as`` binds."""
    if isinstance(value, Dag):
        enter_dag(machine, value)
    elif isinstance(value, Group):
        machine.group_stack.append(value)
    elif isinstance(value, Task | XCom | List | tuple):
        tasks = _tasks(value)
        if any(task.setup or task.teardown for task in tasks):
            context = _context(tasks)
            machine.setups.append(context)
            return context
    elif isinstance(value, Unknown):
        machine.tell("dags", f"A context that is entered here is not known: {value.reason}", machine.place(node, scope))
        if machine.current_dag is not None:
            machine.current_dag.doubt(
                "tasks", "A context that is entered here is not known", machine.place(node, scope)
            )
    elif (
        isinstance(value, Made) and isinstance(value.cls, External) and value.cls.root not in {"builtins", "contextlib"}
    ):
        return value
    return value


def leave(machine: Machine, value: object, node: ast.AST, scope: Scope) -> None:
    """Leave what was entered."""
    if isinstance(value, Dag):
        leave_dag(machine)
    elif isinstance(value, Group) and machine.group_stack:
        machine.group_stack.pop()
        leave_group(machine, value)
    elif isinstance(value, SetupContext):
        machine.setups.pop()
        _leave_setup(machine, value)


def leave_group(machine: Machine, group: Group) -> None:
    """Let a mapped group wait for what it is mapped over."""
    if not group.sources:
        return
    tasks = list(group.tasks())
    inside = set(tasks)
    for root in [task for task in tasks if inside.isdisjoint(task.upstream)]:
        for source in group.sources:
            draw(machine, source, root)


def _tasks(value: object) -> list[Task]:
    if isinstance(value, Task):
        return [value]
    if isinstance(value, XCom):
        return list(value.tasks)
    if isinstance(value, List | tuple):
        return [task for item in value for task in _tasks(item)]
    return []


def _context(tasks: list[Task]) -> SetupContext:
    """Find the setups and teardowns that enclose what is made in the context of some of them."""
    if tasks[0].teardown:
        return SetupContext(_reach(tasks[0], upstream=True), tasks)
    return SetupContext(tasks, _reach(tasks[0], upstream=False))


def _reach(start: Task, *, upstream: bool) -> list[Task]:
    """Find the nearest setups before a teardown, or teardowns after a setup."""
    seen = {start}
    level = list(start.upstream if upstream else start.downstream)
    while level:
        found = [task for task in level if (task.setup if upstream else task.teardown)]
        if found:
            return found
        seen.update(level)
        level = [other for task in level for other in (*task.downstream, *task.upstream) if other not in seen]
    return []


def _leave_setup(machine: Machine, context: SetupContext) -> None:
    work = [task for task in context.tasks if not (task.setup or task.teardown)]
    if work:
        roots = [task for task in work if not task.upstream] or work[:1]
        leaves = [task for task in work if not task.downstream] or work[-1:]
        _draw_all(machine, context.setups, roots)
        _draw_all(machine, leaves, context.teardowns)
    if machine.setups:
        outer = machine.setups[-1]
        _draw_all(machine, outer.setups, context.setups)
        _draw_all(machine, context.teardowns, outer.teardowns)


def _draw_all(machine: Machine, firsts: list[Task], lasts: list[Task]) -> None:
    for first in firsts:
        for last in lasts:
            draw(machine, first, last)
