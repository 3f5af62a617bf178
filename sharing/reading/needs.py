"""Collect what the code needs around it: connections, Variables, environment variables, images, data files.

What is evaluated is seen with its values. Function bodies that only run in a task are not evaluated; their calls are
looked at as they stand, with the constants of their module.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from festaf.sharing.reading.airflow import catalogue
from festaf.sharing.reading.evaluator.files import inside
from festaf.sharing.reading.values import Arguments, External, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.contract.dag_inspection import Place
    from festaf.sharing.reading.airflow.model import Dag, Task
    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope

TEMPLATE_VARIABLE = re.compile(r"\bvar\.(?:value|json)\.(?:get\(\s*['\"]([^'\"]+)['\"]\s*(,)?|(\w+))")
TEMPLATE_CONNECTION = re.compile(r"\{\{[^{}]*?\bconn\.(?:get\(\s*['\"]([^'\"]+)['\"]|(\w+))")
IMAGE_KEYWORDS = {"image", "image_uri", "container_image", "docker_image"}
ENVIRONMENT = {"os.getenv", "os.environ.get", "os.environ.setdefault", "os.environ.pop"}


@dataclass
class Need:
    """One thing that is needed, where, and by which DAGs (None stands for all of the file)."""

    has_default: bool = True
    places: list[Place] = field(default_factory=list)
    dags: set[Dag | None] = field(default_factory=set)


@dataclass
class Needs:
    """What one file and the modules it imports need."""

    connections: dict[str, Need] = field(default_factory=dict)
    variables: dict[str, Need] = field(default_factory=dict)
    environment: dict[str, Need] = field(default_factory=dict)
    images: dict[str, Need] = field(default_factory=dict)
    data_files: set[str] = field(default_factory=set)
    undecided: list[tuple[str, str, Place, Dag | None]] = field(default_factory=list)

    def _add(self, needs: dict[str, Need], key: str, place: Place, dag: Dag | None, *, default: bool = False) -> None:
        need = needs.setdefault(key, Need())
        need.has_default = need.has_default and default
        need.dags.add(dag)
        if place not in need.places and len(need.places) < 20:
            need.places.append(place)

    def _undecided(self, what: str, reason: str, place: Place, dag: Dag | None) -> None:
        if len(self.undecided) < 100:
            self.undecided.append((what, reason, place, dag))

    def variable(self, machine: Machine, key: object, default: bool, node: ast.AST, scope: Scope) -> None:
        """Note that a Variable is read."""
        place = machine.place(node, scope)
        if isinstance(key, str):
            self._add(self.variables, key, place, machine.current_dag, default=default)
        else:
            self._undecided("variables", "The key of a Variable that is read is not known", place, machine.current_dag)

    def connection(
        self, machine: Machine, conn_id: object, node: ast.AST, scope: Scope, dag: Dag | None = None
    ) -> None:
        """Note that a connection is named."""
        place = machine.place(node, scope)
        if isinstance(conn_id, str):
            if conn_id and "{{" not in conn_id:
                self._add(self.connections, conn_id, place, dag or machine.current_dag)
        elif isinstance(conn_id, Unknown):
            self._undecided(
                "connections", f"A connection id is not known: {conn_id.reason}", place, machine.current_dag
            )

    def environment_variable(self, machine: Machine, name: object, node: ast.AST, scope: Scope) -> None:
        """Note that an environment variable is read."""
        place = machine.place(node, scope)
        if isinstance(name, str):
            self._add(self.environment, name, place, machine.current_dag)
        else:
            self._undecided(
                "environment", "The name of an environment variable is not known", place, machine.current_dag
            )

    def data_file(self, path: str) -> None:
        """Note that a file of the package is read as data."""
        self.data_files.add(path)

    def called(self, machine: Machine, function: External, arguments: Arguments, node: ast.AST, scope: Scope) -> None:
        """Note what an evaluated call of something that is not read names."""
        if function.path in ENVIRONMENT:
            self.environment_variable(machine, arguments.get("key", 0), node, scope)
        hook = function.name.endswith("Hook")
        named = False
        for name, value in arguments.keywords.items():
            if name.endswith("conn_id"):
                named = True
                self.connection(machine, value, node, scope)
            elif name in IMAGE_KEYWORDS and isinstance(value, str):
                self._add(self.images, value, machine.place(node, scope), machine.current_dag)
        if hook and not named:
            self._hook(machine, function.path, arguments, node, scope)

    def _hook(self, machine: Machine, path: str, arguments: Arguments, node: ast.AST, scope: Scope) -> None:
        if arguments.positional:
            self.connection(machine, arguments.positional[0], node, scope)
            return
        known = catalogue.find(path)
        for conn_id in known.connections.values() if known is not None else ():
            self.connection(machine, conn_id, node, scope)

    def task_called(self, machine: Machine, task: Task, arguments: Arguments, node: ast.AST, scope: Scope) -> None:
        """Note what a task's own arguments name; its DAG is known only later, so the task is asked then."""
        del machine, task, arguments, node, scope

    def scan(self, machine: Machine, tree: ast.Module, scope: Scope) -> None:
        """Look at what was not evaluated, and at every text."""
        _Scanner(self, machine, scope).walk(tree)


