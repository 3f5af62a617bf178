"""Say what a DAG's params are: their defaults and JSON schemas."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from festaf.contract.dag_inspection import DagParameter
from festaf.sharing.reading.values import Dict, EnumMember, List, Made, Unknown

if TYPE_CHECKING:
    from festaf.sharing.reading.airflow.model import Dag

UNDECIDED = object()
NOT_SCHEMA = {"default", "description", "schema", "source", "key"}


def parameters_of(dag: Dag) -> tuple[DagParameter, ...]:
    """Describe the params, by name."""
    return tuple(_parameter(dag, name, value) for name, value in sorted(dag.parameters.items()))


def _parameter(dag: Dag, name: str, value: object) -> DagParameter:
    schema: dict[str, Any] = {}
    description = None
    default: object = value
    has_default = True
    if isinstance(value, Made):
        given = value.positional[0] if value.positional else value.keywords.get("default", UNDECIDED)
        default, has_default = given, given is not UNDECIDED
        inner = value.keywords.get("schema")
        if isinstance(inner, Dict):
            schema.update(_plain_dict(inner))
        schema.update(_plain_dict({k: v for k, v in value.keywords.items() if k not in NOT_SCHEMA}))
        text = value.keywords.get("description", value.positional[1] if len(value.positional) > 1 else None)
        description = text if isinstance(text, str) else None
        if value.gap is not None:
            dag.doubt("params", value.gap.reason, dag.place)
    plain = to_plain(default)
    if plain is UNDECIDED:
        if has_default:
            reason = default.reason if isinstance(default, Unknown) else "it is no plain value"
            dag.doubt("params", f"The default of the param {name} is not known: {reason}", dag.place)
        return DagParameter(name=name, json_schema=schema, description=description)
    return DagParameter(name=name, json_schema=schema, default=plain, has_default=True, description=description)


def _plain_dict(items: dict[Any, object]) -> dict[str, Any]:
    return {str(key): plain for key, item in items.items() if (plain := to_plain(item)) is not UNDECIDED}


def to_plain(value: object, depth: int = 0) -> Any:
    """Give a value as JSON has it, or UNDECIDED."""
    if depth > 20:
        return UNDECIDED
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, EnumMember):
        return to_plain(value.value, depth + 1)
    if isinstance(value, Dict) and value.gap is None:
        items = {str(key): to_plain(item, depth + 1) for key, item in value.items()}
        return UNDECIDED if any(item is UNDECIDED for item in items.values()) else items
    if isinstance(value, List | tuple) and getattr(value, "gap", None) is None:
        plain = [to_plain(item, depth + 1) for item in value]
        return UNDECIDED if any(item is UNDECIDED for item in plain) else plain
    return UNDECIDED
