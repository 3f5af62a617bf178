"""Make what is known of the providers' operators, hooks and decorators: tables in ``sharing/reading/airflow``.

    python -m benchmarks.operators_table SITE_PACKAGES

Reads the sources of the providers that are installed in a site-packages folder (without their dependencies is enough:
nothing is imported) and writes, for each operator, sensor and hook: its templated fields, the default of each parameter
that is a connection id, and the names of its parameters, with what it inherits.
"""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "sharing" / "reading" / "airflow"
TABLE = FOLDER / "operators.json"
DECORATORS = FOLDER / "decorators.json"
FOLDERS = {"operators", "sensors", "transfers", "hooks", "decorators", "notifications"}


@dataclass
class Class:
    """A class as its text says it."""

    path: str
    bases: list[str]
    fields: list[str] | None = None
    added: list[str] = field(default_factory=list)
    connections: dict[str, str] = field(default_factory=dict)
    parameters: list[str] = field(default_factory=list)


def main(site_packages: str) -> None:
    root = Path(site_packages)
    classes: dict[str, Class] = {}
    for folder in (root / "airflow" / "providers", root / "airflow" / "sdk" / "bases"):
        for file in sorted(folder.rglob("*.py")):
            if "example_dags" not in file.parts:
                read(file, root, classes)
    known = {}
    for path, made in sorted(classes.items()):
        parts = path.split(".")
        if not FOLDERS & set(parts) or made.path.rpartition(".")[2].startswith("_Base"):
            continue
        fields, connections, parameters = complete(made, classes, 0)
        if fields or connections:
            connections = {name: conn for name, value in connections.items() if (conn := _resolved(value, classes))}
            known[path] = [sorted(set(fields)), connections, sorted(set(parameters))]
    DECORATORS.write_text(json.dumps(dict(sorted(decorators(root))), indent=0) + "\n")
    lines = ",\n".join(
        f"{json.dumps(path)}: {json.dumps(entry, separators=(',', ':'))}" for path, entry in known.items()
    )
    TABLE.write_text("{\n" + lines + "\n}\n")
    print(
        f"{len(known)} classes of {len({path.split('.')[2] for path in known})} providers, {TABLE.stat().st_size} bytes"
    )


def read(file: Path, root: Path, classes: dict[str, Class]) -> None:
    """Read the classes of a file."""
    module = ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    tree = ast.parse(file.read_bytes())
    names: dict[str, str] = {}
    constants: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            constants.update({t.id: node.value.value for t in node.targets if isinstance(t, ast.Name)})
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            made = Class(f"{module}.{node.name}", [_base(base, names, module) for base in node.bases])
            for item in node.body:
                _body(made, item, constants)
            classes.setdefault(made.path, made)


def decorators(root: Path) -> Iterator[tuple[str, str]]:
    """Give the operator's class of each kind of ``@task``, from what the providers register."""
    for file in sorted((root / "airflow" / "providers").rglob("get_provider_info.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Dict):
                texts = {k.value: v.value for k, v in zip(node.keys, node.values, strict=True) if _text(k) and _text(v)}
                if set(texts) == {"class-name", "name"}:
                    name = _decorated(root, texts["class-name"])
                    if name is not None:
                        yield texts["name"], name


def _text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _decorated(root: Path, path: str) -> str | None:
    """Find the class that a decorator's function hands to the factory."""
    module, _, name = path.rpartition(".")
    file = root / f"{module.replace('.', '/')}.py"
    if not file.is_file():
        return None
    tree = ast.parse(file.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            for inner in ast.walk(node):
                if isinstance(inner, ast.keyword) and inner.arg == "decorated_operator_class":
                    return ast.unparse(inner.value).rpartition(".")[2]
    return None


def _base(node: ast.expr, names: dict[str, str], module: str) -> str:
    if isinstance(node, ast.Subscript):
        node = node.value
    name = ast.unparse(node)
    return names.get(name, f"{module}.{name}")


def _body(made: Class, item: ast.stmt, constants: dict[str, object]) -> None:
    if isinstance(item, ast.Assign | ast.AnnAssign) and item.value is not None:
        targets = item.targets if isinstance(item, ast.Assign) else [item.target]
        for target in targets:
            if isinstance(target, ast.Name) and target.id == "template_fields":
                _fields(made, item.value)
            if isinstance(target, ast.Name) and target.id == "default_conn_name":
                value = _value(item.value, constants)
                if isinstance(value, str):
                    made.connections["conn_id"] = value
    elif isinstance(item, ast.FunctionDef) and item.name == "__init__":
        arguments = item.args
        positional = [*arguments.posonlyargs, *arguments.args]
        named = (argument.arg for argument in (*positional, *arguments.kwonlyargs))
        made.parameters = [name for name in named if name.endswith("conn_id")]
        pairs = [
            *zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]
        for argument, default in pairs:
            value = _value(default, constants) if default is not None else None
            if argument.arg.endswith("conn_id") and isinstance(value, str):
                made.connections[argument.arg] = value


def _value(node: ast.expr, constants: dict[str, object]) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Attribute) and node.attr == "default_conn_name":
        return f"@{ast.unparse(node.value)}"
    return constants.get(node.id) if isinstance(node, ast.Name) else None


def _fields(made: Class, node: ast.expr) -> None:
    """Take the texts of a literal; what is added to an inherited tuple is kept apart."""
    texts = [
        inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
    ]
    inherits = any(
        isinstance(inner, ast.Attribute | ast.Name | ast.Call | ast.GeneratorExp) for inner in ast.walk(node)
    )
    if inherits:
        made.added = texts
    else:
        made.fields = texts


def complete(made: Class, classes: dict[str, Class], depth: int) -> tuple[list[str], dict[str, str], list[str]]:
    """Add what a class inherits."""
    fields, connections, parameters = list(made.added), dict(made.connections), list(made.parameters)
    own = made.fields
    for base in made.bases if depth < 12 else ():
        parent = classes.get(base) or _moved(base, classes)
        if parent is None or parent is made:
            continue
        theirs, conns, params = complete(parent, classes, depth + 1)
        fields += theirs if own is None else []
        for name, value in conns.items():
            connections.setdefault(name, value)
        parameters += params
    return [*(own or []), *fields] if own is not None else fields, connections, parameters


def _resolved(value: str, classes: dict[str, Class]) -> str | None:
    """Give a default that is another class's default by that class."""
    if not value.startswith("@"):
        return value
    for path, made in classes.items():
        if path.rpartition(".")[2] == value[1:]:
            return made.connections.get("conn_id")
    return None


def _moved(path: str, classes: dict[str, Class]) -> Class | None:
    """Find a class that is imported from where it is not defined."""
    name = path.rpartition(".")[2]
    found = [made for other, made in classes.items() if other.rpartition(".")[2] == name]
    return found[0] if len(found) == 1 else None


if __name__ == "__main__":
    main(sys.argv[1])
