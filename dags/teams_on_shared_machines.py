"""Five teams train on two machines: who goes first, who waits, and whether the plan came true.

The machines are an Airflow pool. A training takes as many of its slots as it needs machines, and a team's priority says
who goes first when a machine gets free. The first task prints the timetable that follows; the last one prints the one
that SageMaker measured, beside it. Make the pool once, and let it count trainings that wait in the triggerer:

    airflow pools set machines 2 "Machines for training" --include-deferred
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.operators.s3 import S3CreateBucketOperator
from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator
from airflow.sdk import dag, task

from flights import model
from machines.timetable import Training

POOL = "machines"
MACHINES = 2
BUCKET = "{{ var.value.get('festaf_bucket', 'festaf-demo') }}"
ROLE_ARN = "{{ var.value.get('festaf_role_arn', '') }}"
RUN = "{{ dag_run.run_after.strftime('%Y%m%dT%H%M%S') }}"

TRAININGS = [
    Training(team="operations", priority=30, machines=1, seconds=6, max_iter=30),
    Training(team="pricing", priority=10, machines=1, seconds=6, max_iter=30),
    Training(team="research", priority=1, machines=2, seconds=10, max_iter=60),
    Training(team="crews", priority=20, machines=1, seconds=6, max_iter=20),
    Training(team="airports", priority=5, machines=1, seconds=8, max_iter=40),
]


def job_name(training: Training) -> str:
    """Name the training job of one run."""
    return f"{training.team}-{RUN}"


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["festaf", "example", "machines"],
    default_args={"owner": "team:platform", "retries": 1},
    doc_md=__doc__,
)
def teams_on_shared_machines() -> None:
    """Plan, train, compare."""
    bucket = S3CreateBucketOperator(task_id="bucket", bucket_name=BUCKET)

    @task
    def timetable() -> dict[str, list[float]]:
        """Print who trains when, if every team is right about its time."""
        from machines.timetable import chart, plan

        planned = plan(TRAININGS, MACHINES)
        print(chart(f"Planned on {MACHINES} machines", TRAININGS, planned))
        return {team: [slot.start, slot.end] for team, slot in planned.items()}

    @task
    def rows(bucket: str) -> str:
        """Write the flights that every team learns from."""
        return model.upload_rows(f"s3://{bucket}/teams/rows")

    @task
    def code(bucket: str) -> str:
        """Upload the script."""
        return model.upload_code(f"s3://{bucket}/teams/code/sourcedir.tar.gz", Path(__file__).parent / "model")

    @task(trigger_rule="all_done")
    def came_true(planned: dict[str, list[float]], names: dict[str, str]) -> dict[str, Any]:
        """Print the timetable that SageMaker measured beside the planned one."""
        from machines.timetable import Slot, chart, most_at_once

        measured = model.measured(names)
        plan = {team: Slot(*times) for team, times in planned.items()}
        print(chart(f"Planned on {MACHINES} machines", TRAININGS, plan))
        print(chart("Came true", TRAININGS, measured))
        return {
            "order": sorted(measured, key=lambda team: measured[team].start),
            "most_machines_at_once": most_at_once(TRAININGS, measured),
        }

    planned: Any = timetable()
    prepared = [rows(BUCKET), code(BUCKET)]
    trained = [
        SageMakerTrainingOperator(
            task_id=one.task_id,
            config=model.training_job(
                job_name(one),
                rows="{{ ti.xcom_pull('rows') }}",
                code="{{ ti.xcom_pull('code') }}",
                output=f"s3://{BUCKET}/teams/models",
                role_arn=ROLE_ARN,
                instances=one.machines,
                hyperparameters={"max-iter": one.max_iter},
            ),
            print_log=False,
            **model.PATIENCE,
            pool=POOL,
            pool_slots=one.machines,
            priority_weight=one.priority,
            weight_rule="absolute",
        )
        for one in TRAININGS
    ]
    names: Any = {one.team: job_name(one) for one in TRAININGS}
    bucket >> prepared
    for training in trained:
        prepared >> training
    trained >> came_true(planned, names)


teams_on_shared_machines()
