"""Train the late-flight model again when the weather or the delays have drifted.

Scheduled on the events that ``flights_monitoring`` sends when, and only when, features drifted. The model that comes
out serves only if it beats the one that does: that is ``flights_training``'s to decide.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import dag, get_current_context, task

from festaf.provider.assets import artifact_asset
from flights import delays, weather

PROJECT = "nyc"
MONITORS = [artifact_asset("monitor", name, project=PROJECT) for name in (weather.FEATURE_SET, delays.FEATURE_SET)]


@dag(
    schedule=MONITORS[0] | MONITORS[1],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["festaf", "example", "flights"],
    default_args={"owner": "team:flights", "retries": 2},
    doc_md=__doc__,
)
def flights_retraining() -> None:
    """Say what drifted, and train again."""

    @task
    def what_drifted() -> dict[str, Any]:
        """Read from the asset events which features drifted, and print them."""
        events = get_current_context()["triggering_asset_events"]
        reports = {asset.uri: [event.extra["festaf"] for event in events.get(asset, [])] for asset in MONITORS}
        for uri, told in reports.items():
            print(f"{uri}: {told}")
        return reports

    what_drifted() >> TriggerDagRunOperator(task_id="train_again", trigger_dag_id="flights_training")


flights_retraining()
