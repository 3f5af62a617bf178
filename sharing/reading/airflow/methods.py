"""Call methods of DAGs, groups, tasks, results, operator classes and decorated functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.decorators import expand_group, make_task
from festaf.sharing.reading.airflow.edges import members, references, set_stream
from festaf.sharing.reading.airflow.model import (
    Dag,
    Group,
    GroupFactory,
    Label,
    OperatorPartial,
    Task,
    TaskFactory,
    XCom,
)
from festaf.sharing.reading.airflow.operators import expand_partial, initialise_task, make_partial
from festaf.sharing.reading.airflow.tasks import add_task
from festaf.sharing.reading.machine import Machine, RaisedError
from festaf.sharing.reading.values import Arguments, Dict, External, List, LocalClass

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.scope import Scope


def call_airflow_method(
    machine: Machine, owner: object, name: str, arguments: Arguments, node: ast.AST, scope: Scope
) -> object:
    """Call a method of one of Airflow's things."""
    if name in {"set_upstream", "set_downstream"} and isinstance(owner, Task | XCom | Group | Label):
        return set_stream(machine, owner, arguments, name == "set_downstream", node, scope)
    if isinstance(owner, Task):
        return _of_task(machine, owner, name, arguments, node, scope)
    if isinstance(owner, XCom):
        return _of_result(machine, owner, name, arguments, node, scope)
    if isinstance(owner, OperatorPartial) and name in {"expand", "expand_kwargs"}:
        return expand_partial(machine, owner, arguments, node, scope)
    if isinstance(owner, LocalClass | External) and name == "partial":
        return make_partial(machine, owner, arguments, node, scope)
    if isinstance(owner, TaskFactory):
        return _of_task_factory(machine, owner, name, arguments, node, scope)
    if isinstance(owner, GroupFactory):
        return _of_group_factory(machine, owner, name, arguments, node, scope)
    if isinstance(owner, Dag):
        return _of_dag(machine, owner, name, arguments, node, scope)
    if isinstance(owner, Group):
        return _of_group(machine, owner, name, arguments, node, scope)
    return machine.unknown(f"What {name} gives is not known", node, scope)


def _of_task(machine: Machine, task: Task, name: str, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if name == "super.__init__":
        if not task.ready:
            initialise_task(machine, task, arguments, node, scope)
        return None
    if name == "as_setup":
        task.setup = True
        return task
    if name == "as_teardown":
        _tear_down(machine, task, arguments, node, scope)
        return task
    return machine.unknown(f"What {name} of a task gives is not known", node, scope)


def _tear_down(machine: Machine, task: Task, arguments: Arguments, node: ast.AST, scope: Scope) -> None:
    task.teardown = True
    setups = arguments.get("setups")
    for member in members(setups)[0]:
        for setup in member.tasks if isinstance(member, XCom) else (member,) if isinstance(member, Task) else ():
            setup.setup = True
    if setups is not None:
        set_stream(machine, task, Arguments([setups]), False, node, scope)


def _of_result(machine: Machine, result: XCom, name: str, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if name in {"as_setup", "as_teardown"}:
        for task in result.tasks:
            _of_task(machine, task, name, arguments, node, scope)
        return result
    if name == "map":
        return result
    if name in {"zip", "concat"}:
        others = [task for value in arguments.positional for task in references(value)]
        return XCom((*result.tasks, *others))
    return machine.unknown(f"What {name} of a task's result gives is not known", node, scope)


def _of_task_factory(
    machine: Machine, factory: TaskFactory, name: str, arguments: Arguments, node: ast.AST, scope: Scope
) -> object:
    if name == "override":
        options = Dict({**factory.options.keywords(), **arguments.keywords}, None, factory.options.gap or arguments.gap)
        return _again(factory, options, factory.partial)
    if name == "partial":
        partial = Dict({**(factory.partial or Dict()).keywords(), **arguments.keywords}, None, arguments.gap)
        return _again(factory, factory.options, partial)
    if name in {"expand", "expand_kwargs"}:
        return make_task(machine, factory, arguments, node, scope, mapped=True)
    return machine.unknown(f"What {name} of a decorated function gives is not known", node, scope)


def _again(factory: TaskFactory, options: Dict, partial: Dict | None) -> TaskFactory:
    return TaskFactory(
        factory.function,
        factory.operator,
        factory.path,
        options,
        factory.setup,
        factory.teardown,
        partial,
        factory.name,
    )


def _of_group_factory(
    machine: Machine, factory: GroupFactory, name: str, arguments: Arguments, node: ast.AST, scope: Scope
) -> object:
    if name == "override":
        options = Dict({**factory.options.keywords(), **arguments.keywords}, None, factory.options.gap or arguments.gap)
        return GroupFactory(factory.function, options, factory.partial)
    if name == "partial":
        return GroupFactory(
            factory.function, factory.options, Dict({**(factory.partial or Dict()).keywords(), **arguments.keywords})
        )
    if name in {"expand", "expand_kwargs"}:
        return expand_group(machine, factory, arguments, node, scope)
    return machine.unknown(f"What {name} of a task group gives is not known", node, scope)


def _of_dag(machine: Machine, dag: Dag, name: str, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if name == "get_task":
        task_id = arguments.get("task_id", 0)
        found = dag.tasks.get(task_id) if isinstance(task_id, str) else None
        return found or machine.unknown("Which task is meant is not known", node, scope)
    if name == "add_task":
        task = arguments.get("task", 0)
        if isinstance(task, Task) and task.dag is None:
            add_task(machine, task, task.task_id, dag, dag.root)
        return None
    if name in {"test", "cli", "validate"}:
        return None
    return machine.unknown(f"What {name} of a DAG gives is not known", node, scope)


def _of_group(machine: Machine, group: Group, name: str, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if name == "child_id":
        label = arguments.get("label", 0)
        return group.child_id(label) if isinstance(label, str) else machine.unknown("A label is not known", node, scope)
    if name == "get_child_by_label":
        label = arguments.get("label", 0)
        if isinstance(label, str):
            found = group.children.get(group.child_id(label))
            if found is None:
                raise RaisedError("KeyError", label[:80])
            return found
    if name == "iter_tasks":
        return List(group.tasks(), machine.doubt)
    if name == "add":
        task = arguments.get("task", 0)
        if isinstance(task, Task) and task.dag is None:
            add_task(machine, task, task.task_id, group.dag, group)
            return task
    return machine.unknown(f"What {name} of a task group gives is not known", node, scope)