class _Scanner:
    """Walk over a module's tree, knowing which names are a function's own."""

    def __init__(self, needs: Needs, machine: Machine, scope: Scope) -> None:
        self.needs = needs
        self.machine = machine
        self.scope = scope

    def walk(self, tree: ast.Module) -> None:
        """Visit every node once, without recursion."""
        waiting: list[tuple[ast.AST, frozenset[str]]] = [(tree, frozenset())]
        while waiting:
            node, own = waiting.pop()
            if isinstance(node, ast.Constant):
                if isinstance(node.value, str):
                    self._text(node, node.value)
                continue
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                own = own | _own_names(node)
                self._defaults(node)
            elif isinstance(node, ast.Call) and id(node) not in self.machine.evaluated:
                self._call(node, own)
            elif isinstance(node, ast.Subscript) and self._path(node.value, own) == "os.environ":
                name = self._value(node.slice, own)
                self.needs.environment_variable(self.machine, name, node, self.scope)
            waiting.extend((child, own) for child in ast.iter_child_nodes(node))

    def _text(self, node: ast.AST, text: str) -> None:
        place = self.machine.place(node, self.scope)
        for key, default in template_variables(text):
            self.needs._add(self.needs.variables, key, place, None, default=default)
        for conn_id in template_connections(text):
            self.needs._add(self.needs.connections, conn_id, place, None)
        for path in named_files(self.machine, text, self.scope):
            self.needs.data_file(path)

    def _defaults(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """Note defaults of parameters that are connection ids."""
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        pairs = [
            *zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]
        for argument, default in pairs:
            if default is not None and argument.arg.endswith("conn_id"):
                value = self._value(default, frozenset())
                if isinstance(value, str):
                    self.needs.connection(self.machine, value, default, self.scope)

    def _call(self, node: ast.Call, own: frozenset[str]) -> None:
        path = self._path(node.func, own)
        name = path.rpartition(".")[2] if path else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        first = self._first(node, own)
        for keyword in node.keywords:
            if keyword.arg and keyword.arg.endswith("conn_id"):
                self._connection(keyword.value, own)
            elif keyword.arg in IMAGE_KEYWORDS:
                value = self._value(keyword.value, own)
                if isinstance(value, str):
                    self.needs._add(self.needs.images, value, self.machine.place(node, self.scope), None)
        if path is not None:
            self._named_call(path, name, first, node)
        elif name == "get_connection" and node.args:
            self._connection(node.args[0], own)

    def _named_call(self, path: str, name: str, first: object, node: ast.Call) -> None:
        """Note what a call of something that is not read names by its first argument."""
        if path.endswith(("Variable.get", "Variable.setdefault")) and path.startswith("airflow."):
            default = len(node.args) > 1 or any(k.arg in {"default", "default_var"} for k in node.keywords)
            self.needs.variable(self.machine, first, default or name == "setdefault", node, self.scope)
        elif path in ENVIRONMENT:
            self.needs.environment_variable(self.machine, first, node, self.scope)
        elif name == "get_connection" or path.endswith("Connection.get"):
            self._connection_value(first, node)
        elif name.endswith("Hook") and not any(k.arg and k.arg.endswith("conn_id") for k in node.keywords):
            arguments = Arguments([first] if node.args else [])
            self.needs._hook(self.machine, path, arguments, node, self.scope)

    def _first(self, node: ast.Call, own: frozenset[str]) -> object:
        if node.args:
            return self._value(node.args[0], own)
        for keyword in node.keywords:
            if keyword.arg in {"key", "conn_id"}:
                return self._value(keyword.value, own)
        return None

    def _connection(self, node: ast.expr, own: frozenset[str]) -> None:
        """Note a connection id; one that is a parameter or an attribute of that name is given elsewhere."""
        if isinstance(node, ast.Name) and node.id in own and node.id.endswith("conn_id"):
            return
        if isinstance(node, ast.Attribute) and node.attr.endswith("conn_id"):
            return
        self._connection_value(self._value(node, own), node)

    def _connection_value(self, value: object, node: ast.AST) -> None:
        self.needs.connection(self.machine, value, node, self.scope)

    def _path(self, node: ast.expr, own: frozenset[str]) -> str | None:
        """Give the dotted path that a name or attribute stands for."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in own:
            return self._imported_inside(node, names) if isinstance(node, ast.Name) else None
        value = self.scope.names.get(node.id)
        if not isinstance(value, External):
            return None
        return ".".join([value.path, *reversed(names)])

    def _imported_inside(self, node: ast.Name, names: list[str]) -> str | None:
        """Resolve the names that function bodies import most."""
        known = {"Variable": "airflow.sdk.Variable", "os": "os", "BaseHook": "airflow.sdk.BaseHook"}.get(node.id)
        known = known or (f"airflow.{node.id}" if node.id.endswith("Hook") else None)
        return ".".join([known, *reversed(names)]) if known else None

    def _value(self, node: ast.expr, own: frozenset[str]) -> object:
        """Evaluate an argument that calls nothing and uses no name of its function."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and inner.id in own:
                return self.machine.unknown("It is computed when the task runs", node, self.scope)
            if isinstance(inner, ast.Call | ast.NamedExpr | ast.comprehension | ast.Lambda | ast.Await | ast.Yield):
                return self.machine.unknown("It is computed when the task runs", node, self.scope)
        from festaf.sharing.reading.machine import RaisedError

        try:
            return self.machine.evaluate(node, self.scope)
        except RaisedError:
            return self.machine.unknown("It is computed when the task runs", node, self.scope)


def _own_names(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
    return frozenset(names)


def template_variables(text: str) -> Iterator[tuple[str, bool]]:
    """Give the Variables that a template reads, and whether it gives a default."""
    if "var." in text:
        for match in TEMPLATE_VARIABLE.finditer(text):
            key = match[1] or match[3]
            if key != "get":
                yield key, bool(match[2])


def template_connections(text: str) -> Iterator[str]:
    """Give the connections that a template reads."""
    if "conn." in text and "{{" in text:
        for match in TEMPLATE_CONNECTION.finditer(text):
            conn_id = match[1] or match[2]
            if conn_id != "get":
                yield conn_id


def named_files(machine: Machine, text: str, scope: Scope) -> Iterator[str]:
    """Give the files that a text names: beside the file, at the root, or where templates are searched."""
    if not 2 < len(text) < 300 or "\n" in text or ("." not in text and "/" not in text):
        return
    path = inside(text)
    if path is not None:
        if path in machine.modules.sources and not path.endswith(".py"):
            yield path
        return
    name = text.removeprefix("./").lstrip("/")
    if name.endswith(".py"):
        return
    folder = scope.module.path.rpartition("/")[0]
    home = machine.path.rpartition("/")[0]
    for base in dict.fromkeys((folder, home, "", *searched(machine))):
        candidate = f"{base}/{name}" if base else name
        if candidate in machine.modules.sources:
            yield candidate


def searched(machine: Machine) -> Iterator[str]:
    """Give the folders of the package where the DAGs search templates."""
    for dag in machine.dags:
        value = dag.option("template_searchpath")
        for item in value if isinstance(value, list | tuple) else (value,):
            folder = inside(item)
            if folder is not None:
                yield folder
            elif isinstance(item, str) and not item.startswith("/"):
                yield item.strip("/")
