from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.model import ApproveModelVersionOperator
from festaf.provider import errors
from festaf.provider.models import metadata as keys
from festaf.provider.models.name import ModelName
from tests.models import hooked, register

if TYPE_CHECKING:
    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.models.record import ModelVersion
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws


def task(**parameters: Any) -> ApproveModelVersionOperator:
    asked: dict[str, Any] = {"task_id": "approve", "model": "delay", "version": 1, "poll_interval": 0.1, "timeout": 10}
    return hooked(ApproveModelVersionOperator(**(asked | parameters)))


def found(models: ModelHook, version: int = 1) -> ModelVersion:
    there = models.describe_version(ModelName("delay", version))
    assert there is not None
    return there


def test_a_version_is_approved_and_that_is_told(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    register(aws, metadata={"team": "planes"})
    made = task(description="Good enough", project="nyc").execute(task_run.context)
    there = found(models)
    assert (there.approval, there.approval_description) == ("Approved", "Good enough")
    assert there.metadata["team"] == "planes"
    assert there.metadata[keys.DECIDED_BY] == "training/manual__2013-02-01/register"
    assert task_run.facts() == {"x-festaf-model://nyc/delay": made}
    assert (made["event"], made["metrics"], made["supersedes"]) == ("approved", {"mae": 9.5}, None)


def test_without_a_description_the_task_is_named(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    register(aws)
    task(decision="Rejected").execute(task_run.context)
    said = "Rejected by DAG training, run manual__2013-02-01, task register"
    assert (found(models).approval, found(models).approval_description) == ("Rejected", said)


def test_deciding_again_changes_nothing(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    register(aws)
    task(description="first").execute(task_run.context)
    task(description="second").execute(task_run.context)
    assert found(models).approval_description == "first"
    assert aws.stats()["UpdateModelPackage"] == 1


def test_the_former_champion_is_told_who_took_its_place(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    for name in ("a", "b", "c"):
        register(aws, name, metadata={"team": name})
    task(version=1).execute(task_run.context)
    assert task(version=3).execute(task_run.context)["supersedes"] == 1
    former = found(models, 1)
    assert (former.metadata[keys.SUPERSEDED_BY], former.metadata["team"]) == ("3", "a")
    assert former.approval == "Approved"
    assert keys.SUPERSEDED_BY not in found(models, 2).metadata
    before = aws.stats()["UpdateModelPackage"]
    assert task(version=3).execute(task_run.context)["supersedes"] == 1
    assert aws.stats()["UpdateModelPackage"] == before


def test_a_kill_between_the_two_notes_is_made_good(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    register(aws, "a", approval_status="Approved")
    register(aws, "b", approval_status="Approved")
    assert task(version=2).execute(task_run.context)["supersedes"] == 1
    assert found(models, 1).metadata[keys.SUPERSEDED_BY] == "2"


def test_a_stale_approval_is_refused(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    register(aws, "a")
    register(aws, "b", approval_status="Approved")
    with pytest.raises(errors.InputError, match="delay:2 is newer than delay:1 and approved, so this approval is"):
        task(version=1).execute(task_run.context)
    assert found(models, 1).approval == "PendingManualApproval"
    task(version=1, override=True).execute(task_run.context)
    assert found(models, 1).approval == "Approved"


def test_what_somebody_decided_before_is_not_turned_over(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    register(aws)
    task(decision="Rejected", description="worse in winter").execute(task_run.context)
    with pytest.raises(
        errors.InputError, match=r"delay:1 was Rejected before \(worse in winter\), so it is not Approved"
    ):
        task().execute(task_run.context)
    assert task(override=True).execute(task_run.context)["approval"] == "Approved"
    with pytest.raises(errors.InputError, match="delay:1 was Approved before"):
        task(decision="Rejected").execute(task_run.context)


def test_a_version_that_aws_still_registers_is_waited_for(aws: LocalAws, task_run: Run) -> None:
    aws.settings(model_package_seconds=1.0)
    register(aws, wait_for_completion=False)
    assert task().execute(task_run.context)["status"] == "Completed"


def test_a_version_that_failed_is_not_approved(aws: LocalAws, task_run: Run) -> None:
    aws.fault(kind="fail_creation", resource="model-package", reason="no such image")
    register_failed(aws)
    with pytest.raises(errors.FailedArtifactError, match="delay:1 is Failed: no such image"):
        task().execute(task_run.context)
    assert "UpdateModelPackage" not in aws.stats()


def register_failed(aws: LocalAws) -> None:
    with pytest.raises(errors.FailedArtifactError):
        register(aws)


def test_metadata_that_are_full_are_left_as_they_are(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    for name in ("a", "b"):
        arn = register(aws, name)["arn"]
        room = 50 - len(found(models, {"a": 1, "b": 2}[name]).metadata)
        models.update_version(arn, CustomerMetadataProperties={f"mine{number}": "x" for number in range(room)})
    task(version=1).execute(task_run.context)
    assert task(version=2).execute(task_run.context)["supersedes"] == 1
    assert keys.DECIDED_BY not in found(models, 2).metadata
    assert (found(models, 1).approval, found(models, 2).approval) == ("Approved", "Approved")


@pytest.mark.parametrize("kind", ["throttle", "error", "lost_reply"])
def test_a_passing_fault_of_aws_is_not_seen(aws: LocalAws, task_run: Run, kind: str) -> None:
    register(aws)
    aws.fault(kind=kind, operation="(Update|Describe)ModelPackage", count=2)
    assert task().execute(task_run.context)["approval"] == "Approved"


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"version": None}, "Say which version of model delay is decided on"),
        ({"version": 2}, "There is no model delay:2 in region us-east-1"),
        ({"model": "trains"}, "There is no model trains:1"),
        ({"decision": "Maybe"}, "decision is 'Maybe': write Approved or Rejected"),
        ({"description": "x" * 1025}, "The description has 1,025 characters, AWS takes 1,024"),
    ],
)
def test_a_mistake_is_one_clear_sentence(aws: LocalAws, task_run: Run, parameters: dict[str, Any], said: str) -> None:
    register(aws)
    with pytest.raises(errors.InputError) as caught:
        task(**parameters).execute(task_run.context)
    assert said in str(caught.value)
    assert "UpdateModelPackage" not in aws.stats()
