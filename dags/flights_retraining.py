"""Train the late-flight model again when the weather has drifted.

Scheduled on the events that ``flights_monitoring`` sends when, and only when, features drifted. The model that comes
out serves only if it beats the one that does: that is ``flights_training``'s to decide.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import dag, get_current_context, task

from festaf.provider.assets import artifact_asset
from flights import weather

PROJECT = "nyc"
MONITOR = artifact_asset("monitor", weather.FEATURE_SET, project=PROJECT)


@dag(
    schedule=[MONITOR],
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
    def what_drifted() -> list[dict[str, Any]]:
        """Read from the asset events what drifted, and print it."""
        events = get_current_context()["triggering_asset_events"]
        reports = [event.extra["festaf"] for event in events.get(MONITOR, [])]
        for report in reports:
            for violation in report["violations"]:
                print(f"{violation['feature']}: {violation['message']}")
        return reports

    what_drifted() >> TriggerDagRunOperator(task_id="train_again", trigger_dag_id="flights_training")


flights_retraining()
