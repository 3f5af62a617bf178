"""Whether source is what it looks like: Python in UTF-8 that can be parsed, and hides nothing from its readers."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import unicodedata
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from festaf.contract.dag_package import Finding
from festaf.sharing import limits

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE_ENDINGS: Final = (".py", ".sql", ".sh", ".yaml", ".yml", ".json", ".toml", ".ini", ".cfg", ".jinja", ".j2", ".tf")
_COOKIE: Final = re.compile(rb"^[ \t\f]*#.{0,200}?coding[:=][ \t]*([-\w.]+)")
_BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0]"
)
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_BARE_RETURN: Final = re.compile(r"\r(?!\n)")


@dataclass(frozen=True)
class Syntax:
    """A Python file as it was parsed and walked once, since that takes longer than most of what looks at it."""

    tree: ast.Module
    nodes: tuple[ast.AST, ...]
    """In the order of ``ast.walk``, without the contexts of names."""


def parsed(content: bytes) -> Syntax | None:
    """Parse bytes of Python; None when they cannot be."""
    try:
        tree = _parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return Syntax(tree, _nodes(tree))


def _parse(content: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(content)


def _nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    found: list[ast.AST] = [tree]
    for node in found:
        for name in node._fields:
            value = None if name == "ctx" else getattr(node, name, None)
            if isinstance(value, list):
                found += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
    return tuple(found)


def check_source_text(path: str, content: bytes, syntax: Syntax | None = None) -> Iterator[Finding]:
    """Give what hides in a file of code, or cannot be read in it.

    :param syntax: of the same bytes, when they could be parsed
    """
    python = path.endswith(".py")
    if python and len(content) > limits.SOURCE_BYTES:
        yield _error("large_file", f"Source of more than {limits.SOURCE_BYTES} bytes is not read", path)
        return
    problem = _undecodable(content)
    if problem is not None:
        if python:
            yield _error(*problem, path)
        return
    text = content.decode()
    yield from _hidden(path, text.removeprefix("\ufeff"))
    if python:
        yield from _python(path, content, text, syntax)


def _undecodable(content: bytes) -> tuple[str, str] | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "source_encoding", "The file is UTF-16; save it as UTF-8"
    for line in content[:1_000].splitlines()[:2]:
        cookie = _COOKIE.match(line)
        if cookie and cookie[1].lower().replace(b"_", b"-") not in {b"utf-8", b"utf8"}:
            name = cookie[1][:40].decode(errors="replace")
            return "coding_cookie", f"The file declares the encoding {name!a}, which can hide code; use UTF-8"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return "source_encoding", f"The file is not UTF-8 at byte {error.start}"
    return None


def _hidden(path: str, text: str) -> Iterator[Finding]:
    for rule, pattern, message in (
        (
            "bidi_character",
            _BIDI,
            "A character changes the direction of reading, so that the line is not what it looks like",
        ),
        (
            "unseen_character",
            _INVISIBLE,
            "A character is not seen; write it as an escape such as \\u200b if it is meant",
        ),
        ("control_character", _CONTROL, "A control character can hide what stands beside it"),
        (
            "bare_return",
            _BARE_RETURN,
            "A carriage return alone begins a new line for Python, and none for most editors",
        ),
    ):
        found = pattern.search(text)
        if found:
            yield _error(rule, message, path, text.count("\n", 0, found.start()) + 1)


def _python(path: str, content: bytes, text: str, syntax: Syntax | None) -> Iterator[Finding]:
    if b"\0" in content:
        return
    try:
        if syntax is None:
            _parse(content)
    except SyntaxError as error:
        yield _error("syntax_error", f"The file is no Python: {error.msg[:200]}", path, error.lineno)
        return
    except (ValueError, RecursionError, MemoryError):
        yield _error("too_complex", "The file is too deep or too large for Python's own parser", path)
        return
    if not text.isascii():
        yield from _disguised_names(path, text)


def _disguised_names(path: str, text: str) -> Iterator[Finding]:
    """Find names that Python reads as others (NFKC), and names with letters that look like those of ASCII."""
    told: set[str] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            name = token.string
            if token.type != tokenize.NAME or name.isascii() or name in told:
                continue
            told.add(name)
            read = unicodedata.normalize("NFKC", name)
            if read != name:
                message = f"Python reads the name {name[:80]!a} as {read[:80]!a}, which a search does not find"
                yield _error("disguised_name", message, path, token.start[0])
            elif any(
                unicodedata.name(letter, "").split()[0] in ("CYRILLIC", "GREEK", "ARMENIAN") for letter in name
            ) and any(letter.isascii() and letter.isalpha() for letter in name):
                message = f"The name {name[:80]!a} mixes letters of two alphabets that look alike"
                yield _error("disguised_name", message, path, token.start[0])
    except (tokenize.TokenError, IndentationError):
        return


def _error(rule: str, message: str, path: str, line: int | None = None) -> Finding:
    return Finding(rule=rule, severity="error", message=message, file=path, line=line)
