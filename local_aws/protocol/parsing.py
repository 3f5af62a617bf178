"""Parsers and checks compiled from botocore's shapes.

Every record of an ingestion passes here, so a shape is not walked per request: for each one a Python function is
written once, as source, and compiled, as ``dataclasses`` does for its methods. A function gives the Python value or
raises ``UnfitError`` and keeps no paths. Only when something does not fit is the value walked again, by
``explaining``, to say like AWS what is wrong and where.

The source is made of our own lines and of numbers; names and patterns of the model reach it as constants by
reference, never as text.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from festaf.local_aws.protocol.patterns import Matcher, matcher

if TYPE_CHECKING:
    from botocore.model import Shape

Parser = Callable[[Any], Any]

_REMEMBERED = 4096
_SHORT = 256
"""Texts up to this length are remembered once they fit: the same names come with every record."""


class UnfitError(Exception):
    """The value does not fit its shape."""


class Parsers:
    """Makes and keeps the parsers of one service's shapes."""

    def __init__(self) -> None:
        self._scope: dict[str, Any] = {"Unfit": UnfitError, "datetime_of": _timestamp, "bytes_of": _blob}
        self._names: dict[str, str] = {}

    def of(self, shape: Shape) -> Parser:
        """Give the parser of a shape, from decoded JSON to Python values.

        A timestamp becomes an aware datetime, a blob bytes; members that the model does not know and those that are
        null are left out, as AWS does.
        """
        parser: Parser = self._scope[self._function(shape)]
        return parser

    def _function(self, shape: Shape) -> str:
        """Give the name of the shape's function; it is there once the outermost call has returned."""
        name = self._names.get(shape.name)
        if name is None:
            name = self._names[shape.name] = f"parse_{len(self._names)}"
            lines = [f"def {name}(value):", *_indented(self._body(shape)), "    return value"]
            exec("\n".join(lines), self._scope)
        return name

    def _body(self, shape: Shape) -> list[str]:
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                item = self._inline(shape.member, "item")
                loop = ["parsed = []", "for item in value:", *_indented([*item, "parsed.append(item)"])]
                return [*_typed("value", "list"), *_sized("len(value)", shape), *loop, "value = parsed"]
            case "map":
                item = [*self._inline(shape.key, "name"), *self._inline(shape.value, "item"), "parsed[name] = item"]
                loop = ["parsed = {}", "for name, item in value.items():", *_indented(item)]
                return [*_typed("value", "dict"), *_sized("len(value)", shape), *loop, "value = parsed"]
            case _:
                return self._inline(shape, "value")

    def _structure(self, shape: Shape) -> list[str]:
        lines = [*_typed("value", "dict"), "parsed = {}"]
        for name, member in shape.members.items():
            key = self._constant(name)
            taken = [*self._inline(member, "item"), f"parsed[{key}] = item"]
            lines += [f"item = value.get({key})"]
            if name in shape.required_members:
                lines += ["if item is None:", "    raise Unfit", *taken]
            else:
                lines += ["if item is not None:", *_indented(taken)]
        return [*lines, "value = parsed"]

    def _inline(self, shape: Shape, variable: str) -> list[str]:
        """Give the lines that check the value of a variable and leave the parsed one in it."""
        match shape.type_name:
            case "structure" | "list" | "map":
                return [f"{variable} = {self._function(shape)}({variable})"]
            case "string":
                return self._text(shape, variable)
            case "integer" | "long":
                return [*_typed(variable, "int"), *_sized(variable, shape)]
            case "float" | "double":
                lines = [
                    f"if {variable}.__class__ is not float and {variable}.__class__ is not int:",
                    "    raise Unfit",
                ]
                return [*lines, *_sized(variable, shape)]
            case "boolean":
                return _typed(variable, "bool")
            case "timestamp":
                return [f"{variable} = datetime_of({variable})"]
            case "blob":
                return [f"{variable} = bytes_of({variable})"]
            case kind:
                raise NotImplementedError(f"no parser for shapes of type {kind}")

    def _text(self, shape: Shape, variable: str) -> list[str]:
        typed = _typed(variable, "str")
        if shape.enum:
            return [*typed, f"if {variable} not in {self._constant(frozenset(shape.enum))}:", "    raise Unfit"]
        sized = _sized(f"len({variable})", shape)
        fits = matcher(shape.metadata["pattern"]) if "pattern" in shape.metadata else None
        if fits is None:
            return [*typed, *sized]
        if shape.metadata.get("max", _SHORT + 1) > _SHORT:
            return [*typed, *sized, f"if not {self._constant(fits)}({variable}):", "    raise Unfit"]
        known = Remembered(shape, fits)
        unknown = [f"if {variable} not in {self._constant(known.good)}:", f"    {self._constant(known)}({variable})"]
        return [*typed, *unknown]

    def _constant(self, value: Any) -> str:
        name = f"constant_{len(self._scope)}"
        self._scope[name] = value
        return name


class Remembered:
    """Checks short texts, and remembers those that fit."""

    def __init__(self, shape: Shape, fits: Matcher) -> None:
        self.good: set[str] = set()
        self._least: int = shape.metadata.get("min", 0)
        self._most: int = shape.metadata["max"]
        self._fits = fits

    def __call__(self, text: str) -> None:
        """Check a text that is not among the good ones.

        :raises UnfitError: it does not fit
        """
        if not self._least <= len(text) <= self._most or not self._fits(text):
            raise UnfitError
        if len(self.good) >= _REMEMBERED:
            self.good.clear()
        self.good.add(text)


def _typed(variable: str, kind: str) -> list[str]:
    return [f"if {variable}.__class__ is not {kind}:", "    raise Unfit"]


def _sized(size: str, shape: Shape) -> list[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    unfit = [f"{size} < {low!r}" if low is not None else "", f"{size} > {high!r}" if high is not None else ""]
    condition = " or ".join(filter(None, unfit))
    return [f"if {condition}:", "    raise Unfit"] if condition else []


def _indented(lines: list[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _timestamp(value: Any) -> datetime:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return datetime.fromtimestamp(value, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise UnfitError from None


def _blob(value: Any) -> bytes:
    if isinstance(value, bytes):  # The body itself, not a member of it.
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise UnfitError from None
