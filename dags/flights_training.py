"""Train a model of late departures on three feature sets, and let it serve when it beats the one that does.

Runs when all three feature sets of ``flights_features`` were written:

1. *Ready*: the sensors prove by SQL that what was written can be read. No status is trusted.
2. *Rows*: each flight of the year with its features as they stood when it was due. Athena joins; nothing from the
   future leaks in, and no row passes through a worker.
3. *Train*: a SageMaker training job runs ``model/train.py``; flights before October teach, later ones test.
4. *Compare*: a processing job measures the new model and the one that serves on the same later flights.
5. *Serve*: the better one is approved and deployed without downtime, and must answer before it counts as ready.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerProcessingOperator, SageMakerTrainingOperator
from airflow.sdk import dag, get_current_context, task

from festaf.operators.endpoint import DeployEndpointOperator, InvokeEndpointOperator
from festaf.operators.model import ApproveModelVersionOperator, CompareModelsOperator, RegisterModelVersionOperator
from festaf.operators.training_set import BuildTrainingSetOperator
from festaf.provider.assets import artifact_asset, feature_set_asset
from festaf.provider.endpoints.smoke import SmokeRequest
from festaf.provider.endpoints.variant import Variant
from festaf.provider.training_sets.view import FeatureView
from festaf.sensors.endpoint import EndpointReadySensor
from festaf.sensors.feature_set import FeatureSetReadySensor
from flights import counts, delays, model, planes, weather

PROJECT = model.PROJECT
BUCKET = "{{ var.value.get('festaf_bucket', 'festaf-demo') }}"
ROLE_ARN = "{{ var.value.get('festaf_role_arn', '') }}"
RUN = "{{ dag_run.run_after.strftime('%Y%m%dT%H%M%S') }}"
FEATURE_SETS = [weather.FEATURE_SET, delays.FEATURE_SET, planes.FEATURE_SET]
ASSETS = {name: feature_set_asset(name, project=PROJECT) for name in FEATURE_SETS}
ROWS = "{{ ti.xcom_pull('rows')['uri'] }}"
EVALUATIONS = f"s3://{BUCKET}/evaluations/{RUN}"
CHALLENGER = "{{ ti.xcom_pull('register')['version'] }}"
PACKAGE = f"{model.NAME}:{CHALLENGER}"

VIEWS = [
    FeatureView(
        feature_set=delays.FEATURE_SET,
        features=["carrier_delay_24h_min", "carrier_flights_24h", "origin_delay_3h_min", "origin_flights_3h"],
    ),
    FeatureView(
        feature_set=weather.FEATURE_SET,
        features=[
            *("temp_f", "dewpoint_f", "humidity_pct", "wind_mph", "precip_in", "pressure_mb"),
            *("visibility_mi", "temp_change_3h_f", "low_visibility"),
        ],
        max_age=timedelta(hours=3),
    ),
    # A plane's facts were read long after the flights and do not change.
    FeatureView(feature_set=planes.FEATURE_SET, features=["built_year", "seats"], point_in_time=False),
]


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
    """Wait, join, train, compare, serve."""

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

    @task(inlets=list(ASSETS.values()))
    def count_rows(bucket: str) -> dict[str, dict[str, int]]:
        """Count what can be read, by feature set: rows and identifiers offline, records online."""
        return {name: counts.visible(name, bucket) for name in FEATURE_SETS}

    @task
    def flights_table() -> str:
        """Look up the table of the flights, whose name AWS made."""
        table = counts.table(counts.load(delays.FEATURE_SET))
        return f'"{table.database}"."{table.table}"'

    rows = BuildTrainingSetOperator(
        task_id="rows",
        training_set=model.NAME,
        project=PROJECT,
        entities="sql/flights_that_left.sql",
        event_time="due",
        labels=["dep_delay_min"],
        feature_sets=VIEWS,
        output_s3_uri=f"s3://{BUCKET}/training",
        table=f"{model.DATABASE}.{model.TABLE}",
    )

    @task
    def code(bucket: str) -> str:
        """Upload the scripts."""
        return model.upload_code(f"s3://{bucket}/code/sourcedir.tar.gz", Path(__file__).parent / "model")

    @task
    def scripts(bucket: str) -> str:
        """Upload the scripts of the processing job, which takes them unpacked."""
        return model.upload_scripts(f"s3://{bucket}/code/scripts", Path(__file__).parent / "model")

    train = SageMakerTrainingOperator(
        task_id="train",
        config=model.training_job(
            f"{model.NAME}-{RUN}",
            rows=ROWS,
            code="{{ ti.xcom_pull('code') }}",
            output=f"s3://{BUCKET}/models",
            role_arn=ROLE_ARN,
        ),
        print_log=False,
        **model.PATIENCE,
    )
    register = RegisterModelVersionOperator(
        task_id="register",
        model=model.NAME,
        project=PROJECT,
        training_job="{{ ti.xcom_pull('train')['Training']['TrainingJobName'] }}",
        training_set="{{ ti.xcom_pull('rows')['manifest'] }}",
        problem="binary_classification",
        content_types=["application/json", "application/jsonlines"],
        response_types=["application/json", "application/jsonlines"],
        instance_types=[model.INSTANCE],
        transform_instance_types=[model.INSTANCE],
        group_description="How likely a flight is to leave more than 15 minutes late",
        poll_interval=1,
    )

    @task
    def champion() -> str:
        """Find the model data of the version that serves; the challenger's own when none does yet."""
        return model.champion_data(get_current_context()["ti"].xcom_pull("register")["model_data"][0])

    evaluate = SageMakerProcessingOperator(
        task_id="evaluate",
        config=model.evaluation_job(
            f"{model.NAME}-evaluation-{RUN}",
            rows=ROWS,
            scripts="{{ ti.xcom_pull('scripts') }}",
            challenger="{{ ti.xcom_pull('register')['model_data'][0] }}",
            champion="{{ ti.xcom_pull('champion') }}",
            output=EVALUATIONS,
            role_arn=ROLE_ARN,
        ),
        **model.PATIENCE,
    )
    compare = CompareModelsOperator(
        task_id="compare",
        model=model.NAME,
        project=PROJECT,
        challenger=CHALLENGER,
        metric="log_loss",
        direction="minimize",
        challenger_metrics=f"{EVALUATIONS}/challenger.json",
        champion_metrics=f"{EVALUATIONS}/champion.json",
        if_better="approve",
    )
    approve = ApproveModelVersionOperator(
        task_id="approve",
        model=PACKAGE,
        project=PROJECT,
        description="Smaller log loss on flights from October on than the version that served",
    )
    deploy = DeployEndpointOperator(
        task_id="deploy",
        endpoint=model.NAME,
        project=PROJECT,
        variants=[Variant(model_package=PACKAGE, instance_type=model.INSTANCE)],
        role_arn=ROLE_ARN,
        smoke=[SmokeRequest(payload=model.EXAMPLE, schema=model.ANSWER)],
        rollback_on_smoke_failure=True,
        outlets=[artifact_asset("endpoint", model.NAME, project=PROJECT)],
        deferrable=True,
    )
    answering = EndpointReadySensor(
        task_id="answering",
        endpoint=model.NAME,
        project=PROJECT,
        level="ANSWERING",
        configuration="{{ ti.xcom_pull('deploy')['configuration'] }}",
        request={"payload": model.EXAMPLE, "schema": model.ANSWER},
        poke_interval=2,
        timeout=600,
        deferrable=True,
    )

    @task
    def some_flights() -> dict[str, Any]:
        """Take flights of December with what was known of them: half of them left late."""
        return model.some_flights(get_current_context()["ti"].xcom_pull("rows")["uri"])

    flights: Any = some_flights()
    ask = InvokeEndpointOperator(task_id="ask", endpoint=model.NAME, project=PROJECT, payload=flights["flights"])

    @task
    def judge(truth: dict[str, float], answer: dict[str, Any]) -> dict[str, float]:
        """Hold the endpoint's answers against what came: a model that knows nothing is right every other time."""
        return model.judged(truth, answer["content"])

    what_was_written() >> ready >> count_rows(BUCKET)
    ready >> flights_table() >> rows
    [rows, code(BUCKET)] >> train >> register >> champion() >> evaluate
    scripts(BUCKET) >> evaluate >> compare >> approve >> deploy >> answering >> flights >> ask
    answer: Any = ask.output
    judge(flights["truth"], answer)


flights_training()
