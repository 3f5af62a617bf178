"""A notebook file: what is not changed stays as it was, to the byte where JSON allows.

The JSON is edited, not rebuilt: keys keep their order, indentation and escapes stay as the last writer had them.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from festaf.provider.notebooks.errors import UnreadableError

FORMAT = 4
WITH_IDS = 5
"""The minor version since which every cell has an id."""
EXPORT = "export"
TASK = "task"
PARAMETERS = "parameters"
ROLES = (PARAMETERS, EXPORT, TASK)
LANGUAGES = ("python", "python3", "ipython", "ipython3")


@dataclass(eq=False)
class Cell:
    """A cell; ``content`` is the JSON object that is written back."""

    content: dict[str, Any]

    @property
    def id(self) -> str:
        """The id that stays with the cell through all edits."""
        return str(self.content.get("id", ""))

    @property
    def kind(self) -> str:
        """``code``, ``markdown`` or ``raw``."""
        return str(self.content.get("cell_type"))

    @property
    def source(self) -> str:
        """The text of the cell."""
        source = self.content.get("source", "")
        return source if isinstance(source, str) else "".join(source)

    @source.setter
    def source(self, text: str) -> None:
        as_text = isinstance(self.content.get("source"), str)
        self.content["source"] = text if as_text else text.splitlines(keepends=True)

    @property
    def metadata(self) -> dict[str, Any]:
        """The cell's metadata, made when it has none."""
        metadata: dict[str, Any] = self.content.setdefault("metadata", {})
        return metadata

    @property
    def tags(self) -> list[str]:
        """The cell's tags."""
        tags = self.content.get("metadata", {}).get("tags", [])
        return [str(tag) for tag in tags] if isinstance(tags, list) else []

    @tags.setter
    def tags(self, tags: list[str]) -> None:
        self.metadata["tags"] = tags

    @property
    def role(self) -> str | None:
        """What the cell is for outside of the notebook, by its tag; None when it stays inside."""
        tags = self.tags
        return next((role for role in ROLES if role in tags), None) if self.kind == "code" else None

    @property
    def settings(self) -> dict[str, Any]:
        """What the cell's metadata say to festaf."""
        settings = self.content.get("metadata", {}).get("festaf", {})
        return dict(settings) if isinstance(settings, dict) else {}

    @settings.setter
    def settings(self, settings: dict[str, Any]) -> None:
        if settings:
            self.metadata["festaf"] = settings
        else:
            self.metadata.pop("festaf", None)

    @classmethod
    def made(cls, kind: str, source: str, cell_id: str, tags: list[str] | None = None) -> Cell:
        """Make a new cell."""
        content: dict[str, Any] = {"cell_type": kind, "id": cell_id, "metadata": {"tags": tags} if tags else {}}
        if kind == "code":
            content |= {"execution_count": None, "outputs": []}
        return cls(content | {"source": source.splitlines(keepends=True)})


@dataclass
class Document:
    """A notebook with the way its file is laid out."""

    content: dict[str, Any]
    cells: list[Cell]
    indent: int | str | None = 1
    separators: tuple[str, str] = (",", ": ")
    ascii_only: bool = False
    ending: str = "\n"
    with_bom: bool = field(default=False, repr=False)

    @property
    def settings(self) -> dict[str, Any]:
        """What the notebook's metadata say to festaf."""
        settings = self.content.get("metadata", {}).get("festaf", {})
        return dict(settings) if isinstance(settings, dict) else {}

    @settings.setter
    def settings(self, settings: dict[str, Any]) -> None:
        metadata = self.content.setdefault("metadata", {})
        if settings:
            metadata["festaf"] = settings
        else:
            metadata.pop("festaf", None)

    def text(self) -> str:
        """Give the file's text."""
        content = {
            key: [cell.content for cell in self.cells] if key == "cells" else self.content[key] for key in self.content
        }
        return (
            json.dumps(content, indent=self.indent, separators=self.separators, ensure_ascii=self.ascii_only)
            + self.ending
        )

    def give_ids(self) -> None:
        """Give an id to every cell without one; the same notebook gets the same ids."""
        if self.content.get("nbformat_minor", 0) < WITH_IDS:
            self.content["nbformat_minor"] = WITH_IDS
        taken = {cell.id for cell in self.cells if cell.id}
        for position, cell in enumerate(self.cells):
            if not cell.id:
                given = fresh_id(f"{position}\n{cell.source}", taken)
                rest = dict(cell.content)
                cell.content.clear()
                cell.content.update({"cell_type": rest.pop("cell_type"), "id": given} | rest)

    def label(self, cell: Cell) -> str:
        """Name a cell for people: by its place and its id."""
        return f"cell {self.cells.index(cell) + 1} [{cell.id}]"


