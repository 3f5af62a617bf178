from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from festaf.provider.triggers.endpoint import EndpointReadyTrigger
from tests.endpoints import create_model

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

pytestmark = pytest.mark.timeout(180)


async def fired(trigger: EndpointReadyTrigger) -> dict[str, Any]:
    async for event in trigger.run():
        payload: dict[str, Any] = event.payload
        return payload
    raise AssertionError("the trigger ended without an event")


def trigger(name: str = "delay", **more: Any) -> EndpointReadyTrigger:
    return EndpointReadyTrigger(**({"name": name, "poll_interval": 0.2, "timeout": 60} | more))


def configure(aws: LocalAws, name: str = "one") -> None:
    create_model(aws, name)
    variant = {"VariantName": "A", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    aws.client("sagemaker").create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])


def create(aws: LocalAws, name: str = "delay") -> None:
    aws.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName="one")


def test_a_trigger_is_made_again_from_what_it_serialises() -> None:
    arguments = {
        "name": "delay",
        "level": "ANSWERING",
        "poll_interval": 5.0,
        "timeout": 60.0,
        "aws_conn_id": "lab",
        "region_name": "eu-west-1",
        "bounds": {"configuration": "new", "request": {"payload": "1"}},
    }
    path, written = EndpointReadyTrigger(**arguments).serialize()  # type: ignore[arg-type]
    assert path == "festaf.provider.triggers.endpoint.EndpointReadyTrigger"
    assert written == arguments


@pytest.mark.parametrize(
    ("level", "bounds"),
    [
        ("IN_SERVICE", {"configuration": "one"}),
        ("ANSWERING", {"request": {"payload": "7", "contains": "one:7"}}),
    ],
)
def test_it_fires_when_the_level_is_reached(aws: LocalAws, level: str, bounds: dict[str, Any]) -> None:
    configure(aws)
    aws.settings(endpoint_create_seconds=0.7)
    create(aws)
    event = asyncio.run(fired(trigger(level=level, bounds=bounds)))
    assert event == {"status": "ready", "name": "delay", "level": level}


def test_many_triggers_share_one_poll(aws: LocalAws) -> None:
    configure(aws)
    aws.settings(endpoint_create_seconds=4.0)
    names = [f"delay{number}" for number in range(6)]
    for name in names:
        create(aws, name)

    async def together() -> list[dict[str, Any]]:
        return await asyncio.gather(*(fired(trigger(name, poll_interval=1.0)) for name in names))

    assert {event["status"] for event in asyncio.run(together())} == {"ready"}
    calls = aws.stats()
    assert calls["ListEndpoints"] < 20
    assert calls["DescribeEndpoint"] <= 2 * len(names)


def test_a_creation_that_fails_fires_with_the_reason(aws: LocalAws) -> None:
    configure(aws)
    aws.fault(kind="fail_creation", resource="endpoint", reason="no capacity")
    create(aws)
    event = asyncio.run(fired(trigger()))
    assert event == {"status": "failed", "artifact": "Endpoint delay", "state": "Failed", "reason": "no capacity"}


def test_out_of_service_is_no_success(aws: LocalAws) -> None:
    configure(aws)
    create(aws)
    aws.fault(kind="set_status", resource="endpoint", to="OutOfService")
    assert asyncio.run(fired(trigger()))["state"] == "OutOfService"


def test_at_the_deadline_it_names_what_is_missing(aws: LocalAws) -> None:
    configure(aws)
    aws.settings(endpoint_create_seconds=600)
    create(aws)
    event = asyncio.run(fired(trigger(timeout=2)))
    assert (event["status"], event["missing"]) == ("late", ["AWS is still creating it"])


def test_bounds_that_do_not_fit_end_the_wait(aws: LocalAws) -> None:
    event = asyncio.run(fired(trigger(level="ANSWERING")))
    assert event["status"] == "error"
    assert "needs request" in event["message"]
