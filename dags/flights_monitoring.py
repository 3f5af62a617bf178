"""Watch the features that the late-flight model stands on: winter is not summer.

The newest month is held against the half year before it, where the rows lie: distributions, missing values, range, new
categories, age. The report is a page in S3. When the weather's features have drifted, the monitor's asset gets an
event, and ``flights_retraining`` runs on it; when they have not, nothing happens. Delays follow the weather: they are
only reported.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import dag

from festaf.operators.monitor import MonitorFeaturesOperator
from festaf.provider.assets import feature_set_asset
from flights import delays, weather

PROJECT = "nyc"
BUCKET = "{{ var.value.get('festaf_bucket', 'festaf-demo') }}"
WATCHED = {
    weather.FEATURE_SET: ["temp_f", "humidity_pct", "wind_mph", "pressure_mb", "visibility_mi", "low_visibility"],
    delays.FEATURE_SET: ["carrier", "origin", "carrier_delay_24h_min", "origin_delay_3h_min", "distance_mi"],
}


@dag(
    schedule=feature_set_asset(weather.FEATURE_SET, project=PROJECT)
    & feature_set_asset(delays.FEATURE_SET, project=PROJECT),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["festaf", "example", "flights"],
    default_args={"owner": "team:flights", "retries": 2},
    doc_md=__doc__,
)
def flights_monitoring() -> None:
    """Watch two feature sets."""
    for name, features in WATCHED.items():
        MonitorFeaturesOperator(
            task_id=f"watch_{name}",
            feature_set=name,
            project=PROJECT,
            features=features,
            window=timedelta(days=30),
            until="newest",
            baseline=timedelta(days=180),
            thresholds={"psi": 0.25},
            report_uri=f"s3://{BUCKET}/monitors",
            on_drift="asset" if name == weather.FEATURE_SET else "report",
        )


flights_monitoring()
