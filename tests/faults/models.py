"""The scenarios of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.operators.model import (
    ApproveModelVersionOperator,
    CompareModelsOperator,
    CreateModelOperator,
    DeleteModelOperator,
    RegisterModelVersionOperator,
)
from festaf.sensors.model import ModelApprovedSensor, ModelReadySensor
from tests.faults.stage import Scenario
from tests.models import HELD_OUT, IMAGE, ROLE, model_data, new_run, register

if TYPE_CHECKING:
    from tests.faults.stage import Stage

QUICK: dict[str, Any] = {"poll_interval": 0.1, "timeout": 20}


def _context() -> Any:
    return new_run().context


def _versions(stage: Stage) -> list[tuple[int, str, str]]:
    """Give each version's number, status and approval, newest first."""
    client = stage.aws.client("sagemaker")
    found = client.list_model_packages(ModelPackageGroupName="delay", SortBy="CreationTime", SortOrder="Descending")
    return [
        (one["ModelPackageVersion"], one["ModelPackageStatus"], one["ModelApprovalStatus"])
        for one in found["ModelPackageSummaryList"]
    ]


def _data(stage: Stage) -> None:
    stage.kept["data"] = model_data(stage.aws)


def _register(stage: Stage) -> None:
    RegisterModelVersionOperator(
        task_id="register",
        model="delay",
        image_uri=IMAGE,
        model_data_url=stage.kept["data"],
        metrics={"mae": 9.5},
        held_out=HELD_OUT,
        **QUICK,
    ).execute(_context())


def _registered(stage: Stage) -> None:
    assert _versions(stage) == [(1, "Completed", "PendingManualApproval")]
    assert len(stage.aws.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]) == 1


def _champion_and_challenger(stage: Stage) -> None:
    register(stage.aws, "old", approval_status="Approved", metrics={"mae": 10.0})
    register(stage.aws, "new")


def _compare(stage: Stage) -> None:
    compare = CompareModelsOperator(task_id="compare", model="delay", metric="mae", direction="minimize")
    stage.kept["verdict"] = compare.execute(_context())


def _better(stage: Stage) -> None:
    verdict = stage.kept["verdict"]
    assert (verdict["better"], verdict["challenger"], verdict["champion"]) == (True, "delay:2", "delay:1")


def _approve(stage: Stage) -> None:
    ApproveModelVersionOperator(task_id="approve", model="delay", version=2, **QUICK).execute(_context())


def _approved(stage: Stage) -> None:
    assert _versions(stage) == [(2, "Completed", "Approved"), (1, "Completed", "Approved")]
    client = stage.aws.client("sagemaker")
    arn = client.list_model_packages(ModelPackageGroupName="delay")["ModelPackageSummaryList"][0]["ModelPackageArn"]
    former = client.describe_model_package(ModelPackageName=f"{arn.rpartition('/')[0]}/1")
    assert former["CustomerMetadataProperties"]["festaf:superseded_by"] == "2"


def _one_approved(stage: Stage) -> None:
    register(stage.aws, "old", approval_status="Approved")


def _create(stage: Stage) -> None:
    CreateModelOperator(
        task_id="create", model="delay-1", model_package="delay:1", role_arn=ROLE, tags={"cost": "42"}, timeout=20
    ).execute(_context())


def _created(stage: Stage) -> None:
    client = stage.aws.client("sagemaker")
    (model,) = client.list_models()["Models"]
    described = client.describe_model(ModelName=model["ModelName"])
    assert described["PrimaryContainer"]["ModelPackageName"].endswith("delay/1")


def _delete(stage: Stage) -> None:
    DeleteModelOperator(task_id="delete", model="delay", delete_versions=True, **QUICK).execute(_context())


def _gone(stage: Stage) -> None:
    assert stage.aws.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def _wait(stage: Stage) -> None:
    ModelReadySensor(task_id="ready", model="delay", level="CREATED", poke_interval=0.1, timeout=20).execute(_context())


def _wait_for_approval(stage: Stage) -> None:
    ModelApprovedSensor(task_id="ready", model="delay", poke_interval=0.1, timeout=20).execute(_context())


def _nothing(stage: Stage) -> None:
    """Check nothing: a sensor leaves nothing."""


SCENARIOS = [
    Scenario("RegisterModelVersionOperator", _data, _register, _registered),
    Scenario("CompareModelsOperator", _champion_and_challenger, _compare, _better),
    Scenario("ApproveModelVersionOperator", _champion_and_challenger, _approve, _approved),
    Scenario("CreateModelOperator", _one_approved, _create, _created),
    Scenario("DeleteModelOperator", _champion_and_challenger, _delete, _gone),
    Scenario("ModelReadySensor", _one_approved, _wait, _nothing),
    Scenario("ModelApprovedSensor", _one_approved, _wait_for_approval, _nothing),
]
