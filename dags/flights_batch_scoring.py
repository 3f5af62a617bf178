"""Score the flights of December in one batch, in the account that predicts, and say how good the scores were.

Training happens in one account, prediction in another: every task that reads or writes there takes the connection
``aws_prediction``, whose extra names the role to assume. On a laptop both lead to the local AWS.

The version is the newest that was approved. Athena writes the rows as JSON lines, a batch transform scores them with
the same ``inference.py`` that serves at the endpoint, and the last task holds the scores against what came.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTransformOperator
from airflow.sdk import dag, task

from festaf.operators.model import CreateModelOperator, DeleteModelOperator
from festaf.provider.assets import artifact_asset
from festaf.sensors.model import ModelReadySensor
from flights import model

PROJECT = "nyc"
PREDICTION = "aws_prediction"
BUCKET = "{{ var.value.get('festaf_bucket', 'festaf-demo') }}"
ROLE_ARN = "{{ var.value.get('festaf_role_arn', '') }}"
RUN = "{{ dag_run.run_after.strftime('%Y%m%dT%H%M%S') }}"
SAGEMAKER_MODEL = f"{model.NAME}-batch-{RUN}"
INPUT, OUTPUT = f"s3://{BUCKET}/batch/{RUN}/input", f"s3://{BUCKET}/batch/{RUN}/output"


@dag(
    schedule=[artifact_asset("endpoint", model.NAME, project=PROJECT)],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["festaf", "example", "flights"],
    default_args={"owner": "team:flights", "retries": 2},
    doc_md=__doc__,
)
def flights_batch_scoring() -> None:
    """Create the model there, score, judge."""
    created = CreateModelOperator(
        task_id="create_model",
        model=SAGEMAKER_MODEL,
        model_package=model.NAME,
        role_arn=ROLE_ARN,
        project=PROJECT,
        aws_conn_id=PREDICTION,
    )
    ready = ModelReadySensor(
        task_id="model_is_ready",
        model=SAGEMAKER_MODEL,
        level="CREATED",
        project=PROJECT,
        aws_conn_id=PREDICTION,
        poke_interval=2,
        timeout=600,
        deferrable=True,
    )
    rows = AthenaOperator(
        task_id="rows",
        query="sql/rows_to_score.sql",
        params={"since": "2013-12-01"},
        database=model.DATABASE,
        output_location=f"s3://{BUCKET}/athena",
        sleep_time=2,
    )
    score = SageMakerTransformOperator(
        task_id="score",
        config=model.transform_job(f"{model.NAME}-{RUN}", model=SAGEMAKER_MODEL, rows=INPUT, output=OUTPUT),
        aws_conn_id=PREDICTION,
        check_interval=2,
        max_ingestion_time=3600,
    )

    @task
    def judge(output: str, bucket: str) -> dict[str, float]:
        """Hold the scores against what came, and against the share of late flights by carrier and hour."""
        return model.judged_batch(output, f"s3://{bucket}/athena", since="2013-12-01")

    retire = DeleteModelOperator(
        task_id="retire", model=SAGEMAKER_MODEL, project=PROJECT, aws_conn_id=PREDICTION, trigger_rule="all_done"
    )
    judged: Any = judge(OUTPUT, BUCKET)
    [created >> ready, rows] >> score >> [judged, retire]


flights_batch_scoring()
