from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.endpoint import DeleteEndpointOperator, DeployEndpointOperator
from festaf.provider import errors
from tests.endpoints import QUICK, create_model, names, variant

if TYPE_CHECKING:
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(autouse=True)
def sure_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("festaf.provider.hooks.endpoint.ABSENT_PAUSES", (0.1,))


def deploy(run: Run, *models: str, **parameters: Any) -> str:
    asked: dict[str, Any] = {"task_id": "deploy", "deferrable": False, **QUICK}
    asked["variants"] = [variant(model, name=f"V{number}") for number, model in enumerate(models)]
    return str(DeployEndpointOperator(**(asked | parameters)).execute(run.context)["configuration"])


def delete(run: Run, **parameters: Any) -> dict[str, Any]:
    return DeleteEndpointOperator(**({"task_id": "delete", **QUICK} | parameters)).execute(run.context)


def test_the_endpoint_and_its_configurations_go_and_models_stay(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    configurations = [deploy(run, "one"), deploy(run, "two")]
    gone = delete(run, project="nyc")
    assert gone["endpoint"] == "delay"
    assert sorted(gone["configurations"]) == sorted(configurations)
    assert names(aws) == {"endpoints": [], "configurations": [], "models": ["one", "two"]}
    assert run.facts()["x-festaf-endpoint://nyc/delay"]["deleted"]


def test_models_go_when_that_is_asked_for(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    deploy(run, "one")
    assert delete(run, delete_models=True)["models"] == ["one"]
    assert names(aws) == {"endpoints": [], "configurations": [], "models": []}


def test_what_another_uses_stays(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    shared = deploy(run, "one", "two")
    client = aws.client("sagemaker")
    client.create_endpoint(EndpointName="other", EndpointConfigName=shared)
    client.create_endpoint_config(
        EndpointConfigName="by-hand",
        ProductionVariants=[
            {"VariantName": "A", "ModelName": "one", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        ],
    )
    assert delete(run, delete_models=True) == {"endpoint": "delay", "configurations": [], "models": []}
    assert names(aws) == {"endpoints": ["other"], "configurations": ["by-hand", shared], "models": ["one", "two"]}
    client.get_waiter("endpoint_in_service").wait(EndpointName="other", WaiterConfig={"Delay": 1})
    gone = delete(run, endpoint="other", delete_models=True)
    assert gone == {"endpoint": "other", "configurations": [shared], "models": ["two"]}


def test_one_that_is_not_there_is_a_success(aws: LocalAws, run: Run) -> None:
    assert delete(run) == {"endpoint": None, "configurations": [], "models": []}
    assert run.facts() == {}


def test_a_task_that_was_killed_after_the_endpoint_went_deletes_the_rest(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    configuration = deploy(run, "one")
    client = aws.client("sagemaker")
    client.delete_endpoint(EndpointName="delay")
    client.get_waiter("endpoint_deleted").wait(EndpointName="delay", WaiterConfig={"Delay": 1})
    gone = delete(run, delete_models=True)
    assert gone == {"endpoint": None, "configurations": [configuration], "models": ["one"]}


def test_the_configuration_goes_only_after_the_endpoint_is_gone(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    configuration = deploy(run, "one")
    aws.settings(endpoint_delete_seconds=600)
    with pytest.raises(errors.ServiceError, match="delay is still there after 1 s"):
        delete(run, timeout=1)
    assert names(aws)["configurations"] == [configuration]


def test_an_update_that_is_under_way_is_waited_for(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    create_model(aws, "two")
    deploy(run, "one")
    aws.settings(endpoint_update_seconds=1.0)
    deploy(run, "two", wait_for_completion=False)
    assert len(delete(run)["configurations"]) == 2
    assert names(aws)["endpoints"] == []


def test_a_failed_endpoint_goes_too(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    aws.fault(kind="fail_creation", resource="endpoint", reason="no capacity")
    with pytest.raises(errors.FailedArtifactError):
        deploy(run, "one")
    assert delete(run)["endpoint"] == "delay"
    assert names(aws)["endpoints"] == []


def test_a_reply_that_was_lost_is_not_seen(aws: LocalAws, run: Run) -> None:
    create_model(aws, "one")
    deploy(run, "one")
    aws.fault(kind="lost_reply", operation="Delete.*", count=3)
    delete(run, delete_models=True)
    assert names(aws) == {"endpoints": [], "configurations": [], "models": []}


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"endpoint": "de_lay"}, "is no name of an endpoint"),
        ({"delete_configurations": False, "delete_models": True}, "delete_models needs delete_configurations"),
    ],
)
def test_a_mistake_is_one_clear_sentence(aws: LocalAws, run: Run, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.InputError) as caught:
        delete(run, **parameters)
    assert said in str(caught.value)
