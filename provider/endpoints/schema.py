"""A small part of JSON Schema, to say what an answer must look like; a keyword that is not known is an error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
BOUNDS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "minimum": ("number", lambda value, bound: value >= bound),
    "maximum": ("number", lambda value, bound: value <= bound),
    "minItems": ("array", lambda value, bound: len(value) >= bound),
    "maxItems": ("array", lambda value, bound: len(value) <= bound),
    "minLength": ("string", lambda value, bound: len(value) >= bound),
    "maxLength": ("string", lambda value, bound: len(value) <= bound),
    "pattern": ("string", lambda value, bound: re.search(bound, value) is not None),
}
KEYWORDS = frozenset({"type", "enum", "properties", "required", "items", *BOUNDS})


def check_schema(schema: Mapping[str, Any]) -> None:
    """Find keywords that are not known, so that none is ignored.

    :raises InputError: there is one
    """
    if not hasattr(schema, "keys"):
        raise InputError(f"{schema!r} is no schema: write a mapping such as {{'type': 'array'}}")
    if unknown := sorted(set(schema) - KEYWORDS):
        raise InputError(f"The schema's keyword {unknown[0]!r} is not known: use {', '.join(sorted(KEYWORDS))}")
    wanted = schema.get("type", "object")
    if wanted not in TYPES:
        raise InputError(f"The schema's type {wanted!r} is none of {', '.join(TYPES)}")
    for part in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        check_schema(part)


def mismatches(value: Any, schema: Mapping[str, Any], where: str = "the answer") -> Iterator[str]:
    """Tell each place in which a value does not fit a schema."""
    wanted = schema.get("type")
    if wanted is not None and not TYPES[wanted](value):
        yield f"{where} is {_said(value)}, not of type {wanted}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {_said(value)}, none of {schema['enum']}"
    for keyword, (kind, fits) in BOUNDS.items():
        if keyword in schema and TYPES[kind](value) and not fits(value, schema[keyword]):
            yield f"{where} is {_said(value)}, against {keyword} {schema[keyword]}"
    if isinstance(value, dict):
        yield from (f"{where} has no {name!r}" for name in schema.get("required", ()) if name not in value)
        for name, part in schema.get("properties", {}).items():
            if name in value:
                yield from mismatches(value[name], part, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for place, item in enumerate(value):
            yield from mismatches(item, schema["items"], f"{where}[{place}]")


def _said(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
