"""Call what is not read. It may do anything with what it is given, so what it could change is not known afterwards."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow.model import Dag, Group, Task, XCom
from festaf.sharing.reading.values import Arguments, Dict, External, Instance, List, Made, Set, Unknown

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope

HARMLESS = {
    "attr", "attrs", "boto3", "botocore", "croniter", "cryptography", "dateutil", "docker", "google", "httpx", "jinja2",
    "kubernetes", "numpy", "opentelemetry", "openlineage", "pandas", "pendulum", "polars", "psycopg2", "pyarrow",
    "pydantic", "pymongo", "pytz", "requests", "sentry_sdk", "slack_sdk", "sqlalchemy", "structlog", "tenacity",
    "toml", "tomllib", "typing_extensions", "tzlocal", "urllib3", "yaml",
}  # fmt: skip
"""Packages that make no tasks and change nothing that they are given."""

PLAIN_CLASSES = (
    "Args", "Client", "Config", "Configuration", "Error", "Exception", "Hook", "Mapping", "Notifier", "Options",
    "Params", "Settings",
)  # fmt: skip
"""How classes are called that hold settings or connect somewhere, and make no tasks."""
RUNNING_CODE = {"exec", "eval", "compile", "__import__", "vars", "locals", "delattr"}


def call_outside(
    machine: Machine,
    function: External | None,
    arguments: Arguments,
    reason: str,
    node: ast.AST,
    scope: Scope,
    *,
    inert: bool = False,
) -> object:
    """Call a function that is not read, and tell what it may have changed; a method of plain data changes nothing."""
    place = machine.place(node, scope)
    if inert:
        return Unknown(reason, place, inert=True)
    if function is not None and _harmless(function):
        return _result(machine, function, arguments, node, scope)
    values = [*arguments.positional, *arguments.keywords.values()]
    dags = {dag for value in values for dag in _dags_in(value, 0)}
    if machine.current_dag is not None:
        dags.add(machine.current_dag)
    for dag in dags:
        sentence = (
            f"{function.path} is not read and may add tasks" if function is not None else f"{reason}; it may add tasks"
        )
        dag.doubt("tasks", sentence, place)
        dag.doubt("edges", sentence, place)
    for value in values:
        _open(value, Unknown(reason, place), 0)
    if function is None:
        return Unknown(reason, place)
    return _result(machine, function, arguments, node, scope)


def _harmless(function: External) -> bool:
    root = function.root
    if root == "builtins":
        return function.name not in RUNNING_CODE
    if root == "airflow":
        return (
            function.name[:1].isupper()
            or not function.path.startswith("airflow.providers.")
            or ".utils." in function.path
        )
    if function.name[:1].isupper() and function.name.endswith(PLAIN_CLASSES):
        return True
    return root in HARMLESS or root in sys.stdlib_module_names or root == "festaf"


def _result(machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> object:
    if function.name[:1].isupper():
        return Made(function, tuple(arguments.positional), dict(arguments.keywords), arguments.gap)
    return Unknown(f"What {function.path} gives is not known", machine.place(node, scope), inert=_harmless(function))


def _dags_in(value: object, depth: int) -> set[Dag]:
    if isinstance(value, Dag):
        return {value}
    if isinstance(value, Group):
        return {value.dag}
    if isinstance(value, Task):
        return {value.dag} if value.dag is not None else set()
    if isinstance(value, XCom):
        return {task.dag for task in value.tasks if task.dag is not None}
    return {dag for item in _inner(value) for dag in _dags_in(item, depth + 1)} if depth < 4 else set()


def _inner(value: object) -> Iterable[object]:
    if isinstance(value, Dict):
        return value.values()
    if isinstance(value, List | tuple):
        return value
    if isinstance(value, Instance):
        return value.attributes.values()
    return (*value.positional, *value.keywords.values()) if isinstance(value, Made) else ()


def _open(value: object, gap: Unknown, depth: int) -> None:
    """Leave a gap in what a function that is not read may have changed."""
    if depth > 4:
        return
    if isinstance(value, List | Dict | Set):
        value.gap = value.gap or gap
        for item in value.values() if isinstance(value, Dict) else value:
            _open(item, gap, depth + 1)
