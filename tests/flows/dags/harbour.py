"""A small pipeline for the flow tests: a CSV file becomes a feature set, which a second DAG waits for."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.operators.s3 import S3CreateBucketOperator
from airflow.sdk import dag

from festaf.operators.feature_set import (
    CreateFeatureSetOperator,
    DeleteFeatureSetOperator,
    IngestFeaturesOperator,
)
from festaf.provider.artifacts import Feature
from festaf.provider.assets import feature_set_asset
from festaf.sensors.feature_set import FeatureSetReadySensor

BUCKET = "festaf-harbour"
ROWS = os.environ.get("HARBOUR_ROWS", "")
TIDES = feature_set_asset("tides", project="harbour")
FEATURES = [
    Feature(name="gauge", type="String"),
    Feature(name="read_at", type="String"),
    Feature(
        name="level_m",
        type="Fractional",
        owner="team:harbour",
        purpose="Ships need water under the keel",
        technique="mean of six readings",
        sources=("x-harbour://gauges#level",),
    ),
]
DEFAULTS = {"owner": "team:harbour", "retries": 0}
START = datetime(2026, 1, 1, tzinfo=UTC)


@dag(schedule=None, start_date=START, default_args=DEFAULTS)
def tides_features() -> None:
    """Create, fill, wait."""
    create = CreateFeatureSetOperator(
        task_id="create",
        feature_set="tides",
        project="harbour",
        features=FEATURES,
        record_identifier="gauge",
        event_time="read_at",
        offline_s3_uri=f"s3://{BUCKET}/offline",
        role_arn="arn:aws:iam::123456789012:role/harbour",
    )
    ingest = IngestFeaturesOperator(
        task_id="ingest",
        feature_set="tides",
        project="harbour",
        source=ROWS,
        features=FEATURES,
        outlets=[TIDES],
    )
    ready = FeatureSetReadySensor(
        task_id="ready",
        feature_set="tides",
        level="QUERYABLE",
        rows=1,
        poke_interval=1,
        timeout=120,
        deferrable=True,
        # Airflow fails a task whose trigger fired before the scheduler heard of its deferral: apache/airflow#71580.
        retries=2,
        retry_delay=timedelta(seconds=1),
    )
    S3CreateBucketOperator(task_id="bucket", bucket_name=BUCKET) >> create >> ingest >> ready


@dag(schedule=[TIDES], start_date=START, default_args=DEFAULTS)
def tides_readers() -> None:
    """Run when the tides were written."""
    FeatureSetReadySensor(task_id="ready", feature_set="tides", poke_interval=1, timeout=120, inlets=[TIDES])


def mistaken(dag_id: str, source: str = ROWS, **changed: object) -> None:
    """Make a DAG with one mistake in it."""

    @dag(dag_id=dag_id, schedule=None, start_date=START, default_args=DEFAULTS)
    def mistake() -> None:
        IngestFeaturesOperator(
            task_id="ingest", **({"feature_set": "tides", "project": "harbour", "source": source} | changed)
        )

    mistake()


@dag(schedule=None, start_date=START, default_args=DEFAULTS)
def tides_end() -> None:
    """Retire the feature set."""
    DeleteFeatureSetOperator(task_id="delete", feature_set="tides", project="harbour", poll_interval=1)


tides_features()
tides_readers()
tides_end()
mistaken("missing_file", source="/nowhere/rows.csv")
mistaken("unknown_connection", aws_conn_id="no_such_connection")
mistaken("unknown_feature_set", feature_set="no-such-feature-set")
