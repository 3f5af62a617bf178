"""The tables that Athena sees: those of Glue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from festaf.local_aws.athena.errors import QueryError
from festaf.local_aws.athena.stored_view import StoredView
from festaf.local_aws.athena.types import glue_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot import exp

    from festaf.local_aws.cloud import Cloud

PARTITIONS_PER_PAGE = 1000
PATH = "$path"
"""The hidden column of every table that says in which file a row stands."""


@dataclass(frozen=True)
class GlueTable:
    """A table as Athena needs to know it; names are in lower case."""

    region: str
    database: str
    name: str
    columns: tuple[tuple[str, exp.DataType], ...]
    keys: tuple[tuple[str, exp.DataType], ...]
    """The partition keys, which stand behind the columns."""
    location: str
    serde: str
    """The serialization library's class name."""
    serde_parameters: Mapping[str, str]
    parameters: Mapping[str, str]
    view: StoredView | None = None
    """The query in place of files, when it is a view."""

    @property
    def all_columns(self) -> dict[str, exp.DataType]:
        """Give columns and partition keys by name, in the order of ``SELECT *``."""
        return dict(self.columns + self.keys)


@dataclass(frozen=True)
class Partition:
    """One registered partition."""

    values: tuple[str, ...]
    location: str


class Catalog:
    """Reads one region's Glue catalog."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        self._cloud = cloud
        self._glue = cloud.client("glue", region)
        self._region = region
        scope = f"local/20000101/{region}/glue/aws4_request"
        self._headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSGlue.GetPartitions",
        }

    def has_database(self, database: str) -> bool:
        """Say whether the database is there."""
        try:
            self._glue.get_database(Name=database)
        except ClientError as error:
            _require_absent(error)
            return False
        return True

    def described(self, database: str, name: str) -> dict[str, Any] | None:
        """Give a table or view as Glue describes it; None when there is none."""
        try:
            found: dict[str, Any] = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError as error:
            _require_absent(error)
            return None
        return found

    def table(self, database: str, name: str) -> GlueTable | None:
        """Give a table or view, or None when there is none of this name.

        :raises QueryError: Glue knows it, and Athena could not read it
        """
        table = self.described(database, name)
        return None if table is None else self._read(table, database, name)

    def _read(self, table: Mapping[str, Any], database: str, name: str) -> GlueTable:
        storage = table.get("StorageDescriptor") or {}
        serde = storage.get("SerdeInfo") or {}
        view = StoredView.read(table, database, name) if table.get("TableType") == "VIRTUAL_VIEW" else None
        return GlueTable(
            region=self._region,
            database=database,
            name=name,
            columns=view.types() if view else _columns(storage.get("Columns", [])),
            keys=_columns(table.get("PartitionKeys", [])),
            location=storage.get("Location", ""),
            serde=serde.get("SerializationLibrary", "").rsplit(".", 1)[-1],
            serde_parameters=serde.get("Parameters") or {},
            parameters=table.get("Parameters") or {},
            view=view,
        )

    def partitions(self, table: GlueTable) -> list[Partition]:
        """List the registered partitions; by plain requests, since boto3 takes a millisecond for each."""
        found: list[Partition] = []
        wanted: dict[str, Any] = {"DatabaseName": table.database, "TableName": table.name}
        wanted |= {"MaxResults": PARTITIONS_PER_PAGE, "ExcludeColumnSchema": True}
        while True:
            reply = self._cloud.request("POST", "/", self._headers, json.dumps(wanted).encode())
            answer = json.loads(reply.body)
            if reply.status >= 400:
                raise QueryError("HIVE_METASTORE_ERROR", str(answer.get("message") or answer.get("Message")))
            for partition in answer["Partitions"]:
                location = (partition.get("StorageDescriptor") or {}).get("Location", "")
                found.append(Partition(tuple(partition["Values"]), location))
            if not answer.get("NextToken"):
                return found
            wanted["NextToken"] = answer["NextToken"]


def _require_absent(error: ClientError) -> None:
    """Take an error of Glue for an absence only if it says so.

    :raises ClientError: it says something else
    """
    if error.response["Error"]["Code"] != "EntityNotFoundException":
        raise error


def _columns(columns: list[dict[str, str]]) -> tuple[tuple[str, exp.DataType], ...]:
    return tuple((column["Name"].lower(), glue_type(column.get("Type", "string"))) for column in columns)
