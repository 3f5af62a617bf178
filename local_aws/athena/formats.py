"""Rows as the content of a file: Parquet, Hive's delimited text, or lines of JSON."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from festaf.local_aws.athena.errors import NotSupportedError
from festaf.local_aws.athena.types import texts

if TYPE_CHECKING:
    import pyarrow as pa

    from festaf.local_aws.athena.properties import WriteProperties

HIVE_CLASSES = {
    "PARQUET": (
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "TEXTFILE": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    ),
    "JSON": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.apache.hive.hcatalog.data.JsonSerDe",
    ),
}
"""Input format, output format and serialization library of each format."""


def suffix_of(form: str, compression: str) -> str:
    """Give the end of a file's name: readers of text tell the compression by it."""
    return ".gz" if form != "PARQUET" and compression == "GZIP" else ""


def encode(rows: pa.Table, properties: WriteProperties) -> bytes:
    """Give the content of one file.

    :raises NotSupportedError: a column is of a type that is not written in this format
    """
    if properties.form == "PARQUET":
        return _parquet(rows, properties.compression)
    content = _text(rows, properties.delimiter) if properties.form == "TEXTFILE" else _json(rows)
    return gzip.compress(content, mtime=0) if properties.compression == "GZIP" else content


def _parquet(rows: pa.Table, compression: str) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    sink = pa.BufferOutputStream()
    codec = "NONE" if compression == "UNCOMPRESSED" else compression
    parquet.write_table(rows, sink, compression=codec, store_schema=False)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _text(rows: pa.Table, delimiter: str) -> bytes:
    import pyarrow as pa

    for field in rows.schema:
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            raise NotSupportedError(f"writing the column {field.name} of type {field.type} as TEXTFILE")
    columns = [texts(column).to_pylist() for column in rows.columns]
    lines = (delimiter.join("\\N" if text is None else text for text in row) for row in zip(*columns, strict=True))
    return "".join(f"{line}\n" for line in lines).encode()


def _json(rows: pa.Table) -> bytes:
    written = (json.dumps(row, default=_plain, separators=(",", ":"), ensure_ascii=False) for row in _records(rows))
    return "".join(f"{line}\n" for line in written).encode()


def _records(rows: pa.Table) -> list[dict[str, Any]]:
    import pyarrow as pa

    maps = [field.name for field in rows.schema if _has_map(field.type)]
    if maps:
        raise NotSupportedError(f"writing the column {maps[0]} with a map as JSON")
    for index, field in enumerate(rows.schema):
        if pa.types.is_floating(field.type):
            # JSON has no NaN and no infinity.
            column = rows.column(index)
            finite = pa.compute.is_finite(column)
            if not pa.compute.all(finite.fill_null(True)).as_py():
                raise NotSupportedError(f"writing NaN or Infinity in the column {field.name} as JSON")
    records: list[dict[str, Any]] = rows.to_pylist()
    return records


def _has_map(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_map(kind) or any(_has_map(kind.field(index).type) for index in range(kind.num_fields))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{value!r} cannot be written as JSON")
