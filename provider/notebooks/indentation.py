"""Indent code and take the indentation back, without touching what stands inside strings of many lines."""

from __future__ import annotations

import io
import token
import tokenize

STEP = "    "
_OPENING = getattr(token, "FSTRING_START", None)
_CLOSING = getattr(token, "FSTRING_END", None)


def indent(code: str) -> str:
    """Indent code by one step."""
    inside = _lines_inside_strings(code)
    lines = code.split("\n")
    return "\n".join(
        line if number in inside or not line.strip() else STEP + line for number, line in enumerate(lines, 1)
    )


def dedent(code: str) -> str:
    """Take back one step; a comment that stands further left stays where it is."""
    inside = _lines_inside_strings(f"if 1:\n{code}\n")
    lines = code.split("\n")
    return "\n".join(
        line if number in inside else line.removeprefix(STEP) if line.strip() else line
        for number, line in enumerate(lines, 2)
    )


def _lines_inside_strings(code: str) -> set[int]:
    """Give the numbers of the lines that begin inside a string."""
    inside: set[int] = set()
    started: list[int] = []
    for part in tokenize.generate_tokens(io.StringIO(code + "\n").readline):
        if part.type == token.STRING:
            inside.update(range(part.start[0] + 1, part.end[0] + 1))
        elif part.type == _OPENING:
            started.append(part.start[0])
        elif part.type == _CLOSING:
            inside.update(range(started.pop() + 1, part.end[0] + 1))
    return inside
