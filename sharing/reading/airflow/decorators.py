"""``@dag``, ``@task`` and its kinds, ``@task_group``, ``@setup``, ``@teardown``, ``@asset``, and their calls."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow import catalogue
from festaf.sharing.reading.airflow.contexts import leave_group
from festaf.sharing.reading.airflow.dags import enter_dag, leave_dag, make_dag
from festaf.sharing.reading.airflow.edges import references
from festaf.sharing.reading.airflow.model import (
    AssetLike,
    Dag,
    DagFactory,
    DagParam,
    Decorator,
    GroupFactory,
    Task,
    TaskFactory,
    XCom,
)
from festaf.sharing.reading.airflow.tasks import (
    add_group,
    add_task,
    default_args,
    imply_edges,
    place_of_task,
    unique_label,
)
from festaf.sharing.reading.evaluator.binding import bind, run_function
from festaf.sharing.reading.scope import Scope
from festaf.sharing.reading.values import Arguments, Dict, Function, Unknown

if TYPE_CHECKING:
    from festaf.sharing.reading.machine import Machine

KINDS = {"dag", "task", "task_group", "setup", "teardown", "asset", "asset.multi"}


def call_decorator(machine: Machine, decorator: Decorator, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Apply a decorator to a function, or take its options."""
    target = arguments.positional[0] if arguments.positional else None
    if decorator.kind in {"setup", "teardown"}:
        return _mark(machine, decorator, target, arguments, node, scope)
    if isinstance(target, Function) and len(arguments.positional) == 1:
        return _apply(machine, decorator, target, arguments, node, scope)
    if isinstance(target, TaskFactory) and decorator.kind == "asset":
        return _make_asset_dag(machine, decorator, target, node, scope)
    options = Arguments(list(arguments.positional), dict(arguments.keywords), arguments.gap)
    return Decorator(decorator.kind, decorator.path, options)


def _apply(
    machine: Machine, decorator: Decorator, function: Function, arguments: Arguments, node: ast.AST, scope: Scope
) -> object:
    options = Arguments(
        decorator.options.positional, {**decorator.options.keywords, **arguments.keywords}, decorator.options.gap
    )
    if decorator.kind == "dag":
        return DagFactory(function, options.positional, options)
    if decorator.kind == "task_group":
        given = Dict(dict(options.keywords), None, options.gap)
        if options.positional and isinstance(options.positional[0], str):
            given.setdefault("group_id", options.positional[0])
        return GroupFactory(function, given)
    if decorator.kind.startswith("asset"):
        return _make_asset_dag(machine, decorator, function, node, scope)
    return _task_factory(machine, decorator, function, options, node, scope)


def _task_factory(
    machine: Machine, decorator: Decorator, function: Function, options: Arguments, node: ast.AST, scope: Scope
) -> object:
    kind = decorator.kind.removeprefix("task.")
    operator = catalogue.decorators().get("python" if kind == "task" else kind)
    if operator is None:
        operator = f"@task.{kind}"
    return TaskFactory(
        function,
        operator,
        decorator.path,
        Dict(dict(options.keywords), None, options.gap),
        name=function.name,
    )


def _mark(
    machine: Machine, decorator: Decorator, target: object, arguments: Arguments, node: ast.AST, scope: Scope
) -> object:
    """Make what a function, or a decorated one, becomes by ``@setup`` or ``@teardown``."""
    if isinstance(target, Function):
        target = TaskFactory(
            target,
            catalogue.decorators()["python"],
            "airflow.sdk.task",
            Dict(dict(decorator.options.keywords), None, decorator.options.gap),
            name=target.name,
        )
    if isinstance(target, TaskFactory):
        target.setup = target.setup or decorator.kind == "setup"
        target.teardown = target.teardown or decorator.kind == "teardown"
        return target
    if target is None:
        return Decorator(decorator.kind, decorator.path, arguments)
    return machine.unknown("What is marked as setup or teardown is not known", node, scope)


def call_factory(
    machine: Machine,
    factory: TaskFactory | GroupFactory | DagFactory,
    arguments: Arguments,
    node: ast.AST,
    scope: Scope,
) -> object:
    """Call a decorated function: it makes a DAG, a group or a task."""
    if isinstance(factory, TaskFactory):
        return make_task(machine, factory, arguments, node, scope)
    if isinstance(factory, GroupFactory):
        return make_group(machine, factory, arguments, node, scope)
    return _make_decorated_dag(machine, factory, arguments, node, scope)


def _make_decorated_dag(
    machine: Machine, factory: DagFactory, arguments: Arguments, node: ast.AST, scope: Scope
) -> Dag:
    function = factory.function
    given = factory.positional[0] if factory.positional else function.name
    options = Arguments([], dict(factory.options.keywords), factory.options.gap)
    dag = make_dag(machine, options, function.node, function.scope, given)
    dag.doc = ast.get_docstring(function.node, clean=False) if not isinstance(function.node, ast.Lambda) else None
    inner = Scope("function", function.scope, function.scope.path)
    bind(machine, function, arguments, inner, node, scope)
    values: dict[str, object] = {}
    for name, value in inner.names.items():
        dag.parameters.setdefault(name, value)
        values[name] = DagParam(name)
    enter_dag(machine, dag)
    groups, machine.group_stack = machine.group_stack, []
    try:
        run_function(machine, function, Arguments([], values), node, scope)
    finally:
        machine.group_stack = groups
        leave_dag(machine)
    return dag


