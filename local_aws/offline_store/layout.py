"""Where AWS puts the files of a feature group, and what it calls its table.

Source: "Amazon SageMaker Feature Store offline store data format" in the SageMaker developer guide, and the
documentation of CreateFeatureGroup's ``OfflineStoreConfig``.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

DATABASE = "sagemaker_featurestore"
CATALOG = "AwsDataCatalog"
PARTITION_KEYS = ("year", "month", "day", "hour")
_ALPHANUMERIC = string.ascii_letters + string.digits

Group = Mapping[str, Any]
"""A feature group as DescribeFeatureGroup gives it."""


@dataclass(frozen=True)
class TableName:
    """A table of the Glue catalog."""

    database: str
    table: str


def resolved_uri(group: Group) -> str:
    """Give the folder of the group's data files, ``ResolvedOutputS3Uri``."""
    storage = group["OfflineStoreConfig"]["S3StorageConfig"]
    if resolved := storage.get("ResolvedOutputS3Uri"):
        return str(resolved)
    base = storage["S3Uri"].rstrip("/")
    name = f"{group['FeatureGroupName']}-{_created(group)}"
    return f"{base}/{account_of(group)}/sagemaker/{region_of(group)}/offline-store/{name}/data"


def table_of(group: Group) -> TableName | None:
    """Name the group's Glue table; None when it was created without one."""
    config = group["OfflineStoreConfig"]
    catalog = config.get("DataCatalogConfig")
    if catalog:
        return TableName(catalog["Database"], catalog["TableName"])
    if config.get("DisableGlueTableCreation"):
        return None
    plain = re.sub(r"[^a-z0-9_]", "_", group["FeatureGroupName"].lower())
    return TableName(DATABASE, f"{plain}_{_created(group)}")


def owns_table(group: Group) -> bool:
    """Say whether the store creates the table, or its user does (``DisableGlueTableCreation``)."""
    return not group["OfflineStoreConfig"].get("DisableGlueTableCreation", False)


def is_iceberg(group: Group) -> bool:
    """Say whether the group was created with ``TableFormat`` Iceberg."""
    return bool(group["OfflineStoreConfig"].get("TableFormat") == "Iceberg")


def region_of(group: Group) -> str:
    """Give the region from the group's ARN."""
    return str(group["FeatureGroupArn"]).split(":")[3]


def account_of(group: Group) -> str:
    """Give the account from the group's ARN."""
    return str(group["FeatureGroupArn"]).split(":")[4]


def partition_values(hour: int) -> tuple[str, str, str, str]:
    """Give year, month, day and hour of an hour that is counted from 1970 UTC.

    :raises ValueError: the hour lies outside the years 1 to 9999
    """
    moment = _moment(hour * 3600)
    return f"{moment.year:04}", f"{moment.month:02}", f"{moment.day:02}", f"{moment.hour:02}"


def partition_path(values: tuple[str, ...]) -> str:
    """Give the folder of a partition, such as ``year=2013/month=01/day=31/hour=05``."""
    return "/".join(f"{name}={value}" for name, value in zip(PARTITION_KEYS, values, strict=True))


def file_name(latest: float) -> str:
    """Make the name of a new file.

    :param latest: the latest event time in the file, in epoch seconds
    """
    random = "".join(secrets.choice(_ALPHANUMERIC) for _ in range(16))
    return f"{_moment(latest):%Y%m%dT%H%M%SZ}_{random}.parquet"


def _moment(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{seconds} seconds since 1970 is no time of the calendar") from error


def _created(group: Group) -> int:
    created = group["CreationTime"]
    return int(created.timestamp() if isinstance(created, datetime) else created)
