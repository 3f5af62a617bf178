"""The offline store's side of the Glue catalog: database, table, partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from festaf.local_aws.offline_store.columns import glue_columns
from festaf.local_aws.offline_store.layout import (
    DATABASE,
    PARTITION_KEYS,
    is_iceberg,
    partition_path,
    region_of,
    resolved_uri,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.offline_store.layout import Group, TableName

PARTITIONS_PER_CALL = 100
"""The most that Glue's BatchCreatePartition takes."""

_PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}


class CatalogError(Exception):
    """Glue refused; ``absent`` tells that the database or the table is not there."""

    def __init__(self, message: str, *, absent: bool) -> None:
        super().__init__(message, absent)
        self.message = message
        self.absent = absent

    def __str__(self) -> str:
        return self.message


def ensure_table(cloud: Cloud, group: Group, table: TableName) -> None:
    """Create the group's table, or give it the columns that the group has now.

    Only the default database is created; one that the user named has to be there.

    :raises CatalogError: such as a database that does not exist
    """
    glue = cloud.client("glue", region_of(group))
    try:
        if table.database == DATABASE:
            _unless_it_exists(glue.create_database, DatabaseInput={"Name": DATABASE})
        wanted = _table_input(group, table)
        if _unless_it_exists(glue.create_table, DatabaseName=table.database, TableInput=wanted):
            return
        glue.update_table(DatabaseName=table.database, TableInput=wanted)
    except ClientError as error:
        raise _catalog_error(error, table) from error


def register_partitions(cloud: Cloud, group: Group, table: TableName, partitions: Sequence[tuple[str, ...]]) -> None:
    """Register partitions; one that is there already is left as it is.

    Their columns are not repeated: moto takes a millisecond to list each partition that has them.

    :raises CatalogError: such as a table that does not exist
    """
    glue = cloud.client("glue", region_of(group))
    location = resolved_uri(group)
    for start in range(0, len(partitions), PARTITIONS_PER_CALL):
        entries = [
            {
                "Values": list(values),
                "StorageDescriptor": {**_PARQUET, "Location": f"{location}/{partition_path(values)}"},
            }
            for values in partitions[start : start + PARTITIONS_PER_CALL]
        ]
        try:
            answer = glue.batch_create_partition(
                DatabaseName=table.database, TableName=table.table, PartitionInputList=entries
            )
        except ClientError as error:
            raise _catalog_error(error, table) from error
        for refused in answer.get("Errors", []):
            detail = refused["ErrorDetail"]
            if detail["ErrorCode"] != "AlreadyExistsException":
                raise CatalogError(f"Glue refused a partition of {table.table}: {detail}", absent=False)


def _table_input(group: Group, table: TableName) -> dict[str, Any]:
    parameters = {"EXTERNAL": "TRUE", "classification": "parquet"}
    keys = [{"Name": name, "Type": "string"} for name in PARTITION_KEYS]
    if is_iceberg(group):
        parameters = {"table_type": "ICEBERG"}
        keys = []
    return {
        "Name": table.table,
        "Description": f"Offline store of the feature group {group['FeatureGroupName']}",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "PartitionKeys": keys,
        "StorageDescriptor": {**_PARQUET, "Columns": glue_columns(group), "Location": resolved_uri(group)},
    }


def _unless_it_exists(create: Any, **parameters: Any) -> bool:
    try:
        create(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        return False
    return True


def _catalog_error(error: ClientError, table: TableName) -> CatalogError:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    absent = code == "EntityNotFoundException"
    return CatalogError(f"Glue table {table.database}.{table.table}: {code}: {message}", absent=absent)
