"""Metrics that are read off a job's output by regular expressions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import regex

from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PATIENCE = 1.0
"""Seconds that one expression may look at one line."""


@dataclass(frozen=True)
class Metric:
    """One value that stood in a line."""

    name: str
    value: float


class Metrics:
    """The expressions of a job.

    :param definitions: ``MetricDefinitions`` of the request
    :raises ApiError: ValidationException, when one of them is no regular expression, or has no group
    """

    def __init__(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        self._expressions = [(one["Name"], _compiled(one)) for one in definitions]

    def found(self, line: str) -> list[Metric]:
        """Give every value that stands in a line, by the first group of each expression."""
        found = []
        for name, expression in self._expressions:
            try:
                values = [match[1] for match in expression.finditer(line, timeout=_PATIENCE)]
            except TimeoutError:
                continue
            found += [Metric(name, value) for value in map(_number, values) if value is not None]
        return found


def _compiled(definition: Mapping[str, Any]) -> regex.Pattern[str]:
    try:
        made = regex.compile(definition["Regex"])
    except regex.error as problem:
        raise ApiError(
            "ValidationException",
            f"Regex for metric definition {definition['Name']} is invalid: {definition['Regex']} ({problem}).",
        ) from None
    if not made.groups:
        raise ApiError(
            "ValidationException",
            f"Regex for metric definition {definition['Name']} has no group for the value: {definition['Regex']}",
        )
    return made


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
