"""Tasks that end in every way, for the tests of the lineage listener."""

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import DAG, Asset, AssetAlias, get_current_context, task

TIDES = Asset("x-festaf://sea/tides")
DEFINITION = Asset("x-festaf://sea/tides/definition")
RAW = Asset("s3://harbour/raw.parquet")
REPORT = Asset("s3://harbour/report.csv")
HEIGHT = {
    "name": "height",
    "type": "Fractional",
    "owner": "ann",
    "technique": "rolling mean",
    "sources": ["s3://harbour/raw.parquet#level"],
}

with DAG(
    "tides",
    schedule=None,
    tags=["sea"],
    default_args={"owner": "ann"},
    description="Heights of the tide",
    is_paused_upon_creation=False,
):

    @task(outlets=[DEFINITION])
    def define(*, outlet_events):
        """Declare the feature set."""
        outlet_events[DEFINITION].extra = {
            "festaf": {
                "kind": "definition",
                "project": "sea",
                "feature_set": "tides",
                "record_identifier": "harbour",
                "event_time": "at",
                "online": True,
                "offline": True,
                "owner": "team:harbour",
                "description": "Tides",
                "features": [HEIGHT],
            }
        }

    @task(inlets=[RAW], outlets=[TIDES, AssetAlias("reports")])
    def fill(*, outlet_events):
        outlet_events[TIDES].extra = {
            "festaf": {
                "kind": "write",
                "project": "sea",
                "feature_set": "tides",
                "source": "s3://harbour/clean.parquet",
                "rows_read": 10,
                "rows_accepted": 9,
                "rows_rejected": 1,
                "rows_resumed": 4,
                "features": [HEIGHT],
            }
        }
        outlet_events[AssetAlias("reports")].add(REPORT)

    @task(retries=1, retry_delay=timedelta(0))
    def flaky():
        if get_current_context()["ti"].try_number == 1:
            raise ValueError("the sea was rough")

    @task
    def skipped():
        raise AirflowSkipException("calm")

    @task
    def mapped(number):
        return number

    define() >> fill()
    flaky()
    skipped()
    mapped.expand(number=[1, 2])

with DAG("harbour", schedule=[TIDES], is_paused_upon_creation=False):

    @task
    def read():
        pass

    @task
    def later():
        pass

    read() >> later()

with DAG("lone", schedule=None, is_paused_upon_creation=False):

    @task(inlets=[RAW])
    def only():
        pass

    only()

with DAG("far_away", schedule="0 6 * * *", start_date=datetime(2100, 1, 1, tzinfo=UTC), is_paused_upon_creation=False):

    @task
    def someday():
        pass

    someday()
