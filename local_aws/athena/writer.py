"""Writes the rows of a query to S3: files in a folder, or in folders of partitions as Hive names them."""

from __future__ import annotations

import random
import string
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from festaf.local_aws.athena.engine import CancelledError
from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.athena.formats import encode, suffix_of
from festaf.local_aws.athena.hive_paths import NO_VALUE, escaped
from festaf.local_aws.athena.types import athena_type, texts
from festaf.local_aws.objects import Objects, split_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from festaf.local_aws.athena.execution import Execution
    from festaf.local_aws.athena.properties import WriteProperties
    from festaf.local_aws.cloud import Cloud

ROWS_PER_FILE = 1_000_000
MOST_PARTITIONS = 100
"""Athena writes no more partitions by one statement."""
_KEY_TYPES = ("varchar", "date", "boolean", "tinyint", "smallint", "integer", "bigint")


@dataclass
class Written:
    """What one statement wrote."""

    rows: int = 0
    files: list[str] = field(default_factory=list)
    """URIs, in the order of their writing."""
    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)
    """The folder of each partition by its values."""


class Writer:
    """Writes for one execution."""

    def __init__(self, cloud: Cloud, execution: Execution) -> None:
        self._objects = Objects(cloud, execution.region)
        self._execution = execution

    def is_empty(self, location: str) -> bool:
        """Say whether nothing stands in a folder."""
        bucket, prefix = split_uri(location)
        return next(iter(self._objects.under(bucket, f"{prefix}/" if prefix else "")), None) is None

    def write(
        self,
        rows: pa.Table,
        properties: WriteProperties,
        location: str,
        home: Callable[[tuple[str, ...]], str] | None = None,
    ) -> Written:
        """Write rows; a partition's folder is the default one unless ``home`` says another.

        :raises QueryError: there are too many partitions, or a type cannot be written
        :raises CancelledError: the query was cancelled meanwhile
        :raises ObjectStoreError: S3 refuses
        """
        written = Written(rows=rows.num_rows)
        keys = properties.partitioned_by
        for values, part in _parts(rows, keys):
            folder = f"{location.rstrip('/')}/"
            if keys:
                folder = home(values) if home else partition_folder(location, keys, values)
                written.partitions[values] = folder
            for start in range(0, part.num_rows, ROWS_PER_FILE):
                self._put(folder, part.slice(start, ROWS_PER_FILE), properties, written)
        self._execution.rows_given = written.rows
        return written

    def manifest(self, location: str, written: Written) -> None:
        """Write the list of the files, as Athena leaves it beside its results."""
        bucket, key = split_uri(location)
        self._objects.put(bucket, key, "".join(f"{uri}\n" for uri in written.files).encode(), "text/csv")
        self._execution.manifest = location

    def _put(self, folder: str, rows: pa.Table, properties: WriteProperties, written: Written) -> None:
        if self._execution.done:
            raise CancelledError
        bucket, prefix = split_uri(folder)
        name = f"{_file_name(self._execution.submitted)}{suffix_of(properties.form, properties.compression)}"
        key = f"{prefix}/{name}" if prefix else name
        content = encode(rows, properties)
        self._execution.bytes_given += len(content)
        self._objects.put(bucket, key, content)
        written.files.append(f"s3://{bucket}/{key}")


def partition_folder(location: str, keys: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Name the folder of a partition as Hive does, with a slash at its end."""
    path = "/".join(f"{escaped(key)}={escaped(value)}" for key, value in zip(keys, values, strict=True))
    return f"{location.rstrip('/')}/{path}/"


def check_keys(rows: pa.Table, keys: tuple[str, ...]) -> None:
    """Check that the partition keys are the last columns.

    :raises QueryError: in Athena's words
    """
    names = rows.column_names
    missing = [key for key in keys if key not in names]
    if missing:
        message = f"Partition columns {_listed(missing)} not present in schema"
        raise QueryError("INVALID_TABLE_PROPERTY", message)
    if keys and tuple(names[-len(keys) :]) != keys:
        message = (
            "Partition keys must be the last columns in the table and in the same order as the table properties: "
            f"{_listed(keys)}"
        )
        raise QueryError("HIVE_COLUMN_ORDER_MISMATCH", message)
    if len(keys) == len(names):
        raise QueryError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    for key in keys:
        kind = athena_type(rows.schema.field(key).type)["Type"]
        if kind not in _KEY_TYPES:
            raise NotSupportedError(f"the partition key {key} of type {kind}")


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return f"[{', '.join(names)}]"


def _parts(rows: pa.Table, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], pa.Table]]:
    """Give the rows of each partition, without its keys, in the order of the first row of each."""
    import pyarrow as pa

    if not keys:
        yield (), rows
        return
    columns = {key: texts(rows.column(key)) for key in keys}
    numbers = pa.array(range(rows.num_rows), pa.int64())
    grouped = pa.table({**columns, " row": numbers}).group_by(list(keys)).aggregate([(" row", "list")])
    if grouped.num_rows > MOST_PARTITIONS:
        message = f"Exceeded limit of {MOST_PARTITIONS} open writers for partitions/buckets"
        raise QueryError("HIVE_TOO_MANY_OPEN_PARTITIONS", message)
    data = rows.drop_columns(list(keys))
    places = grouped.column(" row_list").combine_chunks()
    for index, row in enumerate(grouped.select(list(keys)).to_pylist()):
        values = tuple(NO_VALUE if row[key] is None else row[key] for key in keys)
        yield values, data.take(places[index].values)


def _file_name(moment: float) -> str:
    letters = "".join(random.choices(string.ascii_lowercase + string.digits, k=5))
    return f"{datetime.fromtimestamp(moment, UTC):%Y%m%d_%H%M%S}_00000_{letters}_{uuid.uuid4()}"
