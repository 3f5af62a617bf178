"""A module that is in step with a notebook: percent cells whose markers carry the cells' ids.

The first line says with which notebook, and with a hash how both were when they were last in step. Jupytext and the
editors that know ``# %%`` read it as cells.
"""

from __future__ import annotations

import ast
import hashlib
import io
import itertools
import json
import re
import tokenize
from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.provider.notebooks.errors import UnreadableError
from festaf.provider.notebooks.function import render

if TYPE_CHECKING:
    from festaf.provider.notebooks.blueprint import Blueprint

STATE = re.compile(r"# festaf: in step with (?P<notebook>.+), (?P<hash>[0-9a-f]{16})\n")
MARKER = re.compile(
    r"# %%(?P<kind>[ \t]+\[markdown\])?(?:[ \t]+\[nb:(?P<id>[A-Za-z0-9_-]{1,64})\])?(?P<rest>[ \t].*)?$"
)


@dataclass(frozen=True)
class Part:
    """A cell as it stands in a module; ``id`` is empty when the module's author added it."""

    id: str
    tags: tuple[str, ...]
    text: str
    line: int = 0

    @property
    def canonical(self) -> tuple[str, tuple[str, ...], str]:
        """What counts: not the empty lines around, which formatters set."""
        return (self.id, self.tags, _trimmed(self.text))


@dataclass(frozen=True)
class Module:
    """A module taken apart; the parts' texts and the preamble make it up without a rest."""

    preamble: str
    parts: tuple[Part, ...]
    state: str | None = None
    notebook: str | None = None

    @property
    def hash(self) -> str:
        """A hash of all that counts."""
        return hash_of(self.parts)


def hash_of(parts: tuple[Part, ...]) -> str:
    """Hash what counts of some parts."""
    return hashlib.sha256(json.dumps([part.canonical for part in parts]).encode()).hexdigest()[:16]


def parts_of(plan: Blueprint) -> tuple[Part, ...]:
    """Write the tagged cells of a notebook as parts of a module."""
    parts = []
    for cell in plan.document.cells:
        if cell.role is not None:
            task = plan.task_of(cell)
            parts.append(Part(cell.id, tuple(cell.tags), render(task) if task else cell.source))
    return tuple(parts)


def marker(part: Part) -> str:
    """Write the line above a part."""
    return f"# %% [nb:{part.id}] tags={json.dumps(list(part.tags), ensure_ascii=False)}"


def write_module(module: Module, old: Module | None = None) -> str:
    """Write a module; parts that say the same as before stay as they were, with their empty lines."""
    kept = {part.id: part for part in old.parts} if old else {}
    text = f"# festaf: in step with {module.notebook}, {module.state}\n" + module.preamble
    for part in module.parts:
        before = kept.get(part.id)
        if before is not None and before.canonical == part.canonical:
            body = before.text
        elif before is not None:
            body = _trimmed(part.text) + before.text[len(before.text.rstrip()) :]
        else:
            is_function = part.text.lstrip().startswith(("def ", "async def ", "class ", "@"))
            text = text.rstrip("\n") + ("\n\n\n" if is_function else "\n\n")
            body = _trimmed(part.text) + "\n\n\n"
        text = text if text.endswith("\n") else text + "\n"
        text += f"{marker(part)}\n{body}"
    return text if not module.parts or module.parts[-1].id in kept else text.rstrip("\n") + "\n"


def read_module(text: str, name: str) -> Module:
    """Take a module apart at its markers; a marker inside a string is none."""
    try:
        tree = ast.parse(text)
        comments = comment_lines(text)
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError) as error:
        raise UnreadableError(f"{name} is no valid Python, so nothing is taken from it: {error}") from error
    found = STATE.match(text)
    lines = text.split("\n")
    starts = [number for number in comments if MARKER.match(lines[number - 1])]
    body_start = (starts[0] - 1) if starts else len(lines)
    preamble_end = _preamble_end(tree, body_start)
    offset = 1 if found else 0
    preamble = "\n".join([*lines[offset:preamble_end], ""]) if preamble_end < len(lines) else "\n".join(lines[offset:])
    parts = []
    if loose := "\n".join(lines[preamble_end:body_start]).strip("\n"):
        parts.append(Part("", ("export",), loose, preamble_end + 1))
    for start, end in itertools.pairwise([*starts, len(lines) + 1]):
        parts += _split(lines, start, end, tree, name)
    _check_ids(parts, name)
    return Module(preamble, tuple(parts), found["hash"] if found else None, found["notebook"] if found else None)


def _check_ids(parts: list[Part], name: str) -> None:
    ids = [part.id for part in parts if part.id]
    for part in parts:
        if part.id and ids.count(part.id) > 1:
            raise UnreadableError(
                f"{name} has the marker [nb:{part.id}] twice; give the second none, and it becomes a new cell"
            )


def _split(lines: list[str], start: int, end: int, tree: ast.Module, name: str) -> list[Part]:
    """Read one marked part; what follows the function of a task is a part of its own."""
    found = MARKER.match(lines[start - 1])
    tags = _tags(found["rest"] if found else "", f"{name}, line {start}")
    cell_id = (found["id"] if found else None) or ""
    statements = [node for node in tree.body if start < node.lineno < end]
    if "task" not in tags or len(statements) < 2:
        return [Part(cell_id, tags, "\n".join(lines[start : end - 1]) + ("\n" if end <= len(lines) else ""), start)]
    cut = statements[0].end_lineno or start
    rest = "\n".join(lines[cut : end - 1]).strip("\n")
    return [Part(cell_id, tags, "\n".join(lines[start:cut]) + "\n", start), Part("", ("export",), rest, cut + 1)]


def _tags(rest: str | None, label: str) -> tuple[str, ...]:
    from jupytext.cell_metadata import parse_key_equal_value

    metadata = parse_key_equal_value((rest or "").strip())
    tags = metadata.get("tags", ["export"])
    if not isinstance(tags, list) or not set(tags) & {"parameters", "export", "task"}:
        raise UnreadableError(f'{label}: the marker needs tags with one of "parameters", "export" and "task"')
    return tuple(str(tag) for tag in tags)


def _preamble_end(tree: ast.Module, before: int) -> int:
    """The last line of the docstring and the future imports, which belong to the module alone."""
    end = 0
    for position, node in enumerate(tree.body):
        is_doc = position == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if node.lineno > before:
            return before
        if not is_doc and not is_future:
            return end or node.lineno - 1
        end = node.end_lineno or end
    return before


def comment_lines(text: str) -> list[int]:
    """Give the numbers of the lines that are comments from their first column, not those inside strings."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [part.start[0] for part in tokens if part.type == tokenize.COMMENT and part.start[1] == 0]


def _trimmed(text: str) -> str:
    """Take away the empty lines around a text."""
    lines = text.split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join(lines)
