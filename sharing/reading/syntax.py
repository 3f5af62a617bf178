"""Make a syntax tree of a file's bytes, or say why that is refused.

Python decides by the bytes what a file says, and what a person sees can differ: a coding cookie may hide statements in
what looks like a comment, and a lone carriage return ends a line that most viewers show as going on.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from dataclasses import dataclass

from festaf.sharing.reading.bounds import MAXIMUM_SOURCE

COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
UTF8 = {"utf-8", "utf8", "utf_8", "utf-8-sig", "u8", "utf"}
HIDING = re.compile("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2060\ufeff]")
LONE_RETURN = re.compile(r"\r(?!\n)")


class UnreadableError(Exception):
    """The bytes are no Python source that may be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file, and what about its text can mislead a reader: (line, sentence)."""

    path: str
    tree: ast.Module
    text: str
    tricks: tuple[tuple[int, str], ...]


def parse(path: str, content: bytes) -> Source:
    """Parse a file.

    :raises UnreadableError: when it is no Python, too large, or written to be read differently than it looks.
    """
    if len(content) > MAXIMUM_SOURCE:
        raise UnreadableError(f"The file has {len(content)} bytes; at most {MAXIMUM_SOURCE} are read")
    if b"\0" in content:
        raise UnreadableError("The file contains a NUL byte")
    for line in content.split(b"\n", 2)[:2]:
        cookie = COOKIE.match(line)
        if cookie and cookie[1].decode("ascii", "replace").lower() not in UTF8:
            raise UnreadableError(
                f"The file declares the encoding {cookie[1].decode('ascii', 'replace')}; only utf-8 is read"
            )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"The file is not UTF-8: byte {error.start} cannot be decoded") from error
    return Source(path, _tree(path, content), text, tuple(_tricks(text)))


def _tree(path: str, content: bytes) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content, filename=path)
    except SyntaxError as error:
        raise UnreadableError(f"The file is no Python that can be parsed: {error.msg} (line {error.lineno})") from error
    except ValueError as error:
        raise UnreadableError(f"The file is no Python that can be parsed: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableError("The file's expressions are nested too deeply to be parsed") from error


def _tricks(text: str) -> list[tuple[int, str]]:
    """Find what a viewer shows differently than Python reads it."""
    tricks = []
    for match in list(LONE_RETURN.finditer(text))[:1]:
        sentence = "A lone carriage return ends a line here, where most viewers show the line as going on"
        tricks.append((_line(text, match.start()), sentence))
    if not text.isascii():
        for match in list(HIDING.finditer(text))[:1]:
            sentence = (
                f"The invisible character U+{ord(match[0]):04X} can make the text look different from what it says"
            )
            tricks.append((_line(text, match.start()), sentence))
        for match in re.finditer(r"[^\W\d]\w*", text):
            word = match[0]
            if not word.isascii() and unicodedata.normalize("NFKC", word).isascii():
                sentence = (
                    f"A name is written with look-alike letters; Python reads {unicodedata.normalize('NFKC', word)!r}"
                )
                tricks.append((_line(text, match.start()), sentence))
                break
    return tricks


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
