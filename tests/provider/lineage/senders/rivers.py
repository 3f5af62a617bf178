"""Tasks of every kind that is told: SQL, declared Python, ours, and what only Airflow's provider knows."""

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, Asset, task, task_group

from festaf.operators.feature_set import CreateFeatureSetOperator
from festaf.operators.lineage import consumes, produces, wrote

GAUGES = Asset("x-festaf://sea/gauges")

with DAG(
    "rivers",
    schedule="@daily",
    tags=["river"],
    default_args={"owner": "ann"},
    description="Levels of rivers",
    catchup=False,
):
    fill = SQLExecuteQueryOperator(
        task_id="fill",
        conn_id="rivers_db",
        sql=[
            "INSERT INTO levels (station, level) SELECT r.name, avg(r.height) FROM raw r GROUP BY r.name",
            "UPDATE levels SET level = 1 WHERE station = '{{ var.value.river_password }}'",
        ],
    )

    create = CreateFeatureSetOperator(
        task_id="create",
        feature_set="stations",
        project="sea",
        record_identifier="name",
        event_time="at",
        features=[
            {"name": "name", "type": "String"},
            {"name": "at", "type": "String", "technique": "copied", "sources": ["s3://harbour/stations.csv#time"]},
        ],
        owner="team:rivers",
    )

    @consumes("s3://harbour/raw.parquet", GAUGES)
    @produces(
        "sea/levels",
        features=[{"name": "level", "type": "Fractional", "sources": ["s3://harbour/raw.parquet#height"]}],
        owner="team:rivers",
        technique="mean of a day",
    )
    @task
    def above():
        """Keep the levels."""
        wrote("sea/levels", rows=7, rejected=1)

    @task_group
    def group():
        @task
        @produces("sea/floods", features=[{"name": "flood", "type": "Integral", "purpose": "to warn"}])
        def below(number):
            return number

        below.expand(number=[1, 2])

    @task(outlets=[GAUGES])
    def plain():
        return 1

    fill >> create >> above() >> group() >> plain()
