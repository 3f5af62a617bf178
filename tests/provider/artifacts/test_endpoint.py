from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from festaf.operators.endpoint import DataCapture, DeployEndpointOperator
from festaf.provider import errors
from festaf.provider.artifacts import Endpoint, Meta
from tests.endpoints import QUICK, create_model, variant
from tests.feature_store import BUCKET

if TYPE_CHECKING:
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws


@pytest.fixture
def deployed(aws: LocalAws, run: Run) -> LocalAws:
    create_model(aws, "one")
    DeployEndpointOperator(
        task_id="deploy",
        variants=[variant("one", name="A")],
        data_capture=DataCapture(s3_uri=f"s3://{BUCKET}/capture"),
        tags={"cost": "42"},
        deferrable=False,
        **QUICK,
    ).execute(run.context)
    return aws


def test_everything_that_aws_knows_is_loaded(deployed: LocalAws) -> None:
    found = Endpoint.load("delay")
    assert found is not None
    assert (found.status, found.region, found.account) == ("InService", "us-east-1", "123456789012")
    assert found.tags == {"cost": "42"}
    (one,) = found.variants
    assert (one.name, one.model, one.instance_type, one.current_instances) == ("A", "one", "ml.m5.large", 1)
    assert found.configuration is not None
    assert found.configuration.models == ("one",)
    assert found.data_capture is not None
    assert found.data_capture["DestinationS3Uri"] == f"s3://{BUCKET}/capture"
    assert found.asynchronous is None
    assert Meta().endpoint("delay") == found


def test_an_endpoint_without_its_configuration_is_still_an_endpoint(
    deployed: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("festaf.provider.hooks.endpoint.ABSENT_PAUSES", ())
    (name,) = (
        one["EndpointConfigName"] for one in deployed.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    )
    deployed.client("sagemaker").delete_endpoint_config(EndpointConfigName=name)
    found = Endpoint.load("delay")
    assert found is not None
    assert (found.configuration_name, found.configuration, found.variants[0].model) == (name, None, None)


def test_one_that_is_not_there_is_none(aws: LocalAws) -> None:
    assert Endpoint.load("delay") is None
    assert Meta().endpoint("delay") is None
    with pytest.raises(errors.InputError, match="There is no endpoint delay to onboard"):
        Endpoint.onboard("delay")


def test_one_that_was_made_elsewhere_is_onboarded(deployed: LocalAws) -> None:
    found = Endpoint.onboard("delay", project="nyc", owner="team:planes")
    assert found.tags == {"cost": "42", "festaf:project": "nyc", "festaf:owner": "team:planes"}
    fact = found.deployed("onboarded", project="nyc")
    assert (fact.owner, fact.variants[0].artifact) == ("team:planes", "one")


def test_endpoints_are_listed_with_their_states(deployed: LocalAws) -> None:
    assert [(one.name, one.status) for one in Meta().endpoints()] == [("delay", "InService")]
    assert Meta().endpoints("other") == []
