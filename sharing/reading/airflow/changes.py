"""Set attributes of DAGs and tasks after they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.edges import references
from festaf.sharing.reading.airflow.model import Dag, Task
from festaf.sharing.reading.airflow.operators import template_fields
from festaf.sharing.reading.airflow.tasks import imply_edges

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope


def change_attribute(
    machine: Machine, owner: Dag | Task, name: str, value: object, node: ast.AST, scope: Scope
) -> None:
    """Set an attribute, as far as an inspection shows it."""
    gap = machine.gap_for(owner.born)
    if isinstance(owner, Dag):
        owner.changed[name] = value if gap is None else gap
        if name == "dag_id":
            owner.doubt("dag_id", "The dag_id is changed after the DAG is made", machine.place(node, scope))
        return
    owner.attributes[name] = value if gap is None else gap
    if not owner.ready:
        return
    if name in {"task_id", "dag", "task_group"} and owner.dag is not None:
        owner.dag.doubt("tasks", f"The {name} of a task is changed after it is made", machine.place(node, scope))
    if name in {"pool", "queue", "executor", "owner", "inlets", "outlets"}:
        owner.options[name] = owner.attributes[name]
    fields = template_fields(owner.cls)
    if references(value) and (fields is None or name in fields):
        imply_edges(machine, owner, value)
