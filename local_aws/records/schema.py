"""What a record of one feature group may hold, compiled once per group: every record passes through here."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.local_aws.records.event_time import from_seconds, from_text
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_RECORD_BYTES = 350 * 1024
MAX_IDENTIFIER_BYTES = 2 * 1024

Values = dict[str, str | list[str]]

_Check = Callable[[str], object]

_ORDINARY: Mapping[str, _Check] = {
    "Integral": re.compile(r"[+-]?\d{1,18}", re.ASCII).fullmatch,
    "Fractional": re.compile(r"[+-]?\d{1,300}(?:\.\d*)?", re.ASCII).fullmatch,
}
"""What nearly every number looks like, and needs no second look."""
_INTEGRAL = re.compile(r"[+-]?\d{1,20}", re.ASCII).fullmatch
_FRACTIONAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII).fullmatch
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_SHOWN = 100
_NAME_AND_VALUE = 2
_SURELY_SMALL = 20_000
"""Characters of values that, with the names of 2,500 features, cannot reach the maximum size of a record."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record that fits its group."""

    values: Values
    identifier: str
    event_time: str
    event_ns: int
    """The event time in nanoseconds since 1970."""


def invalid(message: str) -> ApiError:
    """Make the runtime's answer to a bad request."""
    return ApiError("ValidationError", f"Validation Error: {message}")


class RecordSchema:
    """Checks records against a group's feature definitions."""

    def __init__(self, definitions: Sequence[Mapping[str, Any]], identifier: str, event_time: str) -> None:
        self.names = tuple(one["FeatureName"] for one in definitions)
        self.identifier = identifier
        self.event_time = event_time
        self._types = {one["FeatureName"]: one["FeatureType"] for one in definitions}
        self._checks: dict[str, tuple[str, _Check]] = {
            one["FeatureName"]: (one["FeatureName"], _checked(one)) for one in definitions
        }
        self._collections = {
            one["FeatureName"]: (one["CollectionType"], _dimension(one))
            for one in definitions
            if one.get("CollectionType")
        }
        self.takes_text = self._types[event_time] == "String"
        """Whether event times are ISO 8601, not seconds."""
        self._read_event_time = from_text if self.takes_text else from_seconds

    def check(self, features: Sequence[Mapping[str, Any]]) -> Record:
        """Check a whole record.

        :param features: FeatureValues, as PutRecord takes them
        :raises ApiError: ValidationError, saying which feature is wrong and why
        """
        values = self.values(features)
        identifier, event_time = values.get(self.identifier), values.get(self.event_time)
        if identifier.__class__ is not str or identifier == "":
            raise invalid(f"Missing value for the record identifier feature [{self.identifier}].")
        if event_time.__class__ is not str:
            raise invalid(f"Missing value for the event time feature [{self.event_time}].")
        self.check_identifier(identifier)
        return Record(values, identifier, event_time, self.event_ns(event_time))

    def values(self, features: Sequence[Mapping[str, Any]]) -> Values:
        """Check some features of a record and give them by name; those without a value are left out.

        :raises ApiError: ValidationError
        """
        checks = self._checks
        values: Values = {}
        rare = 0
        for feature in features:
            name = feature["FeatureName"]
            value = feature.get("ValueAsString")
            # The definition's own text is kept as the name: the request's would be one more for every record.
            known, check = checks.get(name, _UNKNOWN)
            if value is None or len(feature) > _NAME_AND_VALUE or not check(value):
                value = self._rare(name, feature)
                if value is None:
                    rare += 1
                    continue
            values[known] = value
        if len(values) + rare != len(features) or rare:
            _check_repeated(features)
        if self._collections or sum(map(len, values.values())) > _SURELY_SMALL:
            _check_size(values)
        return values

    def event_ns(self, event_time: str) -> int:
        """Read an event time.

        :raises ApiError: ValidationError
        """
        try:
            return self._read_event_time(event_time)
        except ValueError:
            expected = "yyyy-MM-dd'T'HH:mm:ssZ" if self.takes_text else "seconds since 1970"
            raise invalid(
                f"EventTime [{event_time}] of feature [{self.event_time}] is not of the format {expected}."
            ) from None

    def check_identifier(self, identifier: str) -> None:
        """Check a record identifier's size.

        :raises ApiError: ValidationError
        """
        if _size(identifier) > MAX_IDENTIFIER_BYTES:
            raise invalid("The maximum size of a record identifier is 2 KB.")

    def _rare(self, name: str, feature: Mapping[str, Any]) -> str | list[str] | None:
        """Check what the quick way did not take: a collection, no value, an unusual number, or a mistake."""
        kind = self._types.get(name)
        if kind is None:
            raise invalid(f"FeatureName [{name}] is not a feature of the FeatureGroup.")
        if name in self._collections or "ValueAsStringList" in feature:
            return self._members(name, kind, feature)
        value: str | None = feature.get("ValueAsString")
        if value is not None:
            _check_number(name, kind, value)
        return value

    def _members(self, name: str, kind: str, feature: Mapping[str, Any]) -> list[str] | None:
        collection, dimension = self._collections.get(name, (None, None))
        if collection is None:
            raise invalid(f"Feature [{name}] is not a collection; it takes ValueAsString.")
        if "ValueAsString" in feature:
            raise invalid(f"Feature [{name}] is a {collection}; it takes ValueAsStringList.")
        members: list[str] | None = feature.get("ValueAsStringList")
        if members is None:
            return None
        if kind != "String":
            for member in members:
                _check_number(name, kind, member)
        if collection == "Vector" and len(members) != dimension:
            raise invalid(f"Feature [{name}] is a Vector of dimension {dimension}; the value has {len(members)}.")
        return list(dict.fromkeys(members)) if collection == "Set" else members


def _check_number(name: str, kind: str, value: str) -> None:
    if kind == "Integral":
        if _INTEGRAL(value) and _LOWEST <= int(value) <= _HIGHEST:
            return
    elif _FRACTIONAL(value) and math.isfinite(float(value)):
        return
    shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
    raise invalid(f"Feature value [{shown}] of feature [{name}] is not of type {kind}.")


def _any_text(value: str) -> bool:
    return value.isascii() or _size(value) >= 0


def _never(_: str) -> bool:
    return False


def _checked(definition: Mapping[str, Any]) -> _Check:
    """Give the quick check of a feature's values; a collection has none."""
    return _never if definition.get("CollectionType") else _ORDINARY.get(definition["FeatureType"], _any_text)


_UNKNOWN = ("", _never)


def _check_repeated(features: Sequence[Mapping[str, Any]]) -> None:
    counts = Counter(feature["FeatureName"] for feature in features)
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise invalid(f"FeatureName [{', '.join(repeated)}] stands more than once in the record.")


def _check_size(values: Values) -> None:
    texts = list(values)
    for value in values.values():
        texts += [value] if isinstance(value, str) else value
    size = sum(map(_size, texts))
    if size > MAX_RECORD_BYTES:
        raise invalid(f"The record has {size} bytes; the maximum size of a record is 350 KB.")


def _size(value: str) -> int:
    if value.isascii():
        return len(value)
    try:
        return len(value.encode())
    except UnicodeEncodeError:
        raise invalid("A value has a character that is not Unicode.") from None


def _dimension(definition: Mapping[str, Any]) -> int | None:
    found: int | None = definition.get("CollectionConfig", {}).get("VectorConfig", {}).get("Dimension")
    return found
