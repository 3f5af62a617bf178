"""Whether files hold secrets. Connections and Variables are made by whoever imports a DAG; values never travel.

A line with ``pragma: allowlist secret`` (the mark of detect-secrets) holds none, says its author; it is told as a note,
so that who reviews the package sees it.
"""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Final

from festaf.contract.dag_package import Finding
from festaf.sharing.checks.secret_values import decoded, is_named_secret, lines_in, shapes_in
from festaf.sharing.checks.texts import Texts, called

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from festaf.sharing.checks.source_text import Syntax

ALLOWED: Final = "pragma: allowlist secret"
ALLOWED_NEXT: Final = "pragma: allowlist nextline secret"
_SHORTEST: Final = 8
"""A shorter text has no shape."""
_GETTERS: Final = frozenset({"get", "getenv", "set", "setdefault", "pop"})


def check_secrets(path: str, content: bytes, syntax: Syntax | None) -> Iterator[Finding]:
    """Give each line of a file on which a secret stands.

    :param syntax: what the file says as Python, when it is Python and can be parsed
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return
    lines = text.split("\n")
    told: set[int] = set()
    for what, line in (
        *_in_text(text, with_lines=not path.endswith(".py")),
        *(_in_code(syntax.nodes) if syntax else ()),
    ):
        if line in told:
            continue
        told.add(line)
        yield _finding(path, what, line, allowed=_is_allowed(lines, line))


def check_notebook(path: str, content: bytes) -> Iterator[Finding]:
    """Tell whether a notebook carries outputs: they are data, and no reader of code looks at them."""
    try:
        cells = json.loads(content)["cells"]
        carrying = sum(bool(cell.get("outputs")) for cell in cells)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        yield Finding(rule="bad_notebook", severity="error", message="The file is no notebook", file=path)
        return
    if carrying:
        message = (
            f"{carrying} cells carry outputs, which hold data; clear them: jupyter nbconvert --clear-output {path}"
        )
        yield Finding(rule="notebook_outputs", severity="error", message=message, file=path)


def _finding(path: str, what: str, line: int, *, allowed: bool) -> Finding:
    if allowed:
        message = f"What looks like {what} is none, says the author ({ALLOWED})"
        return Finding(rule="secret_allowed", severity="note", message=message, file=path, line=line)
    message = (
        f"This looks like {what}. Put it into an Airflow connection or Variable and name that; if it is no secret, end "
        f"the line with the comment '{ALLOWED}'"
    )
    return Finding(rule="secret", severity="error", message=message, file=path, line=line)


def _is_allowed(lines: list[str], line: int) -> bool:
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    before = lines[line - 2] if 1 < line <= len(lines) + 1 else ""
    return ALLOWED in here or ALLOWED_NEXT in before


def _in_text(text: str, *, with_lines: bool) -> Iterator[tuple[str, int]]:
    found = [*shapes_in(text), *(lines_in(text) if with_lines else ())]
    place = line = 0
    for what, start in sorted(found, key=lambda item: item[1]):
        line += text.count("\n", place, start)
        place = start
        yield what, line + 1


def _in_code(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, int]]:
    """Look at texts as Python puts them together, and at the names that they are given."""
    texts = Texts(nodes)
    for node in nodes:
        for name, value in _named(node, texts):
            text = texts.of(value)
            if text is not None and (is_named_secret(name, text) or is_named_secret(name, decoded(text) or "")):
                yield f"the value of {name[:60]!r}", value.lineno
        if isinstance(node, ast.Constant | ast.BinOp | ast.JoinedStr | ast.Call):
            yield from _shaped(node, texts)
        if (
            isinstance(node, ast.Call)
            and called(node) == "b64encode"
            and node.args
            and ":" in (texts.of(node.args[0]) or "")
        ):
            yield "basic authentication", node.lineno


def _shaped(node: ast.expr, texts: Texts) -> Iterator[tuple[str, int]]:
    text = texts.of(node)
    if text is None or len(text) < _SHORTEST:
        return
    for what, _ in shapes_in(text):
        yield what, node.lineno
    plain = decoded(text)
    if plain is not None:
        for what, _ in shapes_in(plain):
            yield f"{what} in base64", node.lineno


def _named(node: ast.AST, texts: Texts) -> Iterator[tuple[str, ast.expr]]:
    """Give the values that a node gives to names."""
    if isinstance(node, ast.Call):
        yield from ((keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg)
        yield from _given(node, texts)
    elif isinstance(node, ast.Assign):
        yield from ((name, node.value) for target in node.targets if (name := _target(target)))
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        if name := _target(node.target):
            yield name, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, ast.Compare) and (name := _target(node.left)):
        yield name, node.comparators[0]
    elif isinstance(node, ast.arguments):
        placed = [*node.posonlyargs, *node.args]
        defaults = zip(placed[len(placed) - len(node.defaults) :], node.defaults, strict=True)
        keywords = zip(node.kwonlyargs, node.kw_defaults, strict=True)
        yield from ((argument.arg, default) for argument, default in (*defaults, *keywords) if default)


def _given(call: ast.Call, texts: Texts) -> Iterator[tuple[str, ast.expr]]:
    """Give what ``Variable.get("api_key", default="...")`` and its like give to a name that is a text."""
    if called(call) not in _GETTERS or not (call.args or call.keywords):
        return
    named = (
        call.args[0] if call.args else next((item.value for item in call.keywords if item.arg in ("key", "name")), None)
    )
    name = texts.of(named) if named is not None else None
    if name is None:
        return
    yield from ((name, value) for value in call.args[1:2])
    yield from ((name, item.value) for item in call.keywords if item.arg in ("default", "default_var", "value"))


def _target(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return node.slice.value
    return None
