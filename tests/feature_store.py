"""Fixtures of the Airflow side: the connection to the local AWS, a hook, feature sets, and a task's context."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.session import get_session

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.local_aws.server import LocalAws

ROLE = "arn:aws:iam::123456789012:role/feature-store"
BUCKET = "lake"
FEATURES = [
    {"name": "tail", "type": "String"},
    {"name": "seen", "type": "String"},
    {"name": "seats", "type": "Integral"},
    {"name": "delay", "type": "Fractional"},
]


HAS_BATCHES = "BatchWriteRecord" in set(
    get_session().get_service_model("sagemaker-featurestore-runtime").operation_names
)
"""Whether boto3 knows BatchWriteRecord; that of the oldest Airflow's day does not."""

WRITE = "BatchWriteRecord" if HAS_BATCHES else "PutRecord"
"""The operation that an ingestion writes by."""

needs_batches = pytest.mark.skipif(not HAS_BATCHES, reason="counts calls of BatchWriteRecord, which boto3 lacks here")


@pytest.fixture
def aws(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """Point the connection ``aws_default`` at the local AWS, and let nothing reach another."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", local_aws.connection())
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    local_aws.client("s3").create_bucket(Bucket=BUCKET)
    return local_aws


@pytest.fixture
def hook(aws: LocalAws) -> FeatureStoreHook:
    """Give a hook to the local AWS."""
    from festaf.provider.hooks.feature_store import FeatureStoreHook

    return FeatureStoreHook()


def create(hook: FeatureStoreHook, name: str = "planes", *, offline: bool = False, online: bool = True) -> FeatureSet:
    """Create the feature set of FEATURES and describe it."""
    from festaf.provider.artifacts import Feature
    from festaf.provider.artifacts.specification import FeatureSetSpecification

    specification = FeatureSetSpecification(
        name=name,
        record_identifier="tail",
        event_time="seen",
        features=tuple(map(Feature.of, FEATURES)),
        online=online,
        offline_s3_uri=f"s3://{BUCKET}/offline" if offline else None,
        role_arn=ROLE if offline else None,
    )
    hook.create(specification.request())
    found = hook.describe(name)
    assert found is not None
    return found


@pytest.fixture
def planes(hook: FeatureStoreHook) -> FeatureSet:
    """Give an online feature set ``planes``."""
    return create(hook)


def table(count: int, **columns: list[Any]) -> pa.Table:
    """Make rows that fit FEATURES, some columns replaced."""
    made: dict[str, Any] = {
        "tail": [f"N{number}" for number in range(count)],
        "seen": [f"2013-01-{1 + number % 28:02d}T05:00:00Z" for number in range(count)],
        "seats": list(range(count)),
        "delay": [number / 4 for number in range(count)],
    }
    return pa.table(made | columns)


def parquet(path: Path, count: int, **columns: list[Any]) -> str:
    """Write such rows as a Parquet file."""
    pq.write_table(table(count, **columns), path)
    return str(path)


def online_count(aws: LocalAws, name: str = "planes") -> int:
    """Count the records of the online store, by the server's own list."""
    # Without boto3: that of the oldest Airflow's day has no ListRecords.
    scope = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/sagemaker/aws4_request"
    count, asked = 0, {"MaxResults": 100}
    while True:
        page = httpx.post(
            f"{aws.url}/FeatureGroup/{name}/ListRecords", json=asked, headers={"Authorization": scope}, timeout=60
        )
        page = page.raise_for_status().json()
        count += len(page["RecordIdentifiers"])
        if not page.get("NextToken"):
            return count
        asked["NextToken"] = page["NextToken"]


@dataclass
class FakeTask:
    """The task instance, as far as operators ask it."""

    first: datetime | None = None
    bundle_instance: Any = None

    def get_first_reschedule_date(self, context: Any) -> datetime | None:
        """Give when the task gave its slot back for the first time."""
        return self.first


@dataclass
class FakeDag:
    """The DAG, as far as operators ask it."""

    fileloc: str = __file__
    relative_fileloc: str = "feature_store.py"


@dataclass
class Run:
    """A task's context, and what the task attached to it."""

    context: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Give what was attached through the alias, by the asset's URI."""
        from airflow.sdk import AssetAlias

        events = self.context["outlet_events"][AssetAlias("festaf")].asset_alias_events
        return {event.dest_asset_key.uri: event.extra["festaf"] for event in events}


@pytest.fixture
def run() -> Run:
    """Give the context of a task that runs for the first time."""
    from airflow.sdk.execution_time.context import OutletEventAccessors

    return Run(
        {"ti": FakeTask(), "dag": FakeDag(), "outlet_events": OutletEventAccessors(), "task_reschedule_count": 0}
    )


LOG = logging.getLogger("festaf.tests")
