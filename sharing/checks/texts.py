"""The texts that a Python file puts together from its own constants, without running it.

A secret is often written in parts, in base64 or with its letters turned round, by habit or to hide it.
"""

from __future__ import annotations

import ast
import base64
import binascii
from typing import TYPE_CHECKING, Final

from festaf.sharing.checks.secret_values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DEPTH: Final = 40
_LONGEST: Final = 20_000


def called(call: ast.Call) -> str:
    """Give the last part of the name of what is called, or nothing."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


class Texts:
    """Gives the text of an expression; each expression is looked at once, so that nothing grows without bound."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        self.constants = _constants(nodes)
        self.known: dict[int, str | None] = {}

    def of(self, node: ast.expr, depth: int = 0) -> str | None:
        """Give the text, with a mark for each part that only a run would know; None when it is none or too long."""
        if depth > _DEPTH:
            return None
        key = id(node)
        if key not in self.known:
            self.known[key] = None
            text = self._made(node, depth + 1)
            self.known[key] = text if text is None or len(text) <= _LONGEST else None
        return self.known[key]

    def _made(self, node: ast.expr, depth: int) -> str | None:
        if isinstance(node, ast.Constant):
            value = node.value
            return value if isinstance(value, str) else value.decode("latin-1") if isinstance(value, bytes) else None
        if isinstance(node, ast.Name):
            return self.of(self.constants[node.id], depth) if node.id in self.constants else None
        if isinstance(node, ast.JoinedStr):
            return self._joined("", [getattr(part, "value", part) for part in node.values], depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._joined("", [node.left, node.right], depth)
        if isinstance(node, ast.Subscript):
            text = self.of(node.value, depth)
            return text[::-1] if text is not None and ast.unparse(node.slice) == "::-1" else None
        return self._of_call(node, depth) if isinstance(node, ast.Call) else None

    def _of_call(self, call: ast.Call, depth: int) -> str | None:
        name = called(call)
        first = call.args[0] if call.args else None
        if isinstance(call.func, ast.Attribute):
            if name in ("decode", "encode", "strip"):
                return self.of(call.func.value, depth)
            if name == "join" and isinstance(first, ast.List | ast.Tuple):
                joint = self.of(call.func.value, depth)
                return None if joint is None else self._joined(joint, first.elts, depth)
        if first is not None and name in ("b64decode", "urlsafe_b64decode", "fromhex", "unhexlify"):
            given = self.of(first, depth)
            return _undone(given, hexadecimal=name in ("fromhex", "unhexlify")) if given else None
        return None

    def _joined(self, joint: str, parts: Sequence[object], depth: int) -> str | None:
        texts = [
            part if isinstance(part, str) else self.of(part, depth) if isinstance(part, ast.expr) else None
            for part in parts
        ]
        if all(text is None for text in texts) or sum(len(text or "") for text in texts) > _LONGEST:
            return None
        return joint.join(UNKNOWN if text is None else text for text in texts)


def _constants(nodes: Iterable[ast.AST]) -> dict[str, ast.expr]:
    """Give the values of names that are assigned once."""
    found: dict[str, ast.expr] = {}
    twice: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    twice |= {target.id} & found.keys()
                    found[target.id] = node.value
    return {name: value for name, value in found.items() if name not in twice}


def _undone(text: str, *, hexadecimal: bool) -> str | None:
    try:
        raw = bytes.fromhex(text) if hexadecimal else base64.b64decode(text.replace("-", "+").replace("_", "/") + "==")
    except (binascii.Error, ValueError):
        return None
    return raw.decode("latin-1")
