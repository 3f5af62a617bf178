"""What stands in ``WITH (...)`` of CREATE TABLE AS and UNLOAD: how and where rows are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.objects import split_uri

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMATS = ("PARQUET", "TEXTFILE", "JSON")
_UNWRITTEN = ("ORC", "AVRO", "RCFILE", "RCTEXT", "ION")
COMPRESSIONS = {
    "PARQUET": ("GZIP", "SNAPPY", "ZSTD", "NONE", "UNCOMPRESSED"),
    "TEXTFILE": ("GZIP", "NONE"),
    "JSON": ("GZIP", "NONE"),
}
"""Those of Athena's that are written here; the first is what it takes when nothing is said."""
_ELSEWHERE = ("LZ4", "ZLIB", "BZIP2", "DEFLATE", "LZO", "SNAPPY", "ZSTD")
_COMPRESSION = ("write_compression", "compression", "parquet_compression", "orc_compression")
_UNSUPPORTED = ("bucketed_by", "bucket_count", "compression_level", "partitioning", "vacuum_max_snapshots_to_keep")

Value = str | tuple[str, ...]


@dataclass(frozen=True)
class WriteProperties:
    """How rows are written."""

    form: str
    """PARQUET, TEXTFILE or JSON."""
    compression: str
    """As Athena names it, such as GZIP or NONE."""
    partitioned_by: tuple[str, ...] = ()
    """In lower case."""
    location: str | None = None
    """``external_location``, as it was given."""
    delimiter: str = "\x01"
    """Between the fields of a text file."""


def write_properties(properties: exp.Properties | None, *, unload: bool = False) -> WriteProperties:
    """Read the properties.

    :param unload: those of UNLOAD, which must name the format and have no location
    :raises QueryError: Athena would refuse one, or the local one does not know it
    """
    given = _given(properties)
    known = {"format", "partitioned_by", "field_delimiter", *_COMPRESSION}
    known |= set() if unload else {"external_location", "is_external", "table_type", *_UNSUPPORTED}
    for name in given:
        if name in _UNSUPPORTED:
            raise NotSupportedError(f"the table property '{name}'")
        if name not in known:
            message = f"line 1:1: Catalog 'awsdatacatalog' table property '{name}' does not exist"
            raise QueryError("INVALID_TABLE_PROPERTY", message)
    if unload and "format" not in given:
        raise QueryError("INVALID_TABLE_PROPERTY", "Table properties [FORMAT] are not specified.")
    if _text(given, "table_type", "HIVE").upper() != "HIVE":
        raise NotSupportedError(f"the table_type {_text(given, 'table_type')}")
    form = _format(_text(given, "format", "PARQUET"))
    keys = given.get("partitioned_by", ())
    return WriteProperties(
        form=form,
        compression=_compression(given, form),
        partitioned_by=tuple(key.lower() for key in ((keys,) if isinstance(keys, str) else keys)),
        location=_location(given),
        delimiter=_text(given, "field_delimiter", "\x01").encode().decode("unicode_escape"),
    )


def _given(properties: exp.Properties | None) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for item in properties.expressions if properties is not None else ():
        if isinstance(item, exp.FileFormatProperty):
            found["format"] = item.this.name
        elif isinstance(item, exp.PartitionedByProperty):
            found["partitioned_by"] = _value(item.this)
        elif type(item) is exp.Property:
            found[item.this.name.lower()] = _value(item.args["value"])
        elif not isinstance(item, exp.WithDataProperty):
            raise NotSupportedError(f"the table property {item.sql('athena')}")
    return found


def _value(node: exp.Expr) -> Value:
    if isinstance(node, exp.Array | exp.Tuple | exp.Schema):
        return tuple(item.name for item in node.expressions)
    return node.name


def _text(given: Mapping[str, Value], name: str, default: str = "") -> str:
    value = given.get(name, default)
    return value if isinstance(value, str) else ", ".join(value)


def _format(name: str) -> str:
    form = name.upper()
    if form in _UNWRITTEN:
        raise NotSupportedError(f"writing the format {form}")
    if form not in FORMATS:
        message = f"line 1:1: Unable to set table property 'format' to [{name}]: Invalid value [{name}]"
        raise QueryError("INVALID_TABLE_PROPERTY", message)
    return form


def _compression(given: Mapping[str, Value], form: str) -> str:
    said = [_text(given, name).upper() for name in _COMPRESSION if name in given]
    if not said:
        return COMPRESSIONS[form][0]
    if len(set(said)) > 1 or said[0] not in (*COMPRESSIONS[form], *_ELSEWHERE):
        message = f"line 1:1: Unable to set table property 'write_compression' to [{', '.join(said)}]"
        raise QueryError("INVALID_TABLE_PROPERTY", message)
    if said[0] not in COMPRESSIONS[form]:
        raise NotSupportedError(f"the compression {said[0]} of {form}")
    return said[0]


def _location(given: Mapping[str, Value]) -> str | None:
    location = _text(given, "external_location")
    if not location:
        return None
    try:
        split_uri(location)
    except ValueError as error:
        raise QueryError("INVALID_TABLE_PROPERTY", f"External location must be a directory: {location}") from error
    return location
