"""Registers partitions in Glue, many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH = 100
"""BatchCreatePartition takes no more."""


def register(
    glue: Any, database: str, table: Mapping[str, Any], partitions: Mapping[tuple[str, ...], str]
) -> list[dict[str, Any]]:
    """Register partitions of a table, and give what Glue answered about those that it refused.

    :param glue: a client
    :param table: as Glue describes it, or takes it
    :param partitions: the folder by the values
    """
    inputs = [
        {"Values": list(values), "StorageDescriptor": {**table["StorageDescriptor"], "Location": folder}}
        for values, folder in partitions.items()
    ]
    errors: list[dict[str, Any]] = []
    for start in range(0, len(inputs), BATCH):
        answer = glue.batch_create_partition(
            DatabaseName=database, TableName=table["Name"], PartitionInputList=inputs[start : start + BATCH]
        )
        errors += answer.get("Errors", [])
    return errors
