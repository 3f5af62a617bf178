"""What is known of operators and hooks that are not read: their templated fields and their default connections.

The table is made from the providers' own sources by ``operators_table.py`` beside it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

SUFFIXES = ("Operator", "Sensor", "SensorAsync", "OperatorAsync")
PLACES = (".operators.", ".sensors.", ".transfers.")
NOT_OPERATORS = {"airflow.models.baseoperator", "airflow.sdk.bases.operator"}


class Known(NamedTuple):
    """What is known of one class."""

    path: str
    fields: frozenset[str]
    connections: dict[str, str]
    parameters: frozenset[str]


@lru_cache(maxsize=1)
def table() -> dict[str, list[Known]]:
    """Give what is known, by the class's bare name."""
    text = files(__package__).joinpath("operators.json").read_text("utf-8")
    known: dict[str, list[Known]] = {}
    for path, (fields, connections, parameters) in json.loads(text).items():
        entry = Known(path, frozenset(fields), connections, frozenset(parameters))
        known.setdefault(path.rpartition(".")[2], []).append(entry)
    return known


def find(path: str) -> Known | None:
    """Find a class by its path, or by its name when Airflow moved it."""
    entries = table().get(path.rpartition(".")[2], [])
    for entry in entries:
        if entry.path == path:
            return entry
    if path.startswith("airflow.") and len(entries) == 1:
        return entries[0]
    return None


@lru_cache(maxsize=1)
def decorators() -> dict[str, str]:
    """Give the operator's class of each kind of ``@task``."""
    found: dict[str, str] = json.loads(files(__package__).joinpath("decorators.json").read_text("utf-8"))
    return found


def fields(path: str) -> frozenset[str] | None:
    """Name the templated fields of a class, or None when it is not known."""
    known = find(path)
    return known.fields if known is not None else None


def true_name(path: str) -> str:
    """Give the name of the class itself, which an old import path may call differently."""
    module, _, name = path.rpartition(".")
    if module in {"cosmos", "cosmos.operators"} and name.startswith("Dbt") and not name.endswith("LocalOperator"):
        return f"{name.removesuffix('Operator')}LocalOperator"
    return {"DummyOperator": "EmptyOperator"}.get(name, name)


def looks_like_operator(path: str) -> bool:
    """Say whether a path names an operator or a sensor."""
    module, _, name = path.rpartition(".")
    if not name[:1].isupper() and not name.startswith("_"):
        return False
    if name in {"BaseSensorOperator", "BaseOperator"}:
        return True
    if name.endswith(SUFFIXES):
        return True
    known = find(path)
    return known is not None and bool(known.fields) and any(place in f".{module}." for place in PLACES)
