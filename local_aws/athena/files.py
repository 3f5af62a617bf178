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
    from collections.abc import Callable

    import pyarrow as pa

    from festaf.local_aws.athena.catalog import GlueTable
    from festaf.local_aws.objects import Objects, ObjectStat
    from festaf.local_aws.written_files import WrittenFiles


class FileReader:
    """Reads files of S3, or takes the rows that were just written to them."""

    def __init__(self, written: WrittenFiles) -> None:
        self._written = written

    def of(
        self, table: GlueTable, objects: Objects, go_on: Callable[[], None]
    ) -> Callable[[ObjectStat, str], pa.Table]:
        """Give what reads a file of a table, by its stat and its bucket."""
        import pyarrow as pa

        schema = pa.schema([(name, arrow_type(kind)) for name, kind in table.columns])

        def read(stat: ObjectStat, bucket: str) -> pa.Table:
            kept = self._written.find(bucket, stat.key, stat.etag) if table.serde == "ParquetHiveSerDe" else None
            if kept is not None and kept.schema.equals(schema):
                return kept
            go_on()
            uri = f"s3://{bucket}/{stat.key}"
            found = kept if kept is not None else _found(table, uri, objects.get(bucket, stat.key))
            return _fitted(found, schema, uri)

        return read


def _found(table: GlueTable, uri: str, content: bytes) -> pa.Table:
    """Read one file; the columns have names in lower case, and the types of the file.

    :param uri: for the messages
    :raises QueryError: the file is not of the table's format
    """
    if table.serde == "ParquetHiveSerDe":
        return _parquet(content, uri)
    if table.serde in ("OpenCSVSerde", "LazySimpleSerDe"):
        return _csv(table, _plain(content, uri), uri)
    if table.serde == "JsonSerDe":
        return _json(table, _plain(content, uri), uri)
    raise NotSupportedError(f"the format {table.serde or 'without a SerDe'} of {table.database}.{table.name}")


def _fitted(found: pa.Table, schema: pa.Schema, uri: str) -> pa.Table:
    """Give the table's columns and types; a column that the file lacks is null.

    :raises QueryError: a column is of another type
    """
    import pyarrow as pa

    if not len(schema):
        return found.select([])
    names = set(found.column_names)
    columns = [
        _typed(found.column(field.name), field.type, field.name, uri)
        if field.name in names
        else pa.nulls(found.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _parquet(content: bytes, uri: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        data = parquet.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    except pa.ArrowInvalid as error:
        raise QueryError("HIVE_BAD_DATA", f"Not valid Parquet file: {uri}: {error}") from error
    return data.rename_columns([name.lower() for name in data.column_names])


def _typed(column: pa.ChunkedArray, target: pa.DataType, name: str, uri: str) -> pa.ChunkedArray:
    import pyarrow as pa

    if column.type == target:
        return column
    if pa.types.is_dictionary(column.type):
        # How a writer of pandas' categories packed its texts says nothing about their type.
        column = column.cast(column.type.value_type)
    if _readable(column.type, target):
        try:
            return column.cast(target, safe=not pa.types.is_timestamp(target))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass
    raise QueryError(
        "HIVE_BAD_DATA",
        f"Field {name}'s type {column.type} in parquet file {uri} is incompatible with type {target} "
        "defined in table schema",
    )


def _readable(found: pa.DataType, target: pa.DataType) -> bool:
    """Say whether Athena reads a file's type as the table's: within a family, never a real number as a whole one."""
    import pyarrow as pa

    if pa.types.is_null(found) or (pa.types.is_floating(found) and pa.types.is_floating(target)):
        return True
    if pa.types.is_decimal(target):
        return bool(pa.types.is_decimal(found) or pa.types.is_integer(found))
    return any(
        any(getattr(pa.types, name)(found) for name in family) and getattr(pa.types, family[0])(target)
        for family in _FAMILIES
    )


_FAMILIES = (
    ("is_integer",),
    ("is_timestamp",),
    ("is_date",),
    ("is_string", "is_large_string", "is_string_view"),
    ("is_binary", "is_large_binary"),
    ("is_list", "is_large_list", "is_fixed_size_list"),
    ("is_map",),
    ("is_struct",),
)
"""The types of files that a table's type, the first of each, may be read from."""


def _plain(content: bytes, uri: str) -> bytes:
    """Unpack a text file, whose name tells whether it is packed."""
    unpack = {"gz": gzip.decompress, "bz2": bz2.decompress}.get(uri.rsplit(".", 1)[-1])
    if unpack is None:
        return content
    try:
        return unpack(content)
    except (OSError, EOFError, zlib.error) as error:
        raise QueryError("HIVE_CANNOT_OPEN_SPLIT", f"Error opening the file {uri}: {error}") from error


def _json(table: GlueTable, content: bytes, uri: str) -> pa.Table:
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
    found: dict[str, pa.Array] = {}
    for name, kind in table.columns:
        target = arrow_type(kind)
        values = [from_json(row.get(name), target, name) for row in rows]
        try:
            found[name] = pa.array(values, target)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise QueryError("HIVE_BAD_DATA", f"Error parsing the column {name} in {uri}: {error}") from error
    return pa.table(found)


def _csv(table: GlueTable, content: bytes, uri: str) -> pa.Table:
    """Read text; LazySimpleSerDe gives null for what is not of the column's type, OpenCSVSerde refuses it."""
    import pyarrow as pa
    from pyarrow import csv

    options, lazy = table.serde_parameters, table.serde == "LazySimpleSerDe"
    names = [name for name, _ in table.columns]
    quote = options.get("quoteChar", '"')
    delimiter = options.get("field.delim", "\x01") if lazy else options.get("separatorChar", ",")
    skipped = int(table.parameters.get("skip.header.line.count", "0"))
    if content.count(b"\n") + (not content.endswith(b"\n") and bool(content)) <= skipped:
        return pa.table({})
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
    return pa.table(
        {name: _from_text(data.column(name), arrow_type(kind), name, uri, lazy=lazy) for name, kind in table.columns}
    )


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
