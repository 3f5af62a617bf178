from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.endpoint import DeployEndpointOperator, SmokeRequest
from festaf.provider import errors
from festaf.sensors.endpoint import EndpointReadySensor
from tests.endpoints import BROKEN, FAILING, QUICK, create_model, variant

if TYPE_CHECKING:
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

pytestmark = pytest.mark.timeout(180)


def sensor(**parameters: Any) -> EndpointReadySensor:
    asked: dict[str, Any] = {
        "task_id": "ready",
        "endpoint": "delay",
        "poke_interval": 0.2,
        "timeout": 60,
        "deferrable": False,
    }
    return EndpointReadySensor(**(asked | parameters))


def deploy(aws: LocalAws, run: Run, model: str, code: str | None = None, **parameters: Any) -> dict[str, Any]:
    create_model(aws, model, code)
    return DeployEndpointOperator(
        task_id="deploy", variants=[variant(model)], deferrable=False, **QUICK, **parameters
    ).execute(run.context)


def test_in_service_is_waited_for(aws: LocalAws, run: Run) -> None:
    aws.settings(endpoint_create_seconds=1.0)
    deploy(aws, run, "one", wait_for_completion=False)
    assert sensor().execute(run.context) == {"endpoint": "delay", "level": "IN_SERVICE"}


def test_another_configuration_than_the_one_asked_for_is_not_ready(aws: LocalAws, run: Run) -> None:
    made = deploy(aws, run, "one")
    assert sensor(configuration=made["configuration"]).execute(run.context)["level"] == "IN_SERVICE"
    with pytest.raises(errors.NotReadyError, match=f"it runs configuration {made['configuration']}, not other"):
        sensor(configuration="other", timeout=0.5).execute(run.context)


def test_a_rollback_fails_who_waits_for_the_new_configuration_and_nobody_else(aws: LocalAws, run: Run) -> None:
    deploy(aws, run, "one")
    with pytest.raises(errors.FailedArtifactError) as caught:
        deploy(aws, run, "broken", BROKEN)
    new = caught.value.state.split("configuration ")[1].split(" ")[0]
    with pytest.raises(errors.FailedArtifactError, match="ping health check"):
        sensor(configuration=new, timeout=600).execute(run.context)
    assert sensor().execute(run.context)["level"] == "IN_SERVICE"
    # What docs/reference/endpoints.md says of the amazon provider's sensor: it takes the rollback for a success.
    from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerEndpointSensor

    assert SageMakerEndpointSensor(task_id="theirs", endpoint_name="delay").poke(run.context) is True


def test_a_lost_endpoint_fails_at_once_where_the_amazon_providers_sensor_succeeds(aws: LocalAws, run: Run) -> None:
    """The comparison stands in docs/reference/endpoints.md: when this fails, it has to change."""
    from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerEndpointSensor

    deploy(aws, run, "one")
    for status in ("OutOfService", "UpdateRollbackFailed"):
        aws.fault(kind="set_status", resource="endpoint", to=status)
        with pytest.raises(errors.FailedArtifactError, match=f"Endpoint delay is {status}"):
            sensor(timeout=600).execute(run.context)
        assert SageMakerEndpointSensor(task_id="theirs", endpoint_name="delay").poke(run.context) is True
        aws.clear_faults()


def test_one_that_is_being_deleted_fails_at_once(aws: LocalAws, run: Run) -> None:
    deploy(aws, run, "one")
    aws.settings(endpoint_delete_seconds=600)
    aws.client("sagemaker").delete_endpoint(EndpointName="delay")
    with pytest.raises(errors.FailedArtifactError, match="Deleting"):
        sensor(timeout=600).execute(run.context)


def test_an_absent_endpoint_is_what_is_missing(aws: LocalAws, run: Run) -> None:
    with pytest.raises(errors.NotReadyError, match="the endpoint does not exist"):
        sensor(timeout=0.3).execute(run.context)


def test_answering_means_an_answer_as_expected(aws: LocalAws, run: Run) -> None:
    deploy(aws, run, "one")
    good = SmokeRequest(payload="7", contains="one:7")
    assert sensor(level="ANSWERING", request=good).execute(run.context)["level"] == "ANSWERING"
    with pytest.raises(errors.NotReadyError, match="AllTraffic does not answer as expected: the answer does not cont"):
        sensor(level="ANSWERING", request={"payload": "7", "contains": "two"}, timeout=0.5).execute(run.context)


def test_a_model_that_fails_is_not_answering(aws: LocalAws, run: Run) -> None:
    deploy(aws, run, "one", FAILING)
    with pytest.raises(errors.NotReadyError, match="seats are missing"):
        sensor(level="ANSWERING", request={"payload": "7"}, timeout=0.5).execute(run.context)


def test_a_passing_fault_of_aws_is_waited_out(aws: LocalAws, run: Run) -> None:
    deploy(aws, run, "one")
    aws.fault(kind="throttle", operation="DescribeEndpoint", count=6)
    assert sensor().execute(run.context)["level"] == "IN_SERVICE"


def test_a_deferrable_sensor_hands_everything_to_the_trigger(aws: LocalAws, run: Run) -> None:
    from airflow.providers.common.compat.sdk import TaskDeferred

    asked = {"level": "ANSWERING", "configuration": "new", "request": SmokeRequest(payload=[1], contains="x")}
    with pytest.raises(TaskDeferred) as caught:
        sensor(deferrable=True, **asked).execute(run.context)
    assert caught.value.trigger.serialize() == (
        "festaf.provider.triggers.endpoint.EndpointReadyTrigger",
        {
            "name": "delay",
            "level": "ANSWERING",
            "poll_interval": 0.2,
            "timeout": 60.0,
            "aws_conn_id": "aws_default",
            "region_name": None,
            "bounds": {"configuration": "new", "request": {"payload": [1], "contains": "x"}},
        },
    )


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"level": "READY"}, "level is 'READY': write one of IN_SERVICE, ANSWERING"),
        ({"level": "ANSWERING"}, "needs request"),
        ({"level": "ANSWERING", "request": {"payload": 1, "schema": {"typ": 1}}}, "keyword 'typ' is not known"),
    ],
)
def test_a_mistake_is_one_clear_sentence(run: Run, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.InputError) as caught:
        sensor(**parameters).execute(run.context)
    assert said in str(caught.value)
