"""Answers as they are on the wire, held against botocore's output shapes; no code of the local AWS takes part."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any

import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel, Shape

_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
}
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def answer_problems(model: OperationModel, headers: dict[str, str], body: bytes) -> list[str]:
    """Say what is wrong with a whole answer."""
    shape = model.output_shape
    if shape is None:
        return [f"an answer without a body has {body!r}"] if body not in (b"", b"{}") else []
    located = {
        name: member
        for name, member in shape.members.items()
        if member.serialization.get("location") in ("header", "headers", "statusCode")
    }
    found = [
        f"{name} is not among the headers"
        for name, member in located.items()
        if name in shape.required_members and member.serialization.get("name", name).lower() not in headers
    ]
    if shape.serialization.get("payload"):
        return found
    names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
    content = {names.get(name, name): value for name, value in json.loads(body or b"{}").items()}
    return found + list(_structure(shape, content, model.name, left_out=set(located)))


def _structure(shape: Shape, value: dict[str, Any], path: str, left_out: set[str]) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value and name not in left_out:
            yield f"{path}.{name} is missing"
    for name, item in value.items():
        if name not in shape.members:
            yield f"{path}.{name} is not in the model"
        else:
            yield from problems(shape.members[name], item, f"{path}.{name}")


def problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Say what is wrong with a value."""
    kind = shape.type_name
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path} is {value!r}, not a {kind}"
        return
    if kind in ("list", "map"):
        yield from _many(shape, value, path)
    match kind:
        case "structure":
            yield from _structure(shape, value, path, set())
        case "string":
            yield from _text(shape, value, path)
        case "blob":
            try:
                base64.b64decode(value, validate=True)
            except binascii.Error:
                yield f"{path} is not base64"
        case "integer" | "long" | "float" | "double":
            yield from _size(shape, value, path)


def _many(shape: Shape, value: Any, path: str) -> Iterator[str]:
    yield from _size(shape, len(value), path)
    if shape.type_name == "list":
        for place, item in enumerate(value):
            yield from problems(shape.member, item, f"{path}[{place}]")
        return
    for name, item in value.items():
        yield from problems(shape.key, name, f"{path} key {name}")
        yield from problems(shape.value, item, f"{path}[{name}]")


def _text(shape: Shape, value: str, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, none of {shape.enum}"
    yield from _size(shape, len(value), path)
    pattern = shape.metadata.get("pattern")
    if pattern and not regex.compile(_SURROGATES.sub(_one_character, pattern), regex.DOTALL).fullmatch(value):
        yield f"{path} is {value!r}, which does not fit {pattern}"


def _size(shape: Shape, size: float, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and size < low) or (high is not None and size > high):
        yield f"{path} has the size {size}, not between {low} and {high}"


def _one_character(found: re.Match[str]) -> str:
    """Write Java's pair of surrogates as the one character that it means."""
    high, low = int(found[1], 16), int(found[2], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"
