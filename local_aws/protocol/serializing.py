"""Serialisers compiled from botocore's output shapes: from Python values to what JSON can hold."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import Shape

Serializer = Callable[[Any], Any]


class Serializers:
    """Makes and keeps the serialisers of one service's shapes."""

    def __init__(self) -> None:
        self._known: dict[str, Serializer] = {}

    def of(self, shape: Shape) -> Serializer:
        """Give the serialiser of a shape.

        A datetime becomes seconds since 1970, bytes become base64; members that are None or not of the model are
        left out.
        """
        found = self._known.get(shape.name)
        if found is None:

            def not_made_yet(value: Any) -> Any:
                return self._known[shape.name](value)

            # A shape may contain itself: whoever asks while it is made gets the function above.
            self._known[shape.name] = not_made_yet
            found = self._known[shape.name] = self._make(shape)
        return found

    def _make(self, shape: Shape) -> Serializer:
        match shape.type_name:
            case "structure":
                return _structure({name: self.of(member) for name, member in shape.members.items()})
            case "list":
                member = self.of(shape.member)
                return lambda value: [member(item) for item in value]
            case "map":
                member = self.of(shape.value)
                return lambda value: {name: member(item) for name, item in value.items()}
            case "timestamp":
                return _timestamp
            case "blob":
                return _blob
            case _:
                return _as_it_is


def _structure(members: Mapping[str, Serializer]) -> Serializer:
    find = members.get

    def serialize(value: Mapping[str, Any]) -> dict[str, Any]:
        written = {}
        for name, item in value.items():
            if item is not None and (write := find(name)) is not None:
                written[name] = write(item)
        return written

    return serialize


def _timestamp(value: Any) -> float:
    return round(value.timestamp() if isinstance(value, datetime) else float(value), 3)


def _blob(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _as_it_is(value: Any) -> Any:
    return value
