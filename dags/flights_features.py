"""Fill three feature sets from the flights that left New York City in 2013.

Each branch computes its rows, writes them as Parquet to S3, creates the feature set or verifies the one that stands,
and ingests. The asset event of each ingestion says what was written; ``flights_training`` runs on them.

Runs as it is on a laptop (``make demo``) and in an account: set the Variables ``festaf_bucket`` (a bucket of yours)
and ``festaf_role_arn`` (a role that SageMaker may assume), and the connection ``aws_default``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.providers.amazon.aws.operators.s3 import S3CreateBucketOperator
from airflow.sdk import Asset, AssetAlias, dag, get_current_context, task

from festaf.operators.feature_set import CreateFeatureSetOperator, IngestFeaturesOperator
from festaf.provider.assets import feature_set_asset
from flights import delays, planes, tables, weather

if TYPE_CHECKING:
    import pandas as pd

PROJECT = "nyc"
BUCKET = "{{ var.value.get('festaf_bucket', 'festaf-demo') }}"
ROLE_ARN = "{{ var.value.get('festaf_role_arn', '') }}"

FLIGHTS = Asset("nycflights13 flights", uri=tables.uri("flights"))
WEATHER = Asset("nycflights13 weather", uri=tables.uri("weather"))
PLANES = Asset("nycflights13 planes", uri=tables.uri("planes"))
COMPUTED = AssetAlias("nycflights13 computed")


def save(rows: pd.DataFrame, name: str, bucket: str) -> str:
    """Write rows as Parquet to S3, tell Airflow of the file, and give its URI."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    key = f"computed/{name}.parquet"
    S3Hook().load_bytes(rows.to_parquet(index=False), key, bucket, replace=True)
    file = Asset(uri=f"s3://{bucket}/{key}")
    get_current_context()["outlet_events"][COMPUTED].add(file, extra={"rows": len(rows)})
    return file.uri


@dag(
    schedule="0 6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["festaf", "example", "flights"],
    default_args={"owner": "team:flights", "retries": 2},
    doc_md=__doc__,
)
def flights_features() -> None:
    """Compute and ingest weather, delays and planes."""
    bucket = S3CreateBucketOperator(task_id="bucket", bucket_name=BUCKET)

    @task(inlets=[WEATHER], outlets=[COMPUTED])
    def compute_weather(bucket: str) -> str:
        return save(weather.airport_weather(), weather.FEATURE_SET, bucket)

    @task(inlets=[FLIGHTS], outlets=[COMPUTED])
    def compute_delays(bucket: str) -> str:
        return save(delays.flight_delays(), delays.FEATURE_SET, bucket)

    @task(inlets=[PLANES], outlets=[COMPUTED])
    def compute_planes(bucket: str) -> str:
        run = get_current_context()["dag_run"]
        return save(planes.plane_facts(run.logical_date or run.run_after), planes.FEATURE_SET, bucket)

    for computed, module, purpose in (
        (compute_weather(BUCKET), weather, "Weather delays flights before anything else does"),
        (compute_delays(BUCKET), delays, "Delays breed delays: know how late things run before a flight is due"),
        (compute_planes(BUCKET), planes, "Age and size of a plane bound what a crew can make up for"),
    ):
        create = CreateFeatureSetOperator(
            task_id=f"create_{module.FEATURE_SET}",
            feature_set=module.FEATURE_SET,
            project=PROJECT,
            features=module.FEATURES,
            record_identifier=module.RECORD_IDENTIFIER,
            event_time=module.EVENT_TIME,
            online=True,
            offline_s3_uri=f"s3://{BUCKET}/offline",
            role_arn=ROLE_ARN,
            owner="team:flights",
            purpose=purpose,
            description=module.__doc__,
        )
        ingest = IngestFeaturesOperator(
            task_id=f"ingest_{module.FEATURE_SET}",
            feature_set=module.FEATURE_SET,
            project=PROJECT,
            source=computed,
            features=module.FEATURES,
            outlets=[feature_set_asset(module.FEATURE_SET, project=PROJECT)],
        )
        bucket >> computed >> ingest
        bucket >> create >> ingest


flights_features()
