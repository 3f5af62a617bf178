"""Values of a JSON file as the values of a column's type."""

from __future__ import annotations

import base64
import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from festaf.local_aws.athena.errors import NotSupportedError

if TYPE_CHECKING:
    import pyarrow as pa


def from_json(value: Any, kind: pa.DataType, name: str) -> Any:
    """Give what Arrow takes for a value of this type.

    :param name: of the column, for the message
    :raises NotSupportedError: Hive would convert the value in a way that is not known here
    """
    import pyarrow as pa

    if value is None:
        return None
    if pa.types.is_list(kind) and isinstance(value, list):
        return [from_json(item, kind.value_type, name) for item in value]
    if pa.types.is_struct(kind) and isinstance(value, dict):
        given = {key.lower(): item for key, item in value.items()}
        return {field.name: from_json(given.get(field.name), field.type, name) for field in kind}
    if pa.types.is_map(kind) and isinstance(value, dict) and pa.types.is_string(kind.key_type):
        return [(key, from_json(item, kind.item_type, name)) for key, item in value.items()]
    for matches, read in _SCALARS:
        if getattr(pa.types, matches)(kind):
            try:
                return read(value)
            except (TypeError, ValueError, ArithmeticError):
                break
    raise NotSupportedError(f"the JSON value {json.dumps(value)[:40]} in the column {name} of type {kind}")


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _real(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_SCALARS = (
    ("is_boolean", _boolean),
    ("is_integer", _number),
    ("is_floating", _real),
    ("is_decimal", lambda value: Decimal(str(_real(value)))),
    ("is_string", _text),
    ("is_date", date.fromisoformat),
    ("is_timestamp", datetime.fromisoformat),
    ("is_binary", base64.b64decode),
)
