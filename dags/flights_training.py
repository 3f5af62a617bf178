"""Wait until the three feature sets of ``flights_features`` are provably readable, count them, and join them.

Runs when all three were written. No status is trusted here: the sensors ask the offline store by SQL, and
``count_rows`` counts what can be read in both stores.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.sdk import dag, get_current_context, task

from festaf.provider.assets import feature_set_asset
from festaf.sensors.feature_set import FeatureSetReadySensor
from flights import counts, delays, planes, weather

PROJECT = "nyc"
BUCKET = "{{ var.value.get('festaf_bucket', 'festaf-demo') }}"
FEATURE_SETS = [weather.FEATURE_SET, delays.FEATURE_SET, planes.FEATURE_SET]
ASSETS = {name: feature_set_asset(name, project=PROJECT) for name in FEATURE_SETS}


@dag(
    schedule=ASSETS[weather.FEATURE_SET] & ASSETS[delays.FEATURE_SET] & ASSETS[planes.FEATURE_SET],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["festaf", "example", "flights"],
    default_args={"owner": "team:flights", "retries": 2},
    doc_md=__doc__,
)
def flights_training() -> None:
    """Wait, count, join."""

    @task
    def what_was_written() -> dict[str, Any]:
        """Read from the asset events how many rows to expect, and up to which event time."""
        events = get_current_context()["triggering_asset_events"]
        writes = {name: [event.extra["festaf"] for event in events.get(asset, [])] for name, asset in ASSETS.items()}
        return {
            name: {
                "rows": max((write["rows_accepted"] for write in written), default=1),
                "until": max((write["last_event_time"] or "" for write in written), default="") or None,
            }
            for name, written in writes.items()
        }

    @task(inlets=list(ASSETS.values()))
    def count_rows(bucket: str) -> dict[str, dict[str, int]]:
        """Count what can be read, by feature set: rows and identifiers offline, records online."""
        return {name: counts.visible(name, bucket) for name in FEATURE_SETS}

    @task
    def tables() -> dict[str, str]:
        """Look up the Glue tables that AWS made."""
        return {name: counts.table(counts.load(name)).table for name in FEATURE_SETS}

    expected = what_was_written()
    ready: Any = [
        FeatureSetReadySensor(
            task_id=f"{name}_is_queryable",
            feature_set=name,
            project=PROJECT,
            level="QUERYABLE",
            rows=f"{{{{ ti.xcom_pull('what_was_written')['{name}']['rows'] }}}}",
            until=f"{{{{ ti.xcom_pull('what_was_written')['{name}']['until'] or '' }}}}",
            poke_interval=5,
            timeout=1800,
            deferrable=True,
        )
        for name in FEATURE_SETS
    ]
    training_rows = AthenaOperator(
        task_id="training_rows",
        query="sql/training_rows.sql",
        database="sagemaker_featurestore",
        output_location=f"s3://{BUCKET}/training",
        inlets=list(ASSETS.values()),
        sleep_time=2,
    )
    expected >> ready >> count_rows(BUCKET)
    ready >> tables() >> training_rows


flights_training()
