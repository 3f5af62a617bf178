"""The whole life of an endpoint: deployed, tested A against B, shifted, asked, rolled back and retired."""

from datetime import UTC, datetime

from airflow.sdk import DAG

from festaf.operators.endpoint import (
    Canary,
    DeleteEndpointOperator,
    DeployEndpointOperator,
    InvokeEndpointOperator,
    ShiftTrafficOperator,
    SmokeRequest,
    Variant,
)
from festaf.sensors.endpoint import EndpointReadySensor

SMOKE = SmokeRequest(payload="7", contains="7")

with DAG(
    "serve",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={"model": "one"},
    default_args={"endpoint": "delay", "owner": "team:planes"},
):
    deploy = DeployEndpointOperator(
        task_id="deploy",
        variants=[Variant(name="A", model="{{ params.model }}", instance_type="ml.m5.large")],
        smoke=[SMOKE],
        deferrable=True,
        poll_interval=1,
    )
    both = DeployEndpointOperator(
        task_id="both",
        variants=[
            {"name": "A", "model": "one", "instance_type": "ml.m5.large"},
            {"name": "B", "model": "two", "instance_type": "ml.m5.large", "weight": 0.0},
        ],
        policy=Canary(percent=50, bake_seconds=1),
        smoke=[SMOKE],
        rollback_on_smoke_failure=True,
        deferrable=True,
        poll_interval=1,
    )
    ready = EndpointReadySensor(
        task_id="ready",
        level="ANSWERING",
        configuration="{{ ti.xcom_pull('both')['configuration'] }}",
        request=SMOKE,
        deferrable=True,
        poke_interval=1,
        timeout=60,
    )
    shift = ShiftTrafficOperator(task_id="shift", weights={"A": 0, "B": 1}, steps=2, pause=0, poll_interval=1)
    ask = InvokeEndpointOperator(task_id="ask", payload="7")
    undo = ShiftTrafficOperator(task_id="undo", weights=shift.output, poll_interval=1)
    back = DeployEndpointOperator(task_id="back", rollback=True, deferrable=True, poll_interval=1)
    gone = DeleteEndpointOperator(task_id="gone", delete_models=True, poll_interval=1)
    deploy >> both >> ready >> shift >> ask >> undo >> back >> gone
