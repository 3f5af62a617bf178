"""JSON that means one thing to every reader: no key twice, no NaN, nothing too deep or too large to hold.

Python's own reader takes the last of two equal keys, knows numbers that JSON does not, and falls over deep nesting.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, Final, NoReturn

from festaf.sharing import limits

_TEXTS_AND_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A text that never ends is one to the end, so that no byte is looked at twice."""


class StrictJsonError(ValueError):
    """A text is no JSON that every reader understands alike; ``code`` says which rule it breaks."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


def dumps(value: Any) -> bytes:
    """Write JSON in the one canonical way: sorted keys, no blanks, ASCII, and a line's end."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return f"{text}\n".encode()


def loads(data: bytes) -> Any:
    """Read JSON.

    :raises StrictJsonError: it is none, or could be read in two ways
    """
    _check_depth(data)
    try:
        return json.loads(
            data.decode(),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_whole,
            parse_float=_fraction,
        )
    except UnicodeDecodeError as error:
        raise StrictJsonError("json_encoding", "it is not UTF-8") from error
    except json.JSONDecodeError as error:
        message = f"it is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        raise StrictJsonError("bad_json", message) from error


def _check_depth(data: bytes) -> None:
    depth = 0
    for found in _TEXTS_AND_BRACKETS.finditer(data):
        if found[0].startswith(b'"'):
            continue
        depth += 1 if found[0] in b"[{" else -1
        if depth > limits.JSON_DEPTH:
            raise StrictJsonError("json_depth", f"it is nested deeper than {limits.JSON_DEPTH} levels")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise StrictJsonError("json_key_twice", f"the key {twice[:80]!a} is there twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    raise StrictJsonError("json_number", f"{name} is no number of JSON")


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > limits.JSON_DIGITS:
        raise StrictJsonError("json_number", f"it has a whole number of more than {limits.JSON_DIGITS} digits")
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise StrictJsonError("json_number", f"{digits[:40]} is too large for a number")
    return number
