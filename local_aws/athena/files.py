"""Files of the formats that the local Athena reads, as Arrow tables of the types that Glue says."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import zlib
from typing import TYPE_CHECKING

from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.athena.json_values import from_json
from festaf.local_aws.athena.types import arrow_type

if TYPE_CHECKING:
    import pyarrow as pa

    from festaf.local_aws.athena.catalog import GlueTable


def read_file(table: GlueTable, uri: str, content: bytes) -> pa.Table:
    """Read one file: the table's columns, without its partition keys; a column that the file lacks is null.

    :param uri: for the messages
    :raises QueryError: the file is not of the table's format or types
    """
    import pyarrow as pa

    if table.serde == "ParquetHiveSerDe":
        found = _parquet(content, uri)
    elif table.serde in ("OpenCSVSerde", "LazySimpleSerDe"):
        found = _csv(table, _plain(content, uri), uri)
    elif table.serde == "JsonSerDe":
        found = _json(table, _plain(content, uri), uri)
    else:
        raise NotSupportedError(f"the format {table.serde or 'without a SerDe'} of {table.database}.{table.name}")
    columns = {}
    for name, kind in table.columns:
        target = arrow_type(kind)
        column = found.get(name)
        columns[name] = pa.nulls(_length(found), target) if column is None else _typed(column, target, name, uri)
    return pa.table(columns)


def _length(found: dict[str, pa.ChunkedArray]) -> int:
    return max((len(column) for column in found.values()), default=0)


def _parquet(content: bytes, uri: str) -> dict[str, pa.ChunkedArray]:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        data = parquet.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    except pa.ArrowInvalid as error:
        raise QueryError("HIVE_BAD_DATA", f"Not valid Parquet file: {uri}: {error}") from error
    return {name.lower(): data.column(index) for index, name in enumerate(data.column_names)}


def _typed(column: pa.ChunkedArray, target: pa.DataType, name: str, uri: str) -> pa.ChunkedArray:
    import pyarrow as pa

    if column.type == target:
        return column
    readable = pa.types.is_string(column.type) == pa.types.is_string(target) or pa.types.is_null(column.type)
    if readable:
        try:
            if pa.types.is_timestamp(target) and pa.types.is_timestamp(column.type):
                return column.cast(target, safe=False)
            return column.cast(target)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass
    raise QueryError(
        "HIVE_BAD_DATA",
        f"Field {name}'s type {column.type} in parquet file {uri} is incompatible with type {target} "
        "defined in table schema",
    )


def _plain(content: bytes, uri: str) -> bytes:
    """Unpack a text file, whose name tells whether it is packed."""
    unpack = {"gz": gzip.decompress, "bz2": bz2.decompress}.get(uri.rsplit(".", 1)[-1])
    if unpack is None:
        return content
    try:
        return unpack(content)
    except (OSError, EOFError, zlib.error) as error:
        raise QueryError("HIVE_CANNOT_OPEN_SPLIT", f"Error opening the file {uri}: {error}") from error


def _json(table: GlueTable, content: bytes, uri: str) -> dict[str, pa.ChunkedArray]:
    """Read lines of JSON; names are matched in any case."""
    import pyarrow as pa

    rows = []
    for line in filter(None, map(bytes.strip, content.splitlines())):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise QueryError("HIVE_CURSOR_ERROR", f"Row is not a valid JSON Object - {error} in {uri}") from error
        if not isinstance(row, dict):
            raise QueryError("HIVE_CURSOR_ERROR", f"Row is not a valid JSON Object in {uri}")
        rows.append({name.lower(): value for name, value in row.items()})
    found = {}
    for name, kind in table.columns:
        target = arrow_type(kind)
        values = [from_json(row.get(name), target, name) for row in rows]
        try:
            found[name] = pa.chunked_array([pa.array(values, target)])
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise QueryError("HIVE_BAD_DATA", f"Error parsing the column {name} in {uri}: {error}") from error
    return found


def _csv(table: GlueTable, content: bytes, uri: str) -> dict[str, pa.ChunkedArray]:
    """Read text; LazySimpleSerDe gives null for what is not of the column's type, OpenCSVSerde refuses it."""
    import pyarrow as pa
    from pyarrow import csv

    options, lazy = table.serde_parameters, table.serde == "LazySimpleSerDe"
    names = [name for name, _ in table.columns]
    quote = options.get("quoteChar", '"')
    delimiter = options.get("field.delim", "\x01") if lazy else options.get("separatorChar", ",")
    skipped = int(table.parameters.get("skip.header.line.count", "0"))
    if content.count(b"\n") + (not content.endswith(b"\n") and bool(content)) <= skipped:
        return {}
    try:
        data = csv.read_csv(
            io.BytesIO(content),
            read_options=csv.ReadOptions(column_names=names, skip_rows=skipped, use_threads=False),
            parse_options=csv.ParseOptions(
                delimiter=delimiter,
                quote_char=False if lazy else quote,
                escape_char=options.get("escapeChar", "\\") if not lazy else False,
                newlines_in_values=not lazy,
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=["\\N"],
                strings_can_be_null=lazy,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise QueryError("HIVE_BAD_DATA", f"Error reading the text file {uri}: {error}") from error
    return {name: _from_text(data.column(name), arrow_type(kind), name, uri, lazy=lazy) for name, kind in table.columns}


def _from_text(column: pa.ChunkedArray, target: pa.DataType, name: str, uri: str, *, lazy: bool) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute

    if pa.types.is_string(target):
        return column
    if not (pa.types.is_primitive(target) or pa.types.is_decimal(target)):
        raise NotSupportedError(f"the type {target} of the column {name} in a text file")
    blank = pa.compute.equal(column, "")
    column = pa.compute.if_else(blank, pa.scalar(None, pa.string()), column)
    try:
        return column.cast(target)
    except pa.ArrowInvalid as error:
        if not lazy:
            message = f"Error parsing field value of the column {name} in {uri}: {error}"
            raise QueryError("HIVE_BAD_DATA", message) from error
    return pa.chunked_array([pa.array([_or_null(text, target) for text in column.to_pylist()], target)])


def _or_null(text: str | None, target: pa.DataType) -> object:
    import pyarrow as pa

    try:
        return pa.scalar(text, pa.string()).cast(target).as_py()
    except pa.ArrowInvalid:
        return None
