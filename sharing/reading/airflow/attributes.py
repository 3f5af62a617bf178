"""Take attributes of DAGs, groups, tasks, and of what decorators make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.model import (
    AssetLike,
    Dag,
    DagFactory,
    Decorator,
    Group,
    GroupFactory,
    Task,
    TaskFactory,
    XCom,
)
from festaf.sharing.reading.values import Dict, Function, List, LocalClass, Method, Unknown

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope

METHODS = frozenset({
    "set_upstream", "set_downstream", "as_setup", "as_teardown", "expand", "expand_kwargs", "partial", "override",
    "map", "zip", "concat", "add_task", "get_task", "update_relative", "iter_tasks", "child_id", "add", "has_task",
    "get_roots", "get_leaves", "run_if", "skip_if", "test", "cli", "get_child_by_label",
})  # fmt: skip


def airflow_attribute(machine: Machine, owner: object, name: str, node: ast.AST, scope: Scope) -> object:
    """Give an attribute of one of Airflow's things."""
    if isinstance(owner, Decorator):
        return Decorator(f"{owner.kind}.{name}", f"{owner.path}.{name}", owner.options)
    if isinstance(owner, Dag):
        value = _of_dag(machine, owner, name, node, scope)
    elif isinstance(owner, Group):
        value = _of_group(owner, name)
    elif isinstance(owner, Task):
        value = _of_task(machine, owner, name, node, scope)
    elif isinstance(owner, XCom):
        value = _of_result(owner, name)
    else:
        value = _of_factory(owner, name)
    if value is not None:
        return value
    if name in METHODS or isinstance(owner, AssetLike):
        return Method(name, owner)
    return machine.unknown(f"The attribute {name} is not known", node, scope)


def _of_dag(machine: Machine, dag: Dag, name: str, node: ast.AST, scope: Scope) -> object | None:
    if name == "dag_id":
        return dag.dag_id if dag.dag_id is not None else machine.unknown("A dag_id is not known", node, scope)
    if name in {"tasks", "task_ids", "roots", "leaves"}:
        return _task_list(machine, dag, name)
    if name == "task_dict":
        gap = _gap(dag)
        return Dict(dict(dag.tasks.items()), machine.doubt, gap)
    if name == "task_group":
        return dag.root
    if name == "default_args":
        return dag.default_args
    if name == "params":
        return Dict(dict(dag.parameters.items()), machine.doubt)
    if name in METHODS:
        return None
    value = dag.option(name)
    return value if isinstance(value, str | int | bool | float) else None


def _gap(dag: Dag) -> Unknown | None:
    return Unknown("The tasks of the DAG are not all known") if "tasks" in dag.confidence else None


def _task_list(machine: Machine, dag: Dag, name: str) -> object:
    tasks = list(dag.tasks.values())
    if name == "task_ids":
        return List(dag.tasks, machine.doubt, _gap(dag))
    if name == "roots":
        tasks = [task for task in tasks if not task.upstream]
    if name == "leaves":
        tasks = [task for task in tasks if not task.downstream]
    return List(tasks, machine.doubt, _gap(dag))


def _of_group(group: Group, name: str) -> object | None:
    if name in {"group_id", "node_id"}:
        return group.group_id
    if name == "dag":
        return group.dag
    if name == "children":
        return Dict(dict(group.children.items()))
    return None


def _of_task(machine: Machine, task: Task, name: str, node: ast.AST, scope: Scope) -> object | None:
    if name in task.attributes:
        return task.attributes[name]
    if name in {"task_id", "node_id"}:
        return task.task_id if task.task_id is not None else machine.unknown("A task's id is not known", node, scope)
    own = {"output": XCom((task,)), "dag": task.dag, "task_group": task.group, "task_type": task.operator}
    if name in own:
        return own[name]
    if name in {"upstream_list", "downstream_list"}:
        return List(task.upstream if name == "upstream_list" else task.downstream, machine.doubt)
    if name in {"upstream_task_ids", "downstream_task_ids"}:
        tasks = task.upstream if name == "upstream_task_ids" else task.downstream
        return List([other.task_id for other in tasks], machine.doubt)
    found = task.cls.find(name) if isinstance(task.cls, LocalClass) else None
    if isinstance(found, Function):
        return Method(found, task)
    return found if found is not None else task.options.get(name)


def _of_result(result: XCom, name: str) -> object | None:
    if name == "operator" and len(result.tasks) == 1:
        return result.tasks[0]
    return None


def _of_factory(owner: object, name: str) -> object | None:
    if isinstance(owner, TaskFactory | GroupFactory | DagFactory):
        if name in {"function", "__wrapped__"}:
            return owner.function
        if name == "__name__" and owner.function is not None:
            return owner.function.name
    if isinstance(owner, AssetLike):
        if name == "uri" and len(owner.uris) == 1:
            return owner.uris[0]
        if name == "name" and isinstance(owner.name, str):
            return owner.name
    return None
