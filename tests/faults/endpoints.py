"""The scenarios of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from festaf.operators.endpoint import (
    DeleteEndpointOperator,
    DeployEndpointOperator,
    InvokeEndpointOperator,
    ShiftTrafficOperator,
)
from festaf.sensors.endpoint import EndpointReadySensor
from tests.endpoints import answering, ask, create_model, names, variant
from tests.faults.stage import Scenario

if TYPE_CHECKING:
    from tests.faults.stage import Stage

QUICK: dict[str, Any] = {"endpoint": "delay", "poll_interval": 0.1, "timeout": 30}


def _deploy(stage: Stage, *models: str) -> dict[str, Any]:
    variants = [variant(model, name=model, weight=1.0 - number) for number, model in enumerate(models)]
    return DeployEndpointOperator(
        task_id="deploy",
        variants=variants,
        tags={"cost": "42"},
        smoke=[{"payload": "7", "contains": ":7"}],
        deferrable=False,
        **QUICK,
    ).execute(stage.context())


def _model(stage: Stage) -> None:
    create_model(stage.aws, "one", answering("one:"))


def _create(stage: Stage) -> None:
    _deploy(stage, "one")


def _created(stage: Stage) -> None:
    stands = names(stage.aws)
    assert (stands["endpoints"], stands["models"]) == (["delay"], ["one"])
    assert len(stands["configurations"]) == 1
    assert ask(stage.aws) == "one:1"


def _one_stands(stage: Stage) -> None:
    _model(stage)
    create_model(stage.aws, "two", answering("two:"))
    stage.kept["first"] = _deploy(stage, "one")["configuration"]


def _update(stage: Stage) -> None:
    _deploy(stage, "two")


def _updated(stage: Stage) -> None:
    stands = names(stage.aws)
    assert stands["endpoints"] == ["delay"]
    assert len(stands["configurations"]) == 2
    assert ask(stage.aws) == "two:1"
    arn = stage.aws.client("sagemaker").describe_endpoint(EndpointName="delay")["EndpointArn"]
    tags = {tag["Key"]: tag["Value"] for tag in stage.aws.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]}
    assert tags["festaf:previous-configuration"] == stage.kept["first"]


def _two_variants(stage: Stage) -> None:
    _model(stage)
    create_model(stage.aws, "two", answering("two:"))
    _deploy(stage, "one", "two")


def _shift(stage: Stage) -> None:
    former = ShiftTrafficOperator(
        task_id="shift", weights={"one": 0.0, "two": 1.0}, steps=2, pause=0.0, **QUICK
    ).execute(stage.context())
    assert former == {"one": 1.0, "two": 0.0}


def _shifted(stage: Stage) -> None:
    found = stage.aws.client("sagemaker").describe_endpoint(EndpointName="delay")
    assert [one["CurrentWeight"] for one in found["ProductionVariants"]] == [0.0, 1.0]
    assert ask(stage.aws) == "two:1"


def _ask(stage: Stage) -> None:
    answer = InvokeEndpointOperator(task_id="ask", payload="7", **QUICK).execute(stage.context())
    assert answer["content"] == "one:7"


def _wait(stage: Stage) -> None:
    EndpointReadySensor(
        task_id="wait",
        endpoint="delay",
        level="ANSWERING",
        request={"payload": "7", "contains": "one:7"},
        poke_interval=0.1,
        timeout=20,
        deferrable=False,
    ).execute(stage.context())


def _nothing(stage: Stage) -> None:
    """Check nothing more than that the task ended well."""


def _delete(stage: Stage) -> None:
    # As many looks as always, but sooner: there are a hundred deletions.
    with patch("festaf.provider.hooks.endpoint.ABSENT_PAUSES", (0.05, 0.05, 0.05)):
        DeleteEndpointOperator(task_id="delete", delete_models=True, **QUICK).execute(stage.context())


def _gone(stage: Stage) -> None:
    assert names(stage.aws) == {"endpoints": [], "configurations": [], "models": ["two"]}


SCENARIOS = [
    Scenario("DeployEndpointOperator creates", _model, _create, _created),
    Scenario("DeployEndpointOperator updates", _one_stands, _update, _updated),
    Scenario("ShiftTrafficOperator", _two_variants, _shift, _shifted),
    Scenario("InvokeEndpointOperator", _one_stands, _ask, _nothing),
    Scenario("EndpointReadySensor", _one_stands, _wait, _nothing),
    Scenario("DeleteEndpointOperator", _one_stands, _delete, _gone),
]
