"""A notebook that carries a DAG file written by someone: each of its cells holds a piece, and together they are it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.provider.notebooks.indentation import indent

if TYPE_CHECKING:
    from festaf.provider.notebooks.document import Document

CARRIES = "a DAG file"


def assemble(document: Document) -> str:
    """Put the pieces together to the file that they were taken from, with what was edited in them."""
    text = ""
    for cell in document.cells:
        settings = cell.settings
        if "gap" not in settings:
            continue
        piece = str(settings.get("decorators", "")) + cell.source
        text += (indent(piece) if settings.get("nested") else piece) + str(settings["gap"])
    return text
