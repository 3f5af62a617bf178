from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from festaf.provider.triggers.model import ModelReadyTrigger
from tests.models import IMAGE, register

if TYPE_CHECKING:
    from festaf.provider.hooks.model import ModelHook
    from tests.local_aws.server import LocalAws

pytestmark = pytest.mark.usefixtures("hurried")


async def fired(trigger: ModelReadyTrigger) -> dict[str, Any]:
    async for event in trigger.run():
        payload: dict[str, Any] = event.payload
        return payload
    raise AssertionError("the trigger ended without an event")


def trigger(name: str = "delay", **more: Any) -> ModelReadyTrigger:
    return ModelReadyTrigger(**({"name": name, "poll_interval": 0.2, "timeout": 20} | more))


def versions(models: ModelHook, *groups: str) -> list[str]:
    """Register a version in each group, as cheaply as it goes, and give their ARNs."""
    container = {"Containers": [{"Image": IMAGE}]}
    for group in set(groups):
        models.create_group({"ModelPackageGroupName": group})
    return [
        models.create_version({"ModelPackageGroupName": group, "InferenceSpecification": container}) for group in groups
    ]


def test_a_trigger_is_made_again_from_what_it_serialises() -> None:
    arguments = {
        "name": "delay:3",
        "level": "APPROVED",
        "poll_interval": 5.0,
        "timeout": 60.0,
        "aws_conn_id": "lab",
        "region_name": "eu-west-1",
    }
    path, written = ModelReadyTrigger(**arguments).serialize()
    assert path == "festaf.provider.triggers.model.ModelReadyTrigger"
    assert written == arguments


@pytest.mark.parametrize("name", ["delay", "delay:1", "arn"])
def test_it_fires_when_the_version_is_registered(aws: LocalAws, models: ModelHook, name: str) -> None:
    aws.settings(model_package_seconds=0.7)
    (arn,) = versions(models, "delay")
    name = arn if name == "arn" else name
    assert asyncio.run(fired(trigger(name, level="REGISTERED"))) == {
        "status": "ready",
        "name": name,
        "level": "REGISTERED",
    }


def test_it_fires_when_somebody_approves(aws: LocalAws, models: ModelHook) -> None:
    (arn,) = versions(models, "delay")

    async def approved_later() -> dict[str, Any]:
        waiting = asyncio.create_task(fired(trigger("delay:1", level="APPROVED")))
        await asyncio.sleep(1)
        assert not waiting.done()
        await asyncio.to_thread(models.update_version, arn, ModelApprovalStatus="Approved")
        return await waiting

    assert asyncio.run(approved_later())["status"] == "ready"


def test_it_fires_when_somebody_rejects_with_what_they_wrote(aws: LocalAws, models: ModelHook) -> None:
    (arn,) = versions(models, "delay")
    models.update_version(arn, ModelApprovalStatus="Rejected", ApprovalDescription="worse in winter")
    assert asyncio.run(fired(trigger(level="APPROVED"))) == {
        "status": "failed",
        "artifact": "Model delay:1",
        "state": "Rejected",
        "reason": "worse in winter",
    }


def test_a_registration_that_fails_fires_with_the_reason(aws: LocalAws, models: ModelHook) -> None:
    aws.settings(model_package_seconds=0.5)
    aws.fault(kind="fail_creation", resource="model-package", reason="The image cannot be pulled")
    versions(models, "delay")
    event = asyncio.run(fired(trigger(level="REGISTERED")))
    assert (event["status"], event["reason"]) == ("failed", "The image cannot be pulled")


def test_model_data_that_come_later_are_seen(aws: LocalAws, models: ModelHook) -> None:
    register(aws)
    key = "models/job1/output/model.tar.gz"
    s3 = aws.client("s3")
    s3.delete_object(Bucket="lake", Key=key)

    async def data_come() -> dict[str, Any]:
        waiting = asyncio.create_task(fired(trigger(level="CREATED")))
        await asyncio.sleep(1)
        assert not waiting.done()
        await asyncio.to_thread(s3.put_object, Bucket="lake", Key=key, Body=b"data")
        return await waiting

    assert asyncio.run(data_come())["status"] == "ready"


def test_many_triggers_share_one_poll(aws: LocalAws, models: ModelHook) -> None:
    aws.settings(model_package_seconds=1.5)
    groups = [f"delay{number}" for number in range(10)]
    versions(models, *groups, *groups)
    names = [*groups, *(f"{group}:1" for group in groups)]
    before = aws.stats()

    async def together() -> list[dict[str, Any]]:
        waiting = (fired(trigger(name, level="REGISTERED", poll_interval=0.5)) for name in names)
        return await asyncio.gather(*waiting)

    assert {event["status"] for event in asyncio.run(together())} == {"ready"}
    calls = aws.stats()
    # A name without a version lists once more, to find the newest.
    assert calls["ListModelPackages"] < 2 * len(names)
    assert calls["DescribeModelPackage"] - before.get("DescribeModelPackage", 0) == len(names)


def test_at_the_deadline_it_names_what_is_missing(aws: LocalAws, models: ModelHook) -> None:
    versions(models, "delay")
    event = asyncio.run(fired(trigger(level="APPROVED", timeout=1)))
    assert (event["status"], event["missing"]) == ("late", ["nobody has approved it yet"])
    absent = asyncio.run(fired(trigger("trains", level="CREATED", timeout=1)))
    assert (absent["status"], absent["missing"]) == ("late", ["the model does not exist"])


@pytest.mark.parametrize(("parameters", "said"), [({"level": "READY"}, "level is"), ({"name": "a b"}, "is no name")])
def test_what_cannot_be_waited_for_ends_the_wait(aws: LocalAws, parameters: dict[str, Any], said: str) -> None:
    event = asyncio.run(fired(trigger(**parameters)))
    assert event["status"] == "error"
    assert said in event["message"]


def test_a_fault_of_aws_is_waited_out(aws: LocalAws, models: ModelHook) -> None:
    versions(models, "delay")
    aws.fault(kind="throttle", operation="(List|Describe)ModelPackages?", count=6)
    assert asyncio.run(fired(trigger(timeout=60)))["status"] == "ready"
