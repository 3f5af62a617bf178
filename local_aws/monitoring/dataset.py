"""Datasets as rows of named values, read from CSV, JSON and JSON lines."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.local_aws.monitoring.columns import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Row = dict[str, str | None]
"""By column; a column without a name of its own is ``_c`` and its place, as Spark names it."""


class DatasetError(Exception):
    """The data cannot be read; the text is the reason that the job fails with."""


@dataclass(frozen=True)
class Dataset:
    """Rows, and the columns that they have together, in the order in which they first come."""

    rows: Sequence[Row]

    def columns(self) -> list[Column]:
        """Give the columns; a row without one misses its value."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [Column(name, [row.get(name) for row in self.rows]) for name in names]

    def named(self, names: Sequence[str]) -> Dataset:
        """Give columns that have no names those of a baseline, by their place."""
        known = {place_name(place): name for place, name in enumerate(names)}
        return Dataset([{known.get(column, column): value for column, value in row.items()} for row in self.rows])

    def without(self, excluded: str) -> Dataset:
        """Leave columns out.

        :param excluded: names or places (from 0), with commas between them; ``2-4`` is a range of places
        """
        names = set(_excluded(excluded))
        return Dataset([{column: value for column, value in row.items() if column not in names} for row in self.rows])


def place_name(place: int) -> str:
    """Name a column that has no name by its place, from 0."""
    return f"_c{place}"


def read_csv(text: str, *, header: bool) -> list[Row]:
    """Read rows of CSV."""
    lines = [line for line in csv.reader(io.StringIO(text)) if line]
    if not lines:
        return []
    names = lines.pop(0) if header else [place_name(place) for place in range(max(map(len, lines)))]
    return [dict(zip(names, map(_present, line), strict=False)) for line in lines]


def read_json(text: str) -> list[Row]:
    """Read rows of JSON, or of JSON lines.

    An object is a row, its inner objects flattened with dots; an array of numbers or texts is a row without names; an
    array of objects or arrays holds rows, also as the only member of an object such as ``instances``.

    :raises DatasetError: it is neither
    """
    try:
        return rows_of(json.loads(text))
    except ValueError:
        pass
    try:
        return [row for line in text.splitlines() if line.strip() for row in rows_of(json.loads(line))]
    except ValueError as problem:
        raise DatasetError(f"The data is neither JSON nor JSON lines: {problem}") from None


def rows_of(value: Any) -> list[Row]:
    """Give the rows that a JSON value holds."""
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(only := next(iter(value.values())), list) and _holds_rows(only):
            return rows_of(only)
        return [dict(_flattened(value))]
    if isinstance(value, list):
        if _holds_rows(value):
            return [row for one in value for row in rows_of(one)]
        return [{place_name(place): _as_text(one) for place, one in enumerate(value)}]
    return [{place_name(0): _as_text(value)}]


def joined(outputs: Sequence[Row], inputs: Sequence[Row]) -> list[Row]:
    """Put the predictions before what they were made for, as AWS's analyzer does."""
    if not outputs:
        return list(inputs)
    if len(outputs) != len(inputs):
        raise DatasetError(f"An inference has {len(inputs)} rows and {len(outputs)} predictions.")
    return [_after(output, row) for output, row in zip(outputs, inputs, strict=True)]


def _after(output: Row, row: Row) -> Row:
    """Move the columns without names behind those of the output."""
    places = sum(name.startswith("_c") for name in output)
    moved: Mapping[str, str | None] = {
        place_name(places + int(name[2:])) if name.startswith("_c") and name[2:].isdigit() else name: value
        for name, value in row.items()
    }
    return {**output, **moved}


def _holds_rows(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(one, dict | list) for one in values)


def _flattened(value: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str | None]]:
    for name, item in value.items():
        if isinstance(item, dict):
            yield from _flattened(item, f"{before}{name}.")
        elif isinstance(item, list):
            for place, one in enumerate(item):
                yield f"{before}{name}.{place}", _as_text(one)
        else:
            yield f"{before}{name}", _as_text(item)


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return _present(value)
    return json.dumps(value)


def _present(text: str) -> str | None:
    stripped = text.strip()
    return stripped or None


def _excluded(text: str) -> Iterable[str]:
    for part in filter(None, (one.strip() for one in text.split(","))):
        first, dash, last = part.partition("-")
        if first.isdigit() and (last.isdigit() or not dash):
            yield from map(place_name, range(int(first), int(last or first) + 1))
        else:
            yield part
