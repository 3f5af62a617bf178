"""What is wrong with a request, in AWS's words: the slow walk, taken only when the fast one refused."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from festaf.local_aws.protocol.parsing import Parsers, UnfitError
from festaf.local_aws.protocol.patterns import Matcher, matcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import Shape

MALFORMED = "SerializationException"
_SHOWN = 200


class MalformedError(Exception):
    """A value has another type than its shape."""


def explain(shape: Shape, value: Any) -> str:
    """Say what does not fit, as AWS says it.

    :raises MalformedError: a value is of another type
    """
    found = list(_structure(shape, value, ""))
    errors = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {errors} detected: {'; '.join(found)}"


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, path)
        case "list":
            _expect(value, list, "List", path)
            yield from _sized(shape, value, len(value), "length", path)
            for number, item in enumerate(value, 1):
                yield from _problems(shape.member, item, f"{path}.{number}.member")
        case "map":
            _expect(value, dict, "Map", path)
            yield from _sized(shape, value, len(value), "length", path)
            for name, item in value.items():
                yield from _problems(shape.value, item, f"{path}.{name}.member")
        case "string":
            _expect(value, str, "String", path)
            yield from _text(shape, value, path)
        case "integer" | "long" | "float" | "double" as kind:
            number_types = (int,) if kind in ("integer", "long") else (int, float)
            if isinstance(value, bool) or not isinstance(value, number_types):
                raise MalformedError(f"{path}: {_shown(value)} is not a number of type {kind}")
            yield from _sized(shape, value, value, "value", path)
        case _:
            _parse(shape, value, path)


def _structure(shape: Shape, value: Any, path: str) -> Iterator[str]:
    _expect(value, dict, "Structure", path or "request")
    required = set(shape.required_members)
    for name, member in shape.members.items():
        item = value.get(name)
        inner = f"{path}.{_lower(name)}" if path else _lower(name)
        if item is not None:
            yield from _problems(member, item, inner)
        elif name in required:
            yield f"Value null at '{inner}' failed to satisfy constraint: Member must not be null"


def _text(shape: Shape, value: str, path: str) -> Iterator[str]:
    if shape.enum:
        if value not in shape.enum:
            yield _unmet(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        return
    yield from _sized(shape, value, len(value), "length", path)
    pattern = shape.metadata.get("pattern")
    fits = _matcher(pattern) if pattern else None
    if fits and not fits(value):
        yield _unmet(value, path, f"Member must satisfy regular expression pattern: {pattern}")


@lru_cache(maxsize=512)
def _matcher(pattern: str) -> Matcher | None:
    return matcher(pattern)


def _sized(shape: Shape, value: Any, size: float, what: str, path: str) -> Iterator[str]:
    if (low := shape.metadata.get("min")) is not None and size < low:
        yield _unmet(value, path, f"Member must have {what} greater than or equal to {low}")
    if (high := shape.metadata.get("max")) is not None and size > high:
        yield _unmet(value, path, f"Member must have {what} less than or equal to {high}")


def _parse(shape: Shape, value: Any, path: str) -> None:
    try:
        Parsers().of(shape)(value)
    except UnfitError:
        raise MalformedError(f"{path}: {_shown(value)} is not a {shape.type_name}") from None


def _expect(value: Any, kind: type, name: str, path: str) -> None:
    if not isinstance(value, kind):
        raise MalformedError(f"{path}: {_shown(value)} is not a {name}")


def _unmet(value: Any, path: str, constraint: str) -> str:
    return f"Value '{_shown(value)}' at '{path}' failed to satisfy constraint: {constraint}"


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
