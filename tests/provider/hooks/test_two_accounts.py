"""A connection that assumes a role reaches AWS through it: for the hooks, the operators and the sensors alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.feature_set import CreateFeatureSetOperator
from festaf.provider.errors import InputError, ServiceError
from festaf.provider.hooks.feature_store import FeatureStoreHook
from festaf.sensors.feature_set import FeatureSetReadySensor
from tests.feature_store import FEATURES
from tests.local_aws.server import REGION

if TYPE_CHECKING:
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

OTHER = "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/prediction"


def connection(aws: LocalAws, **more: Any) -> str:
    extra: dict[str, Any] = {
        "region_name": REGION,
        "endpoint_url": aws.url,
        "role_arn": ROLE,
        "assume_role_kwargs": {"RoleSessionName": "festaf", "ExternalId": "flights"},
        # The amazon provider never asks the general endpoint_url for a role.
        "service_config": {"sts": {"endpoint_url": aws.url}},
    }
    return json.dumps({"conn_type": "aws", "login": "local", "password": "local", "extra": extra | more})


@pytest.fixture
def prediction(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """Add a connection ``aws_prediction`` that assumes a role of another account."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_PREDICTION", connection(aws))
    return aws


def test_a_hook_acts_as_the_role_of_its_connection(prediction: LocalAws) -> None:
    hook = FeatureStoreHook(aws_conn_id="aws_prediction")
    found = hook.call("sts", "get_caller_identity")
    assert found["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/prediction/festaf"
    assert hook.account == OTHER
    assert FeatureStoreHook().account == "123456789012"
    assert prediction.stats()["AssumeRole"] == 1


def test_operators_and_sensors_take_the_connection_as_a_template(prediction: LocalAws, run: Run) -> None:
    asked: dict[str, Any] = {"feature_set": "planes", "aws_conn_id": "{{ account }}"}
    create = CreateFeatureSetOperator(
        task_id="create", record_identifier="tail", event_time="seen", features=FEATURES, **asked
    )
    create.render_template_fields({"account": "aws_prediction"})
    assert create.execute(run.context)["feature_set"] == "planes"
    sensor = FeatureSetReadySensor(task_id="ready", level="WRITABLE", **asked)
    sensor.render_template_fields({"account": "aws_prediction"})
    assert sensor.poke(run.context).is_done  # type: ignore[arg-type]
    assert prediction.stats()["AssumeRole"] == 2


def test_the_roles_credentials_are_kept_between_calls(prediction: LocalAws) -> None:
    hook = FeatureStoreHook(aws_conn_id="aws_prediction")
    for _ in range(5):
        assert hook.describe("planes") is None
        hook.call("s3", "list_buckets")
    assert prediction.stats()["AssumeRole"] == 1


def test_the_local_aws_is_one_account(prediction: LocalAws, run: Run) -> None:
    """What docs/how-to/two-accounts.md says: SageMaker's things are the same for every role here."""
    create = CreateFeatureSetOperator(
        task_id="create", feature_set="planes", record_identifier="tail", event_time="seen", features=FEATURES
    )
    create.execute(run.context)
    found = FeatureStoreHook(aws_conn_id="aws_prediction").describe("planes")
    assert found is not None
    assert found.account == "123456789012"


def test_a_role_that_cannot_be_assumed_is_told(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_PREDICTION", connection(aws, role_arn="prediction"))
    with pytest.raises(InputError, match="Invalid length for parameter RoleArn"):
        FeatureStoreHook(aws_conn_id="aws_prediction").describe("planes")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_PREDICTION", connection(aws))
    aws.fault(operation="AssumeRole", kind="throttle", count=50)
    with pytest.raises(ServiceError, match=r"Connecting to sagemaker: AWS answered Throttling"):
        FeatureStoreHook(aws_conn_id="aws_prediction").describe("planes")
