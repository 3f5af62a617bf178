"""Make tasks of operator classes, imported ones and those of the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow import catalogue
from festaf.sharing.reading.airflow.edges import references
from festaf.sharing.reading.airflow.model import OperatorPartial, Task
from festaf.sharing.reading.airflow.tasks import add_task, default_args, imply_edges, place_of_task
from festaf.sharing.reading.evaluator.binding import parameters, run_function
from festaf.sharing.reading.evaluator.outside import call_outside
from festaf.sharing.reading.values import Arguments, External, Function, List, LocalClass

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope


def is_operator(cls: object, arguments: Arguments) -> bool:
    """Say whether calling a class makes a task."""
    if isinstance(cls, LocalClass):
        for base in cls.lineage():
            if isinstance(base, External) and catalogue.looks_like_operator(base.path):
                return True
        return cls.outside is not None and "task_id" in arguments.keywords
    if isinstance(cls, External):
        return catalogue.looks_like_operator(cls.path) or ("task_id" in arguments.keywords and cls.name[:1].isupper())
    return False


def construct_task(
    machine: Machine, cls: LocalClass | External, arguments: Arguments, node: ast.AST, scope: Scope
) -> Task:
    """Make a task by calling its class."""
    outside = cls if isinstance(cls, External) else cls.outside
    name = cls.name if isinstance(cls, LocalClass) else catalogue.true_name(cls.path)
    task = Task(None, name, outside.path if outside else None, machine.place(node, scope), cls=cls)
    task.given = set(arguments.keywords)
    machine.needs.task_called(machine, task, arguments, node, scope)
    initialise = cls.find("__init__") if isinstance(cls, LocalClass) else None
    if isinstance(initialise, Function):
        completed = _complete(machine, initialise, arguments, node, scope)
        owned = Arguments([task, *completed.positional], completed.keywords, completed.gap)
        run_function(machine, initialise, owned, node, scope)
        if not task.ready:
            initialise_task(machine, task, completed, node, scope)
    else:
        initialise_task(machine, task, arguments, node, scope)
    _imply(machine, task, cls)
    return task


def _complete(machine: Machine, function: Function, arguments: Arguments, node: ast.AST, scope: Scope) -> Arguments:
    """Fill in from ``default_args`` what a class of the package takes and is not given."""
    dag, group = place_of_task(machine, arguments, node, scope)
    defaults = default_args(dag, group, arguments)
    keywords = dict(arguments.keywords)
    for name in parameters(function):
        if name not in keywords and name in defaults:
            keywords[name] = defaults[name]
    return Arguments(list(arguments.positional), keywords, arguments.gap)


def initialise_task(machine: Machine, task: Task, arguments: Arguments, node: ast.AST, scope: Scope) -> None:
    """Do what ``BaseOperator.__init__`` does."""
    task.ready = True
    dag, group = place_of_task(machine, arguments, node, scope)
    task.options = default_args(dag, group, arguments)
    task.options.update(arguments.keywords)
    task.options.gap = task.options.gap or arguments.gap
    add_task(machine, task, arguments.get("task_id"), dag, group)


def _imply(machine: Machine, task: Task, cls: LocalClass | External) -> None:
    """Draw the edges that results in templated fields imply."""
    fields = template_fields(cls)
    for name, value in list(task.options.items()):
        if name in {"dag", "task_group", "default_args", "params"}:
            continue
        found = references(value)
        if not found:
            continue
        if fields is None or name in fields:
            imply_edges(machine, task, value)
        if fields is None and task.dag is not None:
            sentence = f"Whether {task.operator} templates {name}, and so waits for what it is given, is not known"
            task.dag.doubt("edges", sentence, task.place)


def template_fields(cls: object) -> frozenset[str] | None:
    """Name the fields of an operator that are templates, or None when they are not known."""
    if isinstance(cls, LocalClass):
        for base in cls.lineage():
            if isinstance(base, External):
                return catalogue.fields(base.path)
            if isinstance(base, LocalClass) and "template_fields" in base.attributes:
                value = base.attributes["template_fields"]
                if isinstance(value, List | tuple) and getattr(value, "gap", None) is None:
                    return frozenset(item for item in value if isinstance(item, str))
                return None
        return None
    return catalogue.fields(cls.path) if isinstance(cls, External) else None


def call_unlisted(machine: Machine, cls: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Call something of a module that is not read: an operator, a DAG of another kind, or anything else."""
    owner, _, method = cls.path.rpartition(".")
    if method == "partial" and ("task_id" in arguments.keywords or catalogue.looks_like_operator(owner)):
        return make_partial(machine, External(owner), arguments, node, scope)
    if is_operator(cls, arguments):
        return construct_task(machine, cls, arguments, node, scope)
    if "dag_id" in arguments.keywords and cls.name[:1].isupper() and "dag" in cls.name.lower():
        from festaf.sharing.reading.airflow.dags import make_dag

        dag = make_dag(machine, arguments, node, scope)
        for what in ("tasks", "edges", "owners", "params", "connections"):
            dag.doubt(what, f"{cls.path} makes the DAG's tasks, and is not read", dag.place, "unknown")
        return dag
    return call_outside(machine, cls, arguments, f"{cls.path} is not read", node, scope)


def make_partial(machine: Machine, cls: object, arguments: Arguments, node: ast.AST, scope: Scope) -> OperatorPartial:
    """Evaluate ``Operator.partial(...)``."""
    _, group = place_of_task(machine, arguments, node, scope)
    return OperatorPartial(cls, arguments, group)


def expand_partial(
    machine: Machine, partial: OperatorPartial, arguments: Arguments, node: ast.AST, scope: Scope
) -> Task:
    """Evaluate ``Operator.partial(...).expand(...)``: one mapped task."""
    cls = partial.cls
    outside = cls if isinstance(cls, External) else cls.outside if isinstance(cls, LocalClass) else None
    name = cls.name if isinstance(cls, LocalClass) else catalogue.true_name(outside.path) if outside else "?"
    task = Task(None, name, outside.path if outside else None, machine.place(node, scope), cls=cls, mapped=True)
    task.given = {*partial.options.keywords, *arguments.keywords}
    options = partial.options
    if partial.group is not None:
        options = Arguments(options.positional, {**options.keywords, "task_group": partial.group}, options.gap)
    merged = Arguments([], {**arguments.keywords, **options.keywords}, options.gap or arguments.gap)
    machine.needs.task_called(machine, task, merged, node, scope)
    initialise_task(machine, task, options, node, scope)
    if isinstance(cls, LocalClass | External):
        _imply(machine, task, cls)
    for value in (*arguments.positional, *arguments.keywords.values()):
        imply_edges(machine, task, value)
    task.options.update(arguments.keywords)
    return task
