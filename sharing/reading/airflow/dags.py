"""Make DAGs, and enter them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.model import Dag
from festaf.sharing.reading.evaluator.files import placeless
from festaf.sharing.reading.values import Arguments, Dict, Unknown

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope

POSITIONAL = ("dag_id", "description", "schedule", "start_date")


def make_dag(machine: Machine, arguments: Arguments, node: ast.AST, scope: Scope, name: object = None) -> Dag:
    """Make a DAG of the options of a call."""
    machine.budget.step()
    keywords = dict(zip(POSITIONAL, arguments.positional, strict=False))
    keywords.update(arguments.keywords)
    options = Arguments([], keywords, arguments.gap)
    dag_id = options.get("dag_id", None, name)
    place = machine.place(node, scope)
    dag = Dag(dag_id if isinstance(dag_id, str) and not placeless(dag_id) else None, options, place, machine.doubt)
    if dag.dag_id is None:
        reason = dag_id.reason if isinstance(dag_id, Unknown) else "The dag_id depends on where the file lies"
        dag.doubt("dag_id", reason, place, "unknown")
    if machine.doubt is not None:
        dag.doubt("dag_id", f"Whether, or how often, the DAG is made is not known: {machine.doubt.reason}", place)
    given = options.get("default_args")
    if isinstance(given, Dict):
        dag.default_args = Dict(given, None, given.gap)
    elif isinstance(given, Unknown):
        dag.default_args.gap = given
    params = options.get("params")
    if isinstance(params, Dict):
        dag.parameters.update({str(key): value for key, value in params.items() if isinstance(key, str)})
        if params.gap is not None:
            dag.doubt("params", params.gap.reason, place)
    elif isinstance(params, Unknown):
        dag.doubt("params", params.reason, place, "unknown")
    dag.auto_register = options.get("auto_register") is not False
    machine.dags.append(dag)
    return dag


def enter_dag(machine: Machine, dag: Dag) -> None:
    """Make a DAG the current one."""
    machine.dag_stack.append(dag)
    if dag not in machine.entered and dag.auto_register:
        machine.entered.append(dag)


def leave_dag(machine: Machine) -> None:
    """Make the DAG before the current one again."""
    machine.dag_stack.pop()
