"""The part of JSONPath that batch transform knows: what of a record goes to the model, and what is kept of it.

See https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html#data-processing-operators.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from festaf.local_aws.jobs.rules import cannot, invalid

Step = Callable[[Any], Any]

_STEP = re.compile(
    r"\.(?P<child>[A-Za-z_][\w-]*)"
    r"|\.?\[(?P<names>'[^']*'(?:\s*,\s*'[^']*')*)\]"
    r"|\.?\[(?P<places>[-\d:\s,]+)\]"
    r"|(?P<all>\.\*|\.?\[\*\])"
)


class SelectionError(Exception):
    """A record does not have what is asked for."""


class Selection:
    """One expression, such as ``$[0,5:]`` or ``$['id','SageMakerOutput']``.

    :raises ApiError: ValidationException, when it is none, or one that the local AWS does not evaluate
    """

    def __init__(self, expression: str) -> None:
        self._steps: list[Step] = []
        self.whole = expression == "$"
        if not expression.startswith("$"):
            raise invalid(f"JSONPath {expression} must begin with $.")
        at = 1
        while at < len(expression):
            found = _STEP.match(expression, at)
            if found is None:
                raise invalid(f"JSONPath {expression} is not supported at {expression[at:]!r}.")
            at = found.end()
            if found["all"] and at < len(expression):
                raise cannot(f"go on after the wildcard in JSONPath {expression}")
            self._steps.append(_step(found, expression))

    def of(self, record: Any) -> Any:
        """Give what an expression selects.

        :raises SelectionError: the record does not have it
        """
        try:
            for step in self._steps:
                record = step(record)
        except (KeyError, IndexError, TypeError, AttributeError) as problem:
            raise SelectionError(f"{problem!r} is not within the record") from None
        return record


def _step(found: re.Match[str], expression: str) -> Step:
    if found["child"]:
        name = found["child"]
        return lambda record: record[name]
    if found["names"]:
        names = re.findall(r"'([^']*)'", found["names"])
        if len(names) == 1:
            return lambda record: record[names[0]]
        return lambda record: {name: record[name] for name in names}
    if found["places"]:
        return _places(found["places"], expression)
    return lambda record: list(record.values()) if isinstance(record, dict) else list(record)


def _places(text: str, expression: str) -> Step:
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if not re.fullmatch(r"-?\d+|-?\d*:|:-?\d+|-?\d+:-?\d+", part):
            raise invalid(f"JSONPath {expression} is not supported at {part!r}.")
        if re.fullmatch(r".*:-?\d+", part):
            # AWS's documentation says that the end is included, the library that it names leaves it out.
            raise cannot(f"tell what AWS selects by a slice with an end, as {part} in JSONPath {expression}")
    if len(parts) == 1 and ":" not in parts[0]:
        return lambda record: record[int(parts[0])]

    def several(record: Any) -> list[Any]:
        found: list[Any] = []
        for part in parts:
            found += record[int(part[:-1] or 0) :] if part.endswith(":") else [record[int(part)]]
        return found

    return several
