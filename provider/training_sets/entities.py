"""The rows that features are joined to: a table, a query, or Parquet files in S3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from festaf.contract.names import sha256_of
from festaf.contract.training_set import EntitySource
from festaf.provider.errors import TAKEN, InputError, RefusedError
from festaf.provider.training_sets.folder import Folder
from festaf.provider.training_sets.sql import named

if TYPE_CHECKING:
    import pyarrow as pa

    from festaf.contract.training_set import DataFile
    from festaf.provider.training_sets.sql import Table

_TABLE = re.compile(r'"?([A-Za-z0-9_-]+)"?\."?([A-Za-z0-9_-]+)"?')
_QUERY = re.compile(r"(?is)(?:\s|--[^\n]*\n|/\*.*?\*/)*(select|with|values|table|\()\s*\S")
_PARQUET = (".parquet", ".pq", ".parq")
PARQUET_STORAGE = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}


@dataclass(frozen=True)
class Entities:
    """Entity rows as the task was given them.

    :param files: the Parquet files, for ``parquet`` only
    """

    source: EntitySource
    table: Table | None = None
    files: tuple[DataFile, ...] = ()

    @classmethod
    def of(cls, text: str, event_time: str | None, folder: Folder, region: str) -> Entities:
        """Tell what the text is: ``s3://...``, ``database.table`` or a query.

        :param folder: any folder, for its hook
        :raises InputError: it is none of these, or there are no Parquet files
        """
        text = text.strip().rstrip(";").strip()
        if text.startswith("s3://"):
            return cls(
                EntitySource(kind="parquet", text=text, uri=text.rstrip("/"), event_time=event_time),
                files=_parquet_files(folder, text),
            )
        if found := _TABLE.fullmatch(text):
            table = (found[1], found[2])
            uri = f"awsathena://athena.{region}.amazonaws.com/AwsDataCatalog.{table[0]}.{table[1]}"
            return cls(EntitySource(kind="table", text=text, uri=uri, event_time=event_time), table)
        if _QUERY.match(text):
            return cls(EntitySource(kind="query", text=text, event_time=event_time))
        raise InputError(f"entities {text!r} is neither 'database.table', nor a query, nor an s3:// URI of Parquet")

    def content(self) -> list[str]:
        """Give what identifies the rows, for the hash of the specification; files by their content."""
        return [self.source.kind, self.source.text, *(f"{file.uri} {file.etag}" for file in self.files)]

    def from_(self, temporary: Table) -> str:
        """Write what stands after FROM.

        :param temporary: the table that stands for Parquet files
        """
        if self.source.kind == "query":
            return f"(\n{self.source.text}\n)"
        return named(self.table or temporary)

    def make_table(self, temporary: Table, folder: Folder) -> None:
        """Make the table through which SQL sees the Parquet files; one that stands is made right.

        The files stay where they are when nothing else lies beside them; otherwise they are copied within S3.

        :param folder: where copies go
        """
        root = Folder.of(folder.hook, folder.patience, self.source.text)
        location = root.uri
        if self.files != tuple(file for file in root.files() if not _hidden(file)):
            for number, file in enumerate(self.files):
                folder.copy(file, f"{number:05}-{sha256_of(file.uri)[:8]}.parquet")
            location = folder.uri
        columns = [{"Name": name.lower(), "Type": kind} for name, kind in _glue_columns(self.files[0].uri, folder)]
        table = table_input(temporary[1], location, columns, {"classification": "parquet"})
        put_table(folder, temporary[0], table)


def table_input(name: str, location: str, columns: list[dict[str, str]], parameters: dict[str, str]) -> dict[str, Any]:
    """Write Glue's TableInput of a table over Parquet files."""
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **parameters},
        "StorageDescriptor": {**PARQUET_STORAGE, "Columns": columns, "Location": f"{location.rstrip('/')}/"},
    }


def put_table(folder: Folder, database: str, table: dict[str, Any]) -> None:
    """Create a Glue table, or give the one that stands this content (CreateTable, UpdateTable)."""
    hook, patience = folder.hook, folder.patience
    try:
        patience.ask(lambda: hook.call("glue", "create_table", DatabaseName=database, TableInput=table))
    except RefusedError as error:
        if error.code not in TAKEN | {"AlreadyExistsException"}:
            raise
        patience.ask(lambda: hook.call("glue", "update_table", DatabaseName=database, TableInput=table))


def _parquet_files(folder: Folder, uri: str) -> tuple[DataFile, ...]:
    """Find the Parquet files under a URI, or the one that it names."""
    root = Folder.of(folder.hook, folder.patience, uri)
    found = tuple(file for file in root.files() if not _hidden(file) and file.uri.lower().endswith(_PARQUET))
    if not found and uri.lower().endswith(_PARQUET):
        parent = Folder.of(folder.hook, folder.patience, uri.rsplit("/", 1)[0])
        found = tuple(file for file in parent.files() if file.uri == uri)
    if not found:
        raise InputError(f"There are no Parquet files at {uri}")
    return found


def _hidden(file: DataFile) -> bool:
    """Tell whether Athena passes a file over."""
    return urlsplit(file.uri).path.rsplit("/", 1)[-1].startswith(("_", "."))


def _glue_columns(uri: str, folder: Folder) -> list[tuple[str, str]]:
    """Read a Parquet file's columns from its footer, in Glue's words."""
    from festaf.provider.ingest.source import open_source

    kinds = open_source(uri, "parquet", folder.hook).types()
    return [(name, _glue_type(name, kind, uri)) for name, kind in kinds.items() if kind is not None]


def _glue_type(name: str, kind: pa.DataType, where: str) -> str:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _glue_type(name, kind.value_type, where)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return f"array<{_glue_type(name, kind.value_type, where)}>"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "string"
    known = {
        pa.bool_(): "boolean",
        pa.int8(): "tinyint",
        pa.int16(): "smallint",
        pa.int32(): "int",
        pa.int64(): "bigint",
        pa.float32(): "float",
        pa.float64(): "double",
        pa.date32(): "date",
    }
    if kind not in known:
        raise InputError(f"Column {name!r} of {where} is {kind}, which Athena does not read from Parquet: cast it")
    return known[kind]
