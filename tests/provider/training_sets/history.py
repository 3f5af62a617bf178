"""Feature sets whose offline store holds exactly the rows that a test wants, write times and deletions included."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from festaf.provider.artifacts import Feature
from festaf.provider.artifacts.specification import FeatureSetSpecification
from tests.feature_store import BUCKET, ROLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook

ARROW = {"String": pa.string(), "Integral": pa.int64(), "Fractional": pa.float64()}
START = datetime(2013, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Past:
    """One record of the offline store."""

    values: Mapping[str, Any]
    written: float = 0.0
    """Seconds after START at which the store wrote it."""
    called: float = 0.0
    deleted: bool = False


def create_feature_set(
    hook: FeatureStoreHook, name: str, features: Mapping[str, str], identifier: str, event_time: str
) -> FeatureSet:
    """Create a feature set with an offline store only."""
    specification = FeatureSetSpecification(
        name=name,
        record_identifier=identifier,
        event_time=event_time,
        features=tuple(Feature(name=key, type=kind) for key, kind in features.items()),  # type: ignore[arg-type]
        online=False,
        offline_s3_uri=f"s3://{BUCKET}/offline",
        role_arn=ROLE,
    )
    hook.create(specification.request())
    found = hook.describe(name)
    assert found is not None
    return found


def write_history(hook: FeatureStoreHook, found: FeatureSet, rows: Sequence[Past]) -> None:
    """Put rows into the offline store as one file, as the store itself would have written them."""
    assert found.offline is not None
    assert found.offline.glue_table is not None
    columns: dict[str, Any] = {
        feature.name: pa.array([row.values.get(feature.name) for row in rows], ARROW[str(feature.type)])
        for feature in found.features
    }
    for name in ("written", "called"):
        moments = [START + timedelta(seconds=getattr(row, name)) for row in rows]
        target = {"written": "write_time", "called": "api_invocation_time"}[name]
        columns[target] = pa.array(moments, pa.timestamp("ms", "UTC")).cast(pa.timestamp("ms"))
    columns["is_deleted"] = pa.array([row.deleted for row in rows], pa.bool_())
    root = urlsplit(str(found.offline.resolved_s3_uri))
    partition = "year=2013/month=01/day=01/hour=00"
    put_parquet(hook, root.netloc, f"{root.path.lstrip('/')}/{partition}/history.parquet", columns)
    table = found.offline.glue_table
    storage = hook.call("glue", "get_table", DatabaseName=table.database, Name=table.table)["Table"]
    place = {**storage["StorageDescriptor"], "Location": f"{found.offline.resolved_s3_uri}/{partition}"}
    hook.call(
        "glue",
        "batch_create_partition",
        DatabaseName=table.database,
        TableName=table.table,
        PartitionInputList=[{"Values": ["2013", "01", "01", "00"], "StorageDescriptor": place}],
    )


def put_parquet(hook: FeatureStoreHook, bucket: str, key: str, columns: Mapping[str, Any]) -> None:
    """Write columns as a Parquet object."""
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), sink)
    hook.call("s3", "put_object", Bucket=bucket, Key=key, Body=sink.getvalue())


def read_training_set(hook: FeatureStoreHook, written: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read the Parquet files of a training set."""
    parts = urlsplit(written["uri"])
    keys = [
        item["Key"]
        for page in hook.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=parts.netloc, Prefix=parts.path.lstrip("/"))
        for item in page.get("Contents", ())
    ]
    rows: list[dict[str, Any]] = []
    for key in keys:
        body = hook.call("s3", "get_object", Bucket=parts.netloc, Key=key)["Body"].read()
        rows += pq.read_table(io.BytesIO(body)).to_pylist()
    return rows
