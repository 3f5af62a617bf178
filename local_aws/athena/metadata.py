"""Databases and tables as Athena's own operations show them: those of Glue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from festaf.local_aws.athena.paging import invalid, page_of
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.service import Call, Handler

CATALOG = "awsdatacatalog"


class Metadata:
    """Answers the operations about databases and tables."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.operations: Mapping[str, Handler] = {
            "GetDatabase": self.get_database,
            "ListDatabases": self.list_databases,
            "GetTableMetadata": self.get_table,
            "ListTableMetadata": self.list_tables,
        }

    def get_database(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """GetDatabase."""
        glue = self._glue(call, asked)
        try:
            return {"Database": _database(glue.get_database(Name=asked["DatabaseName"])["Database"])}
        except ClientError as error:
            raise _absent(error) from error

    def list_databases(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """ListDatabases."""
        pages = self._glue(call, asked).get_paginator("get_databases").paginate()
        return page_of([_database(one) for page in pages for one in page["DatabaseList"]], asked, "DatabaseList")

    def get_table(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """GetTableMetadata."""
        glue = self._glue(call, asked)
        try:
            found = glue.get_table(DatabaseName=asked["DatabaseName"], Name=asked["TableName"])["Table"]
        except ClientError as error:
            raise _absent(error) from error
        return {"TableMetadata": _table(found)}

    def list_tables(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """ListTableMetadata: those whose names fit a regular expression, when one is given."""
        try:
            pages = self._glue(call, asked).get_paginator("get_tables").paginate(DatabaseName=asked["DatabaseName"])
            every = [one for page in pages for one in page["TableList"]]
        except ClientError as error:
            raise _absent(error) from error
        try:
            fits = re.compile(asked.get("Expression") or ".*").search
        except re.error as error:
            raise invalid(f"Expression is no regular expression: {error}") from error
        found = [_table(one) for one in every if fits(one["Name"])]
        return page_of(found, asked, "TableMetadataList")

    def _glue(self, call: Call, asked: Mapping[str, Any]) -> Any:
        if asked["CatalogName"].lower() != CATALOG:
            raise invalid(f"Catalog {asked['CatalogName']} was not found")
        return self._cloud.client("glue", call.region)


def _database(found: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"Name": found["Name"], "Parameters": found.get("Parameters") or {}}
    return shown | ({"Description": found["Description"]} if found.get("Description") else {})


def _table(found: Mapping[str, Any]) -> dict[str, Any]:
    storage = found.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    parameters = {**(found.get("Parameters") or {}), "location": storage.get("Location", "")}
    parameters |= {f"serde.param.{name}": value for name, value in (serde.get("Parameters") or {}).items()}
    for name, key in (("inputformat", "InputFormat"), ("outputformat", "OutputFormat")):
        if storage.get(key):
            parameters[name] = storage[key]
    if serde.get("SerializationLibrary"):
        parameters["serde.serialization.lib"] = serde["SerializationLibrary"]
    shown = {
        "Name": found["Name"],
        "TableType": found.get("TableType") or "EXTERNAL_TABLE",
        "Columns": [_column(column) for column in storage.get("Columns") or ()],
        "PartitionKeys": [_column(column) for column in found.get("PartitionKeys") or ()],
        "Parameters": parameters,
    }
    return shown | ({"CreateTime": found["CreateTime"]} if found.get("CreateTime") else {})


def _column(column: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"Name": column["Name"], "Type": column.get("Type", "string")}
    return shown | ({"Comment": column["Comment"]} if column.get("Comment") else {})


def _absent(error: ClientError) -> ApiError:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    return ApiError("MetadataException", f"{code}: {message}")
