"""The tables that Athena sees: those of Glue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.athena.types import glue_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot import exp

    from festaf.local_aws.cloud import Cloud

PARTITIONS_PER_PAGE = 1000


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
        except ClientError:
            return False
        return True

    def has_table(self, database: str, name: str) -> bool:
        """Say whether there is a table or a view of this name."""
        try:
            self._glue.get_table(DatabaseName=database, Name=name)
        except ClientError:
            return False
        return True

    def table(self, database: str, name: str) -> GlueTable | None:
        """Give a table, or None when there is none of this name.

        :raises QueryError: Glue knows it, and Athena could not read it
        """
        try:
            table = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError:
            return None
        if table.get("TableType") == "VIRTUAL_VIEW":
            raise NotSupportedError(f"the view {database}.{name}")
        return self._read(table, database, name)

    def _read(self, table: Mapping[str, Any], database: str, name: str) -> GlueTable:
        storage = table.get("StorageDescriptor") or {}
        serde = storage.get("SerdeInfo") or {}
        return GlueTable(
            region=self._region,
            database=database,
            name=name,
            columns=_columns(storage.get("Columns", [])),
            keys=_columns(table.get("PartitionKeys", [])),
            location=storage.get("Location", ""),
            serde=serde.get("SerializationLibrary", "").rsplit(".", 1)[-1],
            serde_parameters=serde.get("Parameters") or {},
            parameters=table.get("Parameters") or {},
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


def _columns(columns: list[dict[str, str]]) -> tuple[tuple[str, exp.DataType], ...]:
    return tuple((column["Name"].lower(), glue_type(column.get("Type", "string"))) for column in columns)
