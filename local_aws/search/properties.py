"""The properties of a record by their names, as filters and sort orders spell them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAIRS = {"Tags": ("Key", "Value"), "Parameters": ("Key", "Value"), "FinalMetricDataList": ("MetricName", "Value")}
"""Members that are lists of pairs, which a filter names as a mapping: ``Tags.team``."""
ALIASES = {"Metrics": "FinalMetricDataList"}

Scalar = str | int | float | bool | datetime


def values_of(record: Mapping[str, Any], name: str) -> list[Scalar]:
    """Give every value of a property: those of each element, when it is inside a list."""
    first, _, rest = name.partition(".")
    if first == "AllParameters":
        return [text for pair in record.get("Parameters", ()) for text in (pair["Key"], pair["Value"])]
    first = ALIASES.get(first, first)
    value = record.get(first)
    if first in PAIRS and value is not None:
        key, content = PAIRS[first]
        if rest in ("", "Key", "Value"):
            return [pair[key] for pair in value] if rest != "Value" else [pair[content] for pair in value]
        return [pair[content] for pair in value if pair[key] == rest]
    return list(_inside(value, rest))


def names_of(record: Mapping[str, Any]) -> Iterator[str]:
    """Give the name of every property that a record has."""
    for member, value in record.items():
        if member in PAIRS:
            key = PAIRS[member][0]
            short = next((short for short, long in ALIASES.items() if long == member), member)
            yield from (f"{short}.{pair[key]}" for pair in value or ())
        else:
            yield from _paths(member, value)


def _inside(value: Any, rest: str) -> Iterator[Scalar]:
    if value is None:
        return
    if isinstance(value, list):
        for one in value:
            yield from _inside(one, rest)
    elif isinstance(value, dict):
        if rest in value:
            # A key of a mapping, such as a hyperparameter's, may have dots.
            yield from _inside(value[rest], "")
            return
        first, dot, remaining = rest.partition(".")
        if dot and first in value:
            yield from _inside(value[first], remaining)
    elif not rest:
        yield value


def _paths(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for member, inner in value.items():
            yield from _paths(f"{path}.{member}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(path, inner)
    elif value is not None:
        yield path