def fresh_id(seed: str, taken: set[str]) -> str:
    """Make an id from a text, and note that it is taken."""
    attempt = 0
    while (given := hashlib.sha256(f"{attempt}\n{seed}".encode("utf-8", "replace")).hexdigest()[:8]) in taken:
        attempt += 1
    taken.add(given)
    return given


def read_document(text: str, name: str) -> Document:
    """Read a notebook's text, or say why it is none that can be worked with."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{name} is no notebook: its JSON cannot be read ({error})") from error
    if not isinstance(content, dict) or "nbformat" not in content:
        raise UnreadableError(f"{name} is no notebook: it has no nbformat")
    if content["nbformat"] != FORMAT:
        raise UnreadableError(
            f"{name} has notebook format {content['nbformat']}; make it format {FORMAT}: "
            f"jupyter nbconvert --to notebook --nbformat {FORMAT} {name}"
        )
    cells = _cells(content, name)
    _check_language(content.get("metadata", {}), name)
    return Document(content, cells, *_layout(text))


def _cells(content: dict[str, Any], name: str) -> list[Cell]:
    cells = content.get("cells")
    if not isinstance(cells, list) or not isinstance(content.get("metadata", {}), dict):
        raise UnreadableError(f"{name} is no notebook: it has no list of cells")
    for position, cell in enumerate(cells, 1):
        source = cell.get("source", "") if isinstance(cell, dict) else None
        whole = isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))
        if (
            not whole
            or not isinstance(cell.get("metadata", {}), dict)
            or cell.get("cell_type") not in ("code", "markdown", "raw")
        ):
            raise UnreadableError(f"{name} is damaged: cell {position} is no cell; restore it from an older copy")
    ids = [cell["id"] for cell in cells if cell.get("id")]
    for cell_id in ids:
        if not isinstance(cell_id, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", cell_id) or ids.count(cell_id) > 1:
            raise UnreadableError(f"{name} is damaged: the cell id {cell_id!r} is not valid, or is there twice")
    return [Cell(cell) for cell in cells]


def _check_language(metadata: dict[str, Any], name: str) -> None:
    """Refuse notebooks of other languages; a notebook that names none is taken for Python."""
    kernel, language = metadata.get("kernelspec", {}), metadata.get("language_info", {})
    named = (kernel.get("language") if isinstance(kernel, dict) else None) or (
        language.get("name") if isinstance(language, dict) else None
    )
    if named and str(named).lower() not in LANGUAGES:
        raise UnreadableError(f"{name} is a notebook in {named}; only Python notebooks can become modules and DAGs")


def _layout(text: str) -> tuple[int | str | None, tuple[str, str], bool, str]:
    """Find how the JSON was written: indentation, separators, escapes and the end of the file."""
    found = re.match(r"\s*\{\n([ \t]*)", text)
    indent: int | str | None = found.group(1) if found else None
    compact = indent is None and '": ' not in text[:200]
    separators = (("," if indent is not None else ", ") if not compact else ",", ":" if compact else ": ")
    body = text.rstrip()
    return indent, separators, text.isascii() and "\\u" in text, text[len(body) :]
