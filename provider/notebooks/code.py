"""The text of a cell as Python: magics are refused by name, errors say which cell and line."""

from __future__ import annotations

import ast
import warnings

from festaf.provider.notebooks.errors import CellError

MAGIC = ("%", "!", "?")


def parse(source: str, label: str) -> ast.Module:
    """Parse what is to become code of a module, or say why it cannot."""
    try:
        tree = _compiled(source)
    except SyntaxError as error:
        line = (source.split("\n")[(error.lineno or 1) - 1 :] or [""])[0].strip()
        if magic := magic_in(source):
            raise CellError(
                f"{label} uses {magic!r}, which only a notebook understands; write it in Python, or take the tag away"
            ) from None
        raise CellError(f"{label} is no valid Python: {error.msg}, line {error.lineno}: {line}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise CellError(f"{label} cannot be read as Python: {error}") from None
    return tree


def parse_or_none(source: str) -> ast.Module | None:
    """Parse a cell that stays in the notebook, without its magics; None when that cannot be done."""
    from jupytext.magics import comment_magic

    try:
        return _compiled(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    if source.lstrip().startswith("%%"):
        return None
    try:
        return _compiled("\n".join(comment_magic(source.split("\n"), "python")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def magic_in(source: str) -> str | None:
    """The first line that is a magic, a shell command or a question."""
    from jupytext.magics import is_magic

    for line in source.split("\n"):
        text = line.strip()
        asked = text.endswith("?") and not text.startswith("#")
        assigned = "=" in text and text.split("=", 1)[1].strip().startswith(("%", "!"))
        if text.startswith(MAGIC) or asked or assigned or (text and is_magic(text, "python", explicitly_code=True)):
            return text
    return None


def _compiled(source: str) -> ast.Module:
    """Parse and compile: only the compiler finds a return outside of a function."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(source, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        return ast.parse(source)