def make_task(
    machine: Machine,
    factory: TaskFactory,
    arguments: Arguments,
    node: ast.AST,
    scope: Scope,
    *,
    mapped: bool = False,
) -> XCom:
    """Make the task of a call of a ``@task`` function."""
    options = Arguments([], factory.options.keywords(), factory.options.gap)
    dag, group = place_of_task(machine, options, node, scope)
    task = Task(None, factory.operator, factory.path, machine.place(node, scope), mapped=mapped)
    task.setup, task.teardown, task.decorated = factory.setup, factory.teardown, factory.function
    task.given = set(options.keywords)
    task.options = default_args(dag, group, options)
    task.options.update(options.keywords)
    task.options.gap = task.options.gap or options.gap
    label = options.get("task_id", None, factory.name)
    if isinstance(label, str):
        label = unique_label(dag, group, label)
    task.ready = True
    machine.needs.task_called(machine, task, options, node, scope)
    add_task(machine, task, label, dag, group)
    if factory.operator.startswith("@task.") and dag is not None:
        dag.doubt("operators", f"The operator of {factory.operator} is not known", task.place)
    values = [*arguments.positional, *arguments.keywords.values(), *(factory.partial or {}).values()]
    for value in values:
        imply_edges(machine, task, value)
    for name in (
        (catalogue.fields("airflow.providers.standard.operators.python.PythonOperator") or ()) if mapped else ()
    ):
        imply_edges(machine, task, options.keywords.get(name))
    _imply_options(machine, task, options)
    if arguments.gap is not None and dag is not None:
        dag.doubt("edges", arguments.gap.reason, task.place)
    return XCom((task,))


def _imply_options(machine: Machine, task: Task, options: Arguments) -> None:
    """Draw edges from results among the operator's own options, such as ``templates_dict`` or ``env``."""
    for name, value in options.keywords.items():
        if name not in {"task_id", "dag", "task_group", "default_args"} and references(value):
            imply_edges(machine, task, value)


def make_group(
    machine: Machine,
    factory: GroupFactory,
    arguments: Arguments,
    node: ast.AST,
    scope: Scope,
    sources: list[Task] | None = None,
    *,
    mapped: bool = False,
) -> object:
    """Make the group of a call of a ``@task_group`` function; what the function returns stands for it."""
    options = Arguments([], factory.options.keywords(), factory.options.gap)
    label = options.get("group_id", None, factory.function.name)
    group = add_group(machine, label, options, node, scope, suffix=True)
    if isinstance(group, Unknown):
        return group
    group.mapped = mapped
    group.sources = sources or []
    merged = Arguments(
        arguments.positional, {**(factory.partial or Dict()).keywords(), **arguments.keywords}, arguments.gap
    )
    machine.group_stack.append(group)
    try:
        value = run_function(machine, factory.function, merged, node, scope)
    finally:
        machine.group_stack.pop()
        leave_group(machine, group)
    return group if value is None else value


def expand_group(machine: Machine, factory: GroupFactory, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    """Map a ``@task_group`` function: its parameters are known only when it runs."""
    values = [*arguments.positional, *arguments.keywords.values()]
    sources = [task for value in values for task in references(value)]
    names = list(arguments.keywords) or [argument.arg for argument in factory.function.node.args.args]
    # What a mapped group takes stands for the results that it is mapped over: tasks that use it wait for them.
    inside: dict[str, object] = {name: XCom(tuple(sources)) if sources else DagParam(name) for name in names}
    return make_group(machine, factory, Arguments([], inside), node, scope, sources, mapped=True)


def _make_asset_dag(
    machine: Machine, decorator: Decorator, target: Function | TaskFactory, node: ast.AST, scope: Scope
) -> object:
    """Make the DAG of one task that ``@asset`` stands for."""
    function = target.function if isinstance(target, TaskFactory) else target
    if function is None:
        return machine.unknown("What @asset decorates is not known", node, scope)
    given = decorator.options
    name = given.get("name", None, function.name) if decorator.kind == "asset" else function.name
    keywords = {key: value for key, value in given.keywords.items() if key in ASSET_DAG_OPTIONS}
    keywords["catchup"] = False
    dag = make_dag(machine, Arguments([], keywords, given.gap), function.node, function.scope, name)
    outlets = given.get("outlets") if decorator.kind == "asset.multi" else _asset_of(machine, given, name, node, scope)
    enter_dag(machine, dag)
    try:
        if isinstance(target, TaskFactory):
            target.options["outlets"] = outlets
            make_task(machine, target, Arguments(), node, scope)
        else:
            _main_task(machine, function, outlets, dag)
    finally:
        leave_dag(machine)
    return outlets


ASSET_DAG_OPTIONS = {"schedule", "dag_id", "description", "params", "tags", "owner_links", "dag_display_name"}
NO_INLETS = {"self", "context", "outlet_events"}


def _asset_of(machine: Machine, given: Arguments, name: object, node: ast.AST, scope: Scope) -> object:
    from festaf.sharing.reading.airflow.assets import make_asset

    keywords = {"name": name, "uri": given.get("uri", None, name)}
    return make_asset(machine, "Asset", Arguments([], keywords), node, scope)


def _main_task(machine: Machine, function: Function, outlets: object, dag: Dag) -> None:
    place = machine.place(function.node, function.scope)
    task = Task(None, "_AssetMainOperator", "airflow.sdk.definitions.asset.decorators", place)
    task.decorated = function
    inlets = tuple(
        AssetLike("reference", (argument.arg,), (), None, argument.arg)
        for argument in function.node.args.args
        if argument.arg not in NO_INLETS and argument.arg not in function.defaults
    )
    task.options = Dict({"outlets": (outlets,), "inlets": inlets})
    add_task(machine, task, function.name, dag, dag.root)
