"""A task of several mapped instances that all write one feature set, for the tests of lineage."""

from airflow.sdk import DAG, Asset, get_current_context, task

FERRIES = Asset("x-festaf://sea/ferries")

with DAG("ferries", schedule=None, is_paused_upon_creation=False):

    @task(outlets=[FERRIES], retries=1, retry_delay=0)
    def fill(number, *, outlet_events):
        """Write the feature of all instances and one of its own; the first try of the middle one fails."""
        if number == 1 and get_current_context()["ti"].try_number == 1:
            raise ValueError("the sea was rough")
        outlet_events[FERRIES].extra = {
            "festaf": {
                "kind": "write",
                "project": "sea",
                "feature_set": "ferries",
                "source": f"s3://harbour/{number}.parquet",
                "rows_read": 20 + number,
                "rows_accepted": 10 + number,
                "rows_rejected": 10,
                "features": [
                    {"name": "load", "type": "Fractional", "technique": f"line {number}"},
                    {"name": f"load_{number}", "type": "Fractional", "sources": [f"s3://harbour/{number}.parquet#t"]},
                ],
            }
        }

    fill.expand(number=[0, 1, 2])
