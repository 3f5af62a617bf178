from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from festaf.provider.triggers.feature_set import FeatureSetReadyTrigger
from tests.feature_store import create

if TYPE_CHECKING:
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.local_aws.server import LocalAws


async def fired(trigger: FeatureSetReadyTrigger) -> dict[str, Any]:
    async for event in trigger.run():
        payload: dict[str, Any] = event.payload
        return payload
    raise AssertionError("the trigger ended without an event")


def trigger(name: str = "planes", **more: Any) -> FeatureSetReadyTrigger:
    return FeatureSetReadyTrigger(**({"name": name, "poll_interval": 0.2, "timeout": 20} | more))


def test_a_trigger_is_made_again_from_what_it_serialises() -> None:
    arguments = {
        "name": "planes",
        "level": "WRITABLE",
        "poll_interval": 5.0,
        "timeout": 60.0,
        "aws_conn_id": "lab",
        "region_name": "eu-west-1",
    }
    path, written = FeatureSetReadyTrigger(**arguments).serialize()
    assert path == "festaf.provider.triggers.feature_set.FeatureSetReadyTrigger"
    assert written == arguments
    bounded = arguments | {"level": "QUERYABLE", "bounds": {"rows": 7}}
    assert FeatureSetReadyTrigger(**bounded).serialize()[1] == bounded


@pytest.mark.parametrize("level", ["CREATED", "WRITABLE"])
def test_it_fires_when_the_level_is_reached(hook: FeatureStoreHook, aws: LocalAws, level: str) -> None:
    aws.settings(create_seconds=0.7, offline_active_seconds=0.3, glue_seconds=0.3)
    create(hook, offline=True)
    assert asyncio.run(fired(trigger(level=level))) == {"status": "ready", "name": "planes", "level": level}


def test_many_triggers_share_one_poll(hook: FeatureStoreHook, aws: LocalAws) -> None:
    aws.settings(create_seconds=1.5, max_concurrent_creations=50)
    names = [f"planes{number}" for number in range(20)]
    for name in names:
        create(hook, name)
    before = aws.stats()["DescribeFeatureGroup"]

    async def together() -> list[dict[str, Any]]:
        return await asyncio.gather(*(fired(trigger(name, poll_interval=0.5)) for name in names))

    assert {event["status"] for event in asyncio.run(together())} == {"ready"}
    calls = aws.stats()
    assert calls["DescribeFeatureGroup"] - before == len(names)
    assert calls["ListFeatureGroups"] < len(names)
    assert calls["GetCallerIdentity"] == 1


def test_a_creation_that_fails_fires_with_the_reason(hook: FeatureStoreHook, aws: LocalAws) -> None:
    aws.settings(create_seconds=0.5)
    aws.fault(kind="fail_creation", reason="The role may not write there")
    create(hook)
    assert asyncio.run(fired(trigger())) == {
        "status": "failed",
        "artifact": "Feature set planes",
        "state": "CreateFailed",
        "reason": "The role may not write there",
    }


def test_at_the_deadline_it_names_what_is_missing(hook: FeatureStoreHook, aws: LocalAws) -> None:
    aws.settings(glue_seconds=600)
    create(hook, offline=True)
    event = asyncio.run(fired(trigger(timeout=3)))
    assert event["status"] == "late"
    assert len(event["missing"]) == 1
    assert event["missing"][0].startswith("the Glue table")


def test_a_fault_of_aws_is_waited_out(hook: FeatureStoreHook, aws: LocalAws) -> None:
    create(hook)
    aws.fault(kind="throttle", operation="(List|Describe)FeatureGroups?", count=6)
    assert asyncio.run(fired(trigger(timeout=60)))["status"] == "ready"


def test_a_connection_that_cannot_work_ends_the_wait(aws: LocalAws) -> None:
    event = asyncio.run(fired(trigger(aws_conn_id="nope")))
    assert event == {
        "status": "error",
        "message": "There is no Airflow connection 'nope': create it, or name another in aws_conn_id",
    }
