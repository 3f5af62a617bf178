from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.model import ApproveModelVersionOperator, CreateModelOperator
from festaf.provider import errors
from tests.models import IMAGE, ROLE, hooked, model_data, new_run, register

if TYPE_CHECKING:
    from festaf.provider.hooks.model import ModelHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws


def task(**parameters: Any) -> CreateModelOperator:
    asked: dict[str, Any] = {"task_id": "create", "model": "delay-1", "role_arn": ROLE, "timeout": 20}
    return hooked(CreateModelOperator(**(asked | parameters)))


def from_data(aws: LocalAws, **parameters: Any) -> CreateModelOperator:
    return task(**({"image_uri": IMAGE, "model_data_url": model_data(aws)} | parameters))


def test_a_model_is_created_from_image_and_data(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    made = from_data(aws, environment={"A": "1"}, tags={"cost": "42"}, network_isolation=True).execute(task_run.context)
    found = models.describe_model("delay-1")
    assert found is not None
    assert (found.role_arn, found.network_isolation) == (ROLE, True)
    assert found.containers[0].image == IMAGE
    assert found.containers[0].environment == {"A": "1"}
    assert models.tags(found.arn) == {"cost": "42"}
    assert made == {
        "model": "delay-1",
        "arn": found.arn,
        "version": None,
        "images": [IMAGE],
        "model_data": [model_data(aws)],
    }


def test_a_model_is_created_from_an_approved_version(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    registered = register(aws, approval_status="Approved")
    register(aws, "job2")
    made = task(model_package="delay").execute(task_run.context)
    assert made["version"] == "delay:1"
    found = models.describe_model("delay-1")
    assert found is not None
    assert found.containers[0].model_package == registered["arn"]
    assert task(model_package="delay:1").execute(task_run.context) == made
    assert aws.stats()["CreateModel"] == 1


def test_one_that_stands_and_is_the_same_is_adopted(aws: LocalAws, task_run: Run) -> None:
    first = from_data(aws).execute(task_run.context)
    assert from_data(aws).execute(task_run.context) == first
    assert aws.stats()["CreateModel"] == 1


def test_each_difference_stands_on_a_line_of_its_own(aws: LocalAws, task_run: Run) -> None:
    from_data(aws, environment={"A": "1", "B": "2"}).execute(task_run.context)
    other = model_data(aws, "job2")
    with pytest.raises(errors.SpecificationError) as caught:
        from_data(
            aws,
            role_arn=f"{ROLE}-2",
            image_uri="other:1",
            model_data_url=other,
            environment={"A": "3"},
            network_isolation=True,
            tags={"cost": "42"},
        ).execute(task_run.context)
    assert caught.value.differences == (
        f"role_arn: wanted {ROLE}-2, found {ROLE}",
        "network_isolation: wanted True, found False",
        f"image: wanted other:1, found {IMAGE}",
        f"model_data: wanted {other}, found {model_data(aws)}",
        "environment A: wanted 3, found 1",
        "environment B: wanted nothing, found 2",
        "tag cost: wanted 42, found nothing",
    )
    assert str(caught.value).startswith("Model delay-1 exists and differs from what this task asks for:\n")


def test_a_pipeline_of_containers_is_compared_one_by_one(aws: LocalAws, task_run: Run) -> None:
    first, second = {"Image": IMAGE, "ContainerHostname": "a"}, {"Image": "other:1", "ContainerHostname": "b"}
    task(containers=[first, second]).execute(task_run.context)
    task(containers=[first, second]).execute(task_run.context)
    with pytest.raises(errors.SpecificationError, match=f"container 2 image: wanted {IMAGE}, found other:1"):
        task(containers=[first, first]).execute(task_run.context)
    with pytest.raises(errors.SpecificationError, match="containers: wanted 1, found 2"):
        task(containers=[first]).execute(task_run.context)


def test_a_reply_that_was_lost_after_the_work_is_adopted(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    aws.fault(kind="lost_reply", operation="CreateModel")
    from_data(aws).execute(task_run.context)
    assert models.describe_model("delay-1") is not None


def test_one_that_is_not_visible_yet_is_waited_for(aws: LocalAws, task_run: Run) -> None:
    aws.settings(resource_visible_seconds=1.5)
    aws.fault(kind="lost_reply", operation="CreateModel")
    assert from_data(aws).execute(task_run.context)["model"] == "delay-1"


@pytest.mark.parametrize("kind", ["throttle", "error"])
def test_a_passing_fault_of_aws_is_not_seen(aws: LocalAws, task_run: Run, kind: str) -> None:
    aws.fault(kind=kind, operation="(Create|Describe)Model", count=2)
    assert from_data(aws).execute(task_run.context)["model"] == "delay-1"


def test_a_version_that_nobody_approved_is_refused_unless_asked_for(aws: LocalAws, task_run: Run) -> None:
    register(aws)
    with pytest.raises(errors.InputError, match="delay:1 is PendingManualApproval: wait with ModelApprovedSensor"):
        task(model_package="delay:1").execute(task_run.context)
    with pytest.raises(errors.InputError, match="There is no approved version of model delay in region"):
        task(model_package="delay").execute(task_run.context)
    assert "CreateModel" not in aws.stats()
    hooked(ApproveModelVersionOperator(task_id="approve", model="delay:1")).execute(new_run().context)  # type: ignore[arg-type]
    assert task(model_package="delay").execute(task_run.context)["version"] == "delay:1"


def test_a_version_that_failed_is_refused_with_the_reason(aws: LocalAws, task_run: Run) -> None:
    aws.fault(kind="fail_creation", resource="model-package", reason="no such image")
    with pytest.raises(errors.FailedArtifactError):
        register(aws)
    with pytest.raises(errors.FailedArtifactError, match="delay:1 is Failed: no such image"):
        task(model_package="delay:1").execute(task_run.context)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "needs one of model_package, image_uri and containers"),
        ({"image_uri": "a", "model_package": "delay:1"}, "There is no model delay:1"),
        ({"image_uri": "a", "containers": [{"Image": "a"}]}, "needs one of model_package"),
        ({"containers": [{"ModelDataUrl": "s3://lake/m"}]}, "has no image: give image_uri, or Image in containers"),
        ({"image_uri": "a", "role_arn": None}, "needs a role: give role_arn"),
        ({"image_uri": "a", "model": "delay:1"}, "is no name of a SageMaker model"),
        ({"model_package": "delay:x"}, "Version 'x' of model 'delay:x' is no number"),
    ],
)
def test_a_mistake_is_one_clear_sentence_and_creates_nothing(
    aws: LocalAws, task_run: Run, parameters: dict[str, Any], said: str
) -> None:
    with pytest.raises(errors.InputError) as caught:
        task(**parameters).execute(task_run.context)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "CreateModel" not in aws.stats()
