"""The types of Glue, Trino, Arrow and Athena's results, and how values are written as text."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.errors import ParseError

from festaf.local_aws.athena.errors import NotSupportedError, QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

_T = exp.DataType.Type
_ARROW = {
    _T.TEXT: "string",
    _T.VARCHAR: "string",
    _T.CHAR: "string",
    _T.BOOLEAN: "bool_",
    _T.TINYINT: "int8",
    _T.SMALLINT: "int16",
    _T.INT: "int32",
    _T.BIGINT: "int64",
    _T.FLOAT: "float32",
    _T.DOUBLE: "float64",
    _T.DATE: "date32",
    _T.BINARY: "binary",
    _T.VARBINARY: "binary",
}
_SIZES = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19, "double": 17, "float": 17, "date": 0, "boolean": 0}


def glue_type(text: str) -> exp.DataType:
    """Read a column type as Glue writes it, such as ``array<double>``.

    :raises QueryError: it is no type of Hive
    """
    try:
        return exp.DataType.build(text, dialect="hive")
    except ParseError as error:
        raise QueryError("HIVE_INVALID_METADATA", f"Glue column type '{text}' cannot be read") from error


def arrow_type(kind: exp.DataType) -> pa.DataType:
    """Give the Arrow type of a column.

    :raises NotSupportedError: such as a union type
    """
    import pyarrow as pa

    inner = kind.expressions
    if kind.this in _ARROW:
        return getattr(pa, _ARROW[kind.this])()
    if kind.this in (_T.TIMESTAMP, _T.TIMESTAMPNTZ):
        return pa.timestamp("ms")
    if kind.this == _T.TIMESTAMPTZ:
        return pa.timestamp("ms", "UTC")
    if kind.this in (_T.UNKNOWN, _T.NULL):
        return pa.null()
    if kind.this == _T.DECIMAL:
        precision, scale = ([int(part.name) for part in inner] + [0])[:2] if inner else (10, 0)
        return pa.decimal128(precision, scale)
    if kind.this == _T.ARRAY:
        return pa.list_(arrow_type(inner[0]))
    if kind.this == _T.MAP:
        return pa.map_(arrow_type(inner[0]), arrow_type(inner[1]))
    if kind.this == _T.STRUCT:
        return pa.struct([(field.name.lower(), arrow_type(field.args["kind"])) for field in inner])
    raise NotSupportedError(f"the column type {kind.sql('hive')}")


def hive_type(kind: pa.DataType, *, view: bool = False) -> str:
    """Write the type of a result's column as Glue keeps it, such as ``array<bigint>``.

    :param view: for a view, whose columns may be of any type: Glue's are for the eye alone
    :raises QueryError: no Hive table can have it, such as a timestamp with time zone
    """
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_list(kind):
        return f"array<{hive_type(kind.value_type, view=view)}>"
    if pa.types.is_map(kind):
        return f"map<{hive_type(kind.key_type, view=view)},{hive_type(kind.item_type, view=view)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{hive_type(field.type, view=view)}' for field in kind)}>"
    name = athena_type(kind)["Type"]
    if view and name in ("unknown", "timestamp with time zone"):
        return "string" if name == "unknown" else "timestamp"
    if name in ("unknown", "timestamp with time zone"):
        raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {name}")
    return str(_HIVE_NAMES.get(name, name))


def trino_type(kind: pa.DataType) -> str:
    """Write the type of a result's column as Trino does, such as ``array(bigint)``."""
    import pyarrow as pa

    if pa.types.is_decimal(kind) and athena_type(kind)["Type"] == "decimal":
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_list(kind):
        return f"array({trino_type(kind.value_type)})"
    if pa.types.is_map(kind):
        return f"map({trino_type(kind.key_type)}, {trino_type(kind.item_type)})"
    if pa.types.is_struct(kind):
        return f"row({', '.join(f'{field.name} {trino_type(field.type)}' for field in kind)})"
    name = str(athena_type(kind)["Type"])
    return {"timestamp": "timestamp(3)", "timestamp with time zone": "timestamp(3) with time zone"}.get(
        name, "real" if name == "float" else name
    )


