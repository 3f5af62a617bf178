"""Parsers and checks compiled from botocore's shapes, one function per shape.

A request is read on the fast way: each function gives the Python value or raises ``UnfitError``, with no paths kept.
Only when something does not fit is the value walked again, by ``explain``, to say like AWS what is wrong and where.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from festaf.local_aws.protocol.patterns import matcher

if TYPE_CHECKING:
    from botocore.model import Shape

Parser = Callable[[Any], Any]

_REMEMBERED = 4096
_SHORT = 256


class UnfitError(Exception):
    """The value does not fit its shape."""


class Parsers:
    """Makes and keeps the parsers of one service's shapes."""

    def __init__(self) -> None:
        self._known: dict[str, Parser] = {}

    def of(self, shape: Shape) -> Parser:
        """Give the parser of a shape, from decoded JSON to Python values.

        A timestamp becomes an aware datetime, a blob bytes; members that the model does not know and those that are
        null are left out, as AWS does.
        """
        found = self._known.get(shape.name)
        if found is None:

            def not_made_yet(value: Any) -> Any:
                return self._known[shape.name](value)

            # A shape may contain itself: whoever asks while it is made gets the function above.
            self._known[shape.name] = not_made_yet
            found = self._known[shape.name] = self._make(shape)
        return found

    def _make(self, shape: Shape) -> Parser:
        match shape.type_name:
            case "structure":
                return _structure(
                    {name: self.of(member) for name, member in shape.members.items()}, frozenset(shape.required_members)
                )
            case "list":
                return _sequence(self.of(shape.member), *_bounds(shape.metadata))
            case "map":
                return _mapping(self.of(shape.key), self.of(shape.value), *_bounds(shape.metadata))
            case "string":
                return _text(shape)
            case "integer" | "long":
                return _number(int, *_bounds(shape.metadata))
            case "float" | "double":
                return _number((int, float), *_bounds(shape.metadata))
            case kind:
                return _SIMPLE[kind]


def _bounds(metadata: Mapping[str, Any]) -> tuple[float, float]:
    return metadata.get("min", float("-inf")), metadata.get("max", float("inf"))


def _structure(members: Mapping[str, Parser], required: frozenset[str]) -> Parser:
    find = members.get

    def parse(value: Any) -> dict[str, Any]:
        if value.__class__ is not dict:
            raise UnfitError
        parsed = {}
        for name, item in value.items():
            if item is not None and (parse_item := find(name)) is not None:
                parsed[name] = parse_item(item)
        if required and not required <= parsed.keys():
            raise UnfitError
        return parsed

    return parse


def _sequence(member: Parser, low: float, high: float) -> Parser:
    def parse(value: Any) -> list[Any]:
        if value.__class__ is not list or not low <= len(value) <= high:
            raise UnfitError
        return [member(item) for item in value]

    return parse


def _mapping(key: Parser, member: Parser, low: float, high: float) -> Parser:
    def parse(value: Any) -> dict[str, Any]:
        if value.__class__ is not dict or not low <= len(value) <= high:
            raise UnfitError
        return {key(name): member(item) for name, item in value.items() if item is not None}

    return parse


def _text(shape: Shape) -> Parser:
    low, high = _bounds(shape.metadata)
    fits = matcher(shape.metadata["pattern"]) if "pattern" in shape.metadata else None
    values = frozenset(shape.enum)

    def parse_enum(value: Any) -> Any:
        if value.__class__ is not str or value not in values:
            raise UnfitError
        return value

    def parse(value: Any) -> Any:
        if value.__class__ is not str or not low <= len(value) <= high or (fits and not fits(value)):
            raise UnfitError
        return value

    if values:
        return parse_enum
    return _remembering(parse) if fits and high <= _SHORT else parse


def _remembering(parse: Parser) -> Parser:
    """Remember the short texts that fit: the same names come with every record."""
    good: set[str] = set()

    def remembered(value: Any) -> Any:
        if value.__class__ is str and value in good:
            return value
        parse(value)
        if len(good) >= _REMEMBERED:
            good.clear()
        good.add(value)
        return value

    return remembered


def _number(kinds: type[int] | tuple[type[int], type[float]], low: float, high: float) -> Parser:
    def parse(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
            raise UnfitError
        return value

    return parse


def _boolean(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise UnfitError


def _timestamp(value: Any) -> datetime:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return datetime.fromtimestamp(value, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise UnfitError from None


def _blob(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise UnfitError from None


_SIMPLE: Mapping[str, Parser] = {"boolean": _boolean, "timestamp": _timestamp, "blob": _blob}
