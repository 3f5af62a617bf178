"""Notebooks for tests, written by hand as Jupyter would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

STREAM = {"output_type": "stream", "name": "stdout", "text": ["é\n"]}


def code(source: str, *tags: str, **settings: Any) -> dict[str, Any]:
    """Make a code cell that ran."""
    metadata: dict[str, Any] = {"collapsed": False}
    if tags:
        metadata["tags"] = list(tags)
    if settings:
        metadata["festaf"] = settings
    cell = {"cell_type": "code", "execution_count": 7, "metadata": metadata, "outputs": [STREAM]}
    return cell | {"source": source.splitlines(keepends=True)}


def text(source: str) -> dict[str, Any]:
    """Make a Markdown cell with a picture in it."""
    cell = {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell | {"attachments": {"a.png": {"image/png": "iVBORw0KGgo="}}}


def notebook(*cells: dict[str, Any], ids: bool = True, **metadata: Any) -> dict[str, Any]:
    """Make a notebook; its cells are called c1, c2 and so on."""
    made = [{"id": f"c{number}"} | cell if ids else cell for number, cell in enumerate(cells, 1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel} | metadata
    return {"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5 if ids else 4}


def save(path: Path, content: dict[str, Any]) -> Path:
    """Write a notebook as Jupyter does."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def sources(path: Path) -> list[str]:
    """Give the sources of a notebook's cells."""
    return ["".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"]]


def late_flights() -> dict[str, Any]:
    """Give a small notebook with every role."""
    return notebook(
        text("# Late flights\n\nHow many leave *late*?"),
        code("import json\n\n\ndef double(x):\n    return 2 * x", "export"),
        code('limit = 15  # minutes\nairport = "JFK"', "parameters"),
        text("## Read rows"),
        code('rows = [3, 20, 40]\nif airport == "LGA":\n    rows = rows[:1]', "task"),
        text("## Count late\n\nLate is late."),
        code("# How late.\nlate = [double(row) for row in rows if row > limit]\ncount = len(late)", "task"),
        code("print(late)  # a look"),
        text("## Summary"),
        code('summary = json.dumps({"count": count, "of": len(rows)})\nsummary', "task"),
    )