def athena_type(kind: pa.DataType) -> dict[str, Any]:
    """Describe the type of a result's column as ColumnInfo does.

    :raises NotSupportedError: a type that Athena's results do not have, such as an interval
    """
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        whole = kind.scale == 0 and kind.precision == 38
        return _info("bigint", 19) if whole else _info("decimal", kind.precision, kind.scale)
    if pa.types.is_timestamp(kind):
        return _info("timestamp with time zone" if kind.tz else "timestamp", 3)
    for matches, name in _NAMES:
        if getattr(pa.types, matches)(kind):
            size = 2147483647 if name in ("varchar", "varbinary") else _SIZES.get(name, 0)
            return _info(name, size, sensitive=name == "varchar")
    raise NotSupportedError(f"a result of type {kind}")


_HIVE_NAMES = {"varchar": "string", "integer": "int", "varbinary": "binary"}
_NAMES = (
    ("is_boolean", "boolean"),
    ("is_int8", "tinyint"),
    ("is_int16", "smallint"),
    ("is_int32", "integer"),
    ("is_integer", "bigint"),
    ("is_float32", "float"),
    ("is_float64", "double"),
    ("is_string", "varchar"),
    ("is_large_string", "varchar"),
    ("is_null", "unknown"),
    ("is_date", "date"),
    ("is_list", "array"),
    ("is_map", "map"),
    ("is_struct", "row"),
    ("is_binary", "varbinary"),
)


def texts(column: pa.ChunkedArray) -> pa.Array:
    """Write the values of a result's column as Athena writes them; null stays null."""
    import pyarrow as pa
    import pyarrow.compute

    kind = column.type
    if pa.types.is_string(kind):
        return column.combine_chunks()
    if pa.types.is_integer(kind) or pa.types.is_date(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string()).combine_chunks()
    if pa.types.is_timestamp(kind):
        moments = column.cast(pa.timestamp("ms", kind.tz), safe=False).cast(pa.timestamp("ms"))
        written = pa.compute.strftime(moments, "%Y-%m-%d %H:%M:%S").combine_chunks()
        return pa.compute.binary_join_element_wise(written, "UTC", " ") if kind.tz else written
    write = _writer(kind)
    return pa.array([None if value is None else write(value) for value in column.to_pylist()], pa.string())


def java_double(value: float) -> str:
    """Write a double as Java does, and so Athena: ``1.0``, ``1.0E10``, ``NaN``."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    plain = "".join(map(str, digits)).rstrip("0") or "0"
    point = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{plain[0]}.{plain[1:] or '0'}E{point}"


def _writer(kind: pa.DataType) -> Callable[[Any], str]:
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        return (lambda value: f"{_moment(value)} UTC") if kind.tz else _moment
    if pa.types.is_list(kind):
        item = _nested(kind.value_type)
        return lambda values: f"[{', '.join(map(item, values))}]"
    if pa.types.is_map(kind):
        key, item = _nested(kind.key_type), _nested(kind.item_type)
        return lambda pairs: "{" + ", ".join(f"{key(name)}={item(value)}" for name, value in pairs) + "}"
    if pa.types.is_struct(kind):
        fields = [(field.name, _nested(field.type)) for field in kind]
        return lambda row: "{" + ", ".join(f"{name}={write(row[name])}" for name, write in fields) + "}"
    return _SCALARS.get(str(kind), str)


def _nested(kind: pa.DataType) -> Callable[[Any], str]:
    write = _writer(kind)
    return lambda value: "null" if value is None else write(value)


def _moment(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03}"


_SCALARS: dict[str, Callable[[Any], str]] = {
    "double": java_double,
    "float": lambda value: java_double(float(f"{value:.9g}")),
    "bool": lambda value: "true" if value else "false",
    "binary": lambda value: value.hex(" "),
}


def _info(name: str, precision: int, scale: int = 0, *, sensitive: bool = False) -> dict[str, Any]:
    return {"Type": name, "Precision": precision, "Scale": scale, "Nullable": "UNKNOWN", "CaseSensitive": sensitive}
