"""Paths in the package, and the files of the package that code reads as data.

Where the package lies on a disk is not known. Its root stands as a folder of a name that nothing else has, and text
that contains this name is never shown as a decided value.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from festaf.sharing.reading.bounds import MAXIMUM_ITEMS, MAXIMUM_TEXT
from festaf.sharing.reading.values import Arguments, Dict, External, List, Made, Unknown

if TYPE_CHECKING:
    import ast

    from festaf.sharing.reading.machine import Machine
    from festaf.sharing.reading.scope import Scope

ROOT = "/\N{BULLET}package\N{BULLET}"


def inside(value: object) -> str | None:
    """Give the path in the package that a value names, or None when it lies elsewhere."""
    text = str(value) if isinstance(value, PurePosixPath) else value
    if not isinstance(text, str) or not text.startswith(ROOT):
        return None
    parts: list[str] = []
    for part in text[len(ROOT) :].split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def placeless(value: object) -> bool:
    """Say whether a text depends on where the package lies."""
    return isinstance(value, str) and ROOT[1:] in value


def path_method(
    machine: Machine, owner: PurePosixPath, name: str, arguments: Arguments, node: ast.AST, scope: Scope
) -> object:
    """Call a method of a path that asks the disk: answered from the package's files when it lies there."""
    path = inside(owner)
    if path is not None:
        files = machine.modules.sources
        if name in {"exists", "is_file"} and path in files:
            return True
        if name in {"read_text", "open"}:
            made = Made(External("builtins.open"), (str(owner),))
            return made if name == "open" else read(machine, made, node, scope)
        if name in {"glob", "rglob", "iterdir"}:
            pattern = arguments.get("pattern", 0, "*")
            if isinstance(pattern, str):
                return _glob(machine, path, pattern, name == "rglob", node, scope)
    return machine.plain("What lies on the disk is not known", node, scope)


def _glob(machine: Machine, folder: str, pattern: str, deep: bool, node: ast.AST, scope: Scope) -> object:
    """List the package's files: which others there are on the author's disk is not known."""
    found: list[object] = []
    prefix = f"{folder}/" if folder else ""
    for path in sorted(machine.modules.sources)[:MAXIMUM_ITEMS]:
        rest = path[len(prefix) :] if path.startswith(prefix) else ""
        flat = "/" not in rest or deep or "**" in pattern
        if rest and flat and fnmatchcase(rest.rpartition("/")[2], pattern.rpartition("/")[2]):
            found.append(PurePosixPath(f"{ROOT}/{path}"))
    machine.budget.make(len(machine.modules.sources))
    return List(found, machine.doubt, machine.plain("Which files there are is only known on the disk", node, scope))


def read(machine: Machine, opened: object, node: ast.AST, scope: Scope) -> object:
    """Give the text of an opened file of the package."""
    name = opened.positional[0] if isinstance(opened, Made) and opened.positional else opened
    path = inside(name)
    if path is not None:
        machine.needs.data_file(path)
        content = machine.modules.sources.get(path)
        if content is not None and len(content) <= MAXIMUM_TEXT:
            machine.budget.make(len(content))
            return content.decode("utf-8", "replace")
    return machine.plain("The content of a file is not known", node, scope)


def load_json(machine: Machine, text: object, node: ast.AST, scope: Scope) -> object:
    """Parse JSON that is known."""
    if isinstance(text, str):
        try:
            return from_plain(machine, json.loads(text))
        except (ValueError, RecursionError):
            return machine.plain("A JSON text cannot be parsed", node, scope)
    return text if isinstance(text, Unknown) else machine.plain("A JSON text is not known", node, scope)


def load_yaml(machine: Machine, text: object, node: ast.AST, scope: Scope) -> object:
    """Parse YAML that is known and has no anchors, with the safe loader and nothing else."""
    if isinstance(text, Made):
        text = read(machine, text, node, scope)
    if isinstance(text, str) and len(text) <= MAXIMUM_TEXT and "&" not in text:
        try:
            import yaml  # type: ignore[import-untyped]  # It brings no types.

            return from_plain(machine, yaml.safe_load(text))
        except Exception:
            return machine.plain("A YAML text cannot be parsed", node, scope)
    return text if isinstance(text, Unknown) else machine.plain("A YAML text is not known", node, scope)


def from_plain(machine: Machine, value: object, depth: int = 0) -> object:
    """Make an evaluated value of parsed data."""
    machine.budget.step()
    if depth > 50:
        return Unknown("Data is nested deeper than what is read")
    if isinstance(value, dict):
        return Dict({key: from_plain(machine, item, depth + 1) for key, item in value.items()}, machine.doubt)
    if isinstance(value, list):
        return List([from_plain(machine, item, depth + 1) for item in value], machine.doubt)
    return value
