"""The way back from a DAG file that was written from a notebook: its markers say which cell each piece was."""

from __future__ import annotations

import ast
import re
from typing import Any

from festaf.provider.notebooks.blueprint import draw, task_name
from festaf.provider.notebooks.dag_file import DEFAULTS, write_dag
from festaf.provider.notebooks.document import Cell, Document
from festaf.provider.notebooks.errors import NotebookError
from festaf.provider.notebooks.function import derived_signature, take_apart
from festaf.provider.notebooks.indentation import STEP
from festaf.provider.notebooks.module import MARKER, comment_lines

HEAD = re.compile(r"# festaf: written from (?P<notebook>.+?)(?:, \[nb:(?P<id>[\w-]+)\])?\n")


def restore(text: str) -> Document | None:
    """Give the notebook, or None when the file would not come of it again: then its text is carried as it is."""
    head = HEAD.match(text)
    if head is None:
        return None
    try:
        tree = ast.parse(text)
        document = _document(text, tree, head["id"])
        again = write_dag(document, head["notebook"], {}).text
    except (NotebookError, SyntaxError, ValueError, LookupError):
        return None
    return document if again == text else None


def _document(text: str, tree: ast.Module, doc_id: str | None) -> Document:
    definition = tree.body[-2]
    if not isinstance(definition, ast.FunctionDef):
        raise ValueError(text)
    end = definition.decorator_list[0].lineno
    lines = text.split("\n")
    starts = [number for number in comment_lines(text) if MARKER.match(lines[number - 1])]
    cells: list[Cell] = []
    if doc_id:
        cells.append(Cell.made("markdown", _undone(ast.get_docstring(tree, clean=False) or "", ""), doc_id))
    written: list[tuple[Cell, str]] = []
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        cells += _cells(lines[start - 1], "\n".join(lines[start : stop - 1]).strip("\n"), written)
    document = blank(cells)
    document.settings = {"dag": _arguments(definition)}
    for cell, source in written:
        _take_head(document, cell, source)
    return document


def blank(cells: list[Cell]) -> Document:
    """Make a notebook of cells."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": [], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return Document(content, cells)


def _cells(line: str, text: str, written: list[tuple[Cell, str]]) -> list[Cell]:
    """Make the cell of a piece, and the text above it when that is its docstring."""
    from jupytext.cell_metadata import parse_key_equal_value

    found = MARKER.match(line)
    if found is None:
        raise ValueError(line)
    if found["kind"]:
        return [Cell.made("markdown", "\n".join(part[2:] for part in text.split("\n")), found["id"])]
    metadata = parse_key_equal_value((found["rest"] or "").strip())
    cell = Cell.made("code", text, found["id"], list(metadata["tags"]))
    cell.settings = metadata.get("festaf", {})
    above = []
    if cell.role == "task":
        doc = metadata.get("doc")
        if doc:
            function = ast.parse(text).body[0]
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                raise ValueError(text)
            above.append(Cell.made("markdown", _undone(ast.get_docstring(function, clean=False) or "", STEP), str(doc)))
            first = function.body[0]
            parts = text.split("\n")
            text = "\n".join([*parts[: first.lineno - 1], *parts[first.end_lineno :]])
        cell.source = take_apart(text, found["id"]).body
        written.append((cell, text))
    return [*above, cell]


def _take_head(document: Document, cell: Cell, source: str) -> None:
    """Keep what was edited in the head of a function, as a sync does."""
    head = take_apart(source, cell.id)
    if head.name != task_name(document, cell):
        cell.settings = cell.settings | {"name": head.name}
    task = draw(document).task_of(cell)
    if task is not None and head.signature != derived_signature(task):
        cell.settings = cell.settings | {"signature": head.signature}
    if task is not None and head.returns != task.returns:
        cell.settings = cell.settings | {"returns": list(head.returns)}


def _undone(text: str, margin: str) -> str:
    """Take the margin of a docstring back."""
    lines = text.split("\n")
    if len(lines) == 1:
        return text
    return "\n".join([lines[0], *(line.removeprefix(margin) for line in lines[1:-1])])


def _arguments(definition: ast.FunctionDef) -> dict[str, Any]:
    """Read the DAG's arguments back into the notebook's metadata."""
    call = definition.decorator_list[0]
    if not isinstance(call, ast.Call):
        raise ValueError(ast.unparse(call))
    given: dict[str, Any] = {}
    for word in call.keywords:
        name = str(word.arg)
        if name == "start_date" and isinstance(word.value, ast.Call):
            year, month, day = (ast.literal_eval(part) for part in word.value.args)
            given[name] = f"{year:04}-{month:02}-{day:02}"
        elif name == "default_args":
            given |= {key: value for key, value in ast.literal_eval(word.value).items() if key in DEFAULTS}
        elif name != "doc_md":
            given[name] = ast.literal_eval(word.value)
    return {key: value for key, value in given.items() if value not in (None, False)}
