"""Add tasks and groups to DAGs, with the ids that Airflow gives them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.edges import draw, references
from festaf.sharing.reading.airflow.model import SUFFIX, Dag, Group, Task, XCom
from festaf.sharing.reading.evaluator.files import placeless
from festaf.sharing.reading.values import Arguments, Dict, Unknown

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope


def place_of_task(machine: Machine, options: Arguments, node: ast.AST, scope: Scope) -> tuple[Dag | None, Group | None]:
    """Decide which DAG and group a new task belongs to."""
    group = options.get("task_group")
    if isinstance(group, Group):
        return group.dag, group
    dag = options.keywords.get("dag")
    if isinstance(dag, Dag):
        return dag, machine.current_group(dag)
    current = machine.current_dag
    if isinstance(dag, Unknown) and current is None:
        machine.tell("tasks", f"The DAG of a task is not known: {dag.reason}", machine.place(node, scope))
    return current, machine.current_group(current) if current is not None else None


def default_args(dag: Dag | None, group: Group | None, options: Arguments) -> Dict:
    """Merge what the DAG, the groups and the task itself say by ``default_args``; the nearest wins."""
    merged = Dict()
    own = options.keywords.get("default_args")
    for source in (dag.default_args if dag else None, group.default_args if group else None, own):
        if isinstance(source, Dict):
            merged.update(source)
            merged.gap = merged.gap or source.gap
        elif isinstance(source, Unknown):
            merged.gap = merged.gap or source
    return merged


def add_task(machine: Machine, task: Task, label: object, dag: Dag | None, group: Group | None) -> None:
    """Give a task its id and put it into its DAG."""
    machine.budget.add_task()
    task.born = machine.doubt
    if not isinstance(label, str) or placeless(label):
        label = None
    task.task_id = label if group is None or label is None else group.child_id(label)
    if dag is None or group is None:
        return
    task.dag, task.group = dag, group
    doubt = machine.doubt
    if doubt is not None and doubt is not dag.born:
        dag.doubt("tasks", doubt.reason, task.place)
    if task.task_id is None:
        dag.doubt("tasks", "The id of a task is not known", task.place)
        return
    if task.task_id in dag.tasks:
        if dag.tasks[task.task_id] is not task:
            dag.doubt("tasks", f"The id {task.task_id!r} is given to two tasks", task.place)
            dag.doubt("operators", f"The id {task.task_id!r} is given to two tasks", task.place)
            dag.doubt("edges", f"The id {task.task_id!r} is given to two tasks", task.place)
        return
    dag.tasks[task.task_id] = task
    group.children[task.task_id] = task
    for context in machine.setups:
        if context is machine.setups[-1] and not (task.setup or task.teardown):
            context.tasks.append(task)


def adopt(machine: Machine, task: Task, dag: Dag) -> None:
    """Put a task that had no DAG into the one of the task it is connected to."""
    if task.dag is None:
        add_task(machine, task, task.task_id, dag, dag.root)


def unique_label(dag: Dag | None, group: Group | None, label: str) -> str:
    """Give a TaskFlow task the id that its call gets: ``f``, then ``f__1``, ``f__2``."""
    if dag is None:
        return label
    full = group.child_id(label) if group is not None else label
    if full not in dag.tasks:
        return label
    prefix = re.compile(rf"^{re.escape(SUFFIX.split(full)[0])}__(\d+)$")
    numbers = [int(match[1]) for task_id in dag.tasks if (match := prefix.match(task_id)) and len(match[1]) < 9]
    return f"{SUFFIX.split(label)[0]}__{max(numbers, default=0) + 1}"


def imply_edges(machine: Machine, task: Task, values: object) -> None:
    """Draw the edges from the tasks whose results a task takes."""
    for upstream in references(values):
        draw(machine, upstream, task)


def add_group(
    machine: Machine, label: object, options: Arguments, node: ast.AST, scope: Scope, suffix: bool = False
) -> Group | Unknown:
    """Make a task group in the current DAG or the one that is given."""
    parent = options.keywords.get("parent_group")
    dag = parent.dag if isinstance(parent, Group) else options.keywords.get("dag")
    dag = dag if isinstance(dag, Dag) else machine.current_dag
    if dag is None:
        return machine.unknown("A task group is made outside a DAG", node, scope)
    around = parent if isinstance(parent, Group) else machine.current_group(dag)
    if not isinstance(label, str):
        dag.doubt("tasks", "The id of a task group is not known", machine.place(node, scope))
        return machine.unknown("The id of a task group is not known", node, scope)
    prefix = options.get("prefix_group_id", None, True)
    if not isinstance(prefix, bool):
        dag.doubt("tasks", "Whether a task group prefixes its tasks is not known", machine.place(node, scope))
        prefix = True
    group = Group(label, dag, around, prefix)
    if group.group_id in dag.group_ids and suffix:
        group.label = _free_group(dag, label)
    own = options.get("default_args")
    group.default_args = Dict({**around.default_args, **(own if isinstance(own, Dict) else {})})
    group.default_args.gap = around.default_args.gap or (own if isinstance(own, Unknown) else getattr(own, "gap", None))
    dag.group_ids.add(str(group.group_id))
    around.children[str(group.group_id)] = group
    return group


def _free_group(dag: Dag, label: str) -> str:
    base = SUFFIX.split(label)[0]
    pattern = re.compile(rf"^{re.escape(base)}__(\d+)$")
    numbers = [int(match[1]) for used in dag.group_ids if (match := pattern.match(used)) and len(match[1]) < 9]
    return f"{base}__{max(numbers) + 1}" if numbers else f"{label}__1"


def result(task: Task) -> XCom:
    """Give what a task returns."""
    return XCom((task,))
