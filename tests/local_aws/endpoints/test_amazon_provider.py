"""The amazon provider's own operators for models and endpoints, against the local AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_aws.endpoints.endpoints import Stage, times, variant
from tests.local_aws.models.models import IMAGE, ROLE, put


@pytest.fixture
def connected(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Point the connection ``aws_default`` at the local AWS."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", stage.aws.connection())
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return stage


def model(stage: Stage, name: str, factor: int) -> dict[str, Any]:
    container = {"Image": IMAGE, "ModelDataUrl": put(stage.s3, f"{name}.tar.gz", times(factor))}
    return {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": ROLE}


def test_its_operators_create_and_update_an_endpoint(connected: Stage) -> None:
    from airflow.providers.amazon.aws.operators.sagemaker import (
        SageMakerDeleteModelOperator,
        SageMakerEndpointConfigOperator,
        SageMakerEndpointOperator,
        SageMakerModelOperator,
    )

    created = SageMakerModelOperator(task_id="model", config=model(connected, "a", 2)).execute({})
    assert created["Model"]["ModelName"] == "a"
    config = {"EndpointConfigName": "a", "ProductionVariants": [variant("a")]}
    created = SageMakerEndpointConfigOperator(task_id="config", config=config).execute({})
    assert created["EndpointConfig"]["EndpointConfigName"] == "a"
    deployed = SageMakerEndpointOperator(
        task_id="deploy",
        config={"EndpointName": "answers", "EndpointConfigName": "a"},
        check_interval=1,
        max_ingestion_time=60,
    ).execute({})
    assert deployed["Endpoint"]["EndpointStatus"] == "InService"
    assert connected.ask("4")[0] == "8.0"
    updated = SageMakerEndpointOperator(
        task_id="update",
        operation="update",
        config={
            "Model": model(connected, "b", 3),
            "EndpointConfig": {"EndpointConfigName": "b", "ProductionVariants": [variant("b")]},
            "Endpoint": {"EndpointName": "answers", "EndpointConfigName": "b"},
        },
        check_interval=1,
        max_ingestion_time=60,
    ).execute({})
    assert updated["Endpoint"]["EndpointConfigName"] == "b"
    assert connected.ask("4")[0] == "12.0"
    SageMakerDeleteModelOperator(task_id="delete", config={"ModelName": "a"}).execute({})
    assert [one["ModelName"] for one in connected.sagemaker.list_models()["Models"]] == ["b"]
