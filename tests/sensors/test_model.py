from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.model import ApproveModelVersionOperator, CreateModelOperator
from festaf.provider import errors
from festaf.sensors.model import ModelApprovedSensor, ModelReadySensor
from tests.feature_store import BUCKET
from tests.models import IMAGE, ROLE, hooked, model_data, new_run, register

if TYPE_CHECKING:
    from festaf.provider.hooks.model import ModelHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws


def sensor(kind: type[ModelReadySensor] = ModelReadySensor, **parameters: Any) -> ModelReadySensor:
    asked: dict[str, Any] = {
        "task_id": "ready",
        "model": "delay",
        "poke_interval": 0.2,
        "timeout": 20,
        "deferrable": False,
    }
    return kind(**(asked | parameters))


def decide(decision: str, description: str, version: int = 1) -> None:
    task = ApproveModelVersionOperator(
        task_id="decide",
        model="delay",
        version=version,
        decision=decision,
        description=description,  # type: ignore[arg-type]
    )
    hooked(task).execute(new_run().context)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["delay", "delay:1"])
def test_a_registration_is_waited_for(aws: LocalAws, task_run: Run, model: str) -> None:
    aws.settings(model_package_seconds=0.7)
    register(aws, wait_for_completion=False)
    assert sensor(model=model).execute(task_run.context) == {"model": model, "level": "REGISTERED"}


def test_the_version_may_be_given_beside_the_name(aws: LocalAws, task_run: Run) -> None:
    made = register(aws)
    assert sensor(version="1").execute(task_run.context) == {"model": "delay:1", "level": "REGISTERED"}
    assert sensor(model=made["arn"]).execute(task_run.context)["model"] == made["arn"]
    with pytest.raises(
        errors.NotReadyError, match="Model delay:2 is not REGISTERED after 0 s: the model does not exist"
    ):
        sensor(version=2, timeout=0.1).execute(task_run.context)


def test_an_approval_is_waited_for(aws: LocalAws, task_run: Run) -> None:
    register(aws)
    with pytest.raises(errors.NotReadyError, match="delay is not APPROVED after 0 s: nobody has approved it yet"):
        sensor(ModelApprovedSensor, timeout=0.1).execute(task_run.context)
    decide("Approved", "fine")
    assert sensor(ModelApprovedSensor).execute(task_run.context) == {"model": "delay", "level": "APPROVED"}


def test_a_rejection_fails_at_once_with_what_was_written(aws: LocalAws, task_run: Run) -> None:
    register(aws)
    decide("Rejected", "worse in winter")
    with pytest.raises(errors.FailedArtifactError, match="Model delay:1 is Rejected: worse in winter"):
        sensor(ModelApprovedSensor, timeout=600).execute(task_run.context)


def test_a_registration_that_failed_fails_at_once_with_the_reason(aws: LocalAws, task_run: Run) -> None:
    aws.fault(kind="fail_creation", resource="model-package", reason="The image cannot be pulled")
    register(aws, wait_for_completion=False)
    for kind in (ModelReadySensor, ModelApprovedSensor):
        with pytest.raises(errors.FailedArtifactError, match="delay:1 is Failed: The image cannot be pulled"):
            sensor(kind, timeout=600).execute(task_run.context)


def test_the_model_data_are_looked_for(aws: LocalAws, task_run: Run) -> None:
    register(aws)
    create = CreateModelOperator(
        task_id="create", model="trains", role_arn=ROLE, image_uri=IMAGE, model_data_url=model_data(aws)
    )
    hooked(create).execute(new_run().context)  # type: ignore[arg-type]
    for model in ("trains", "delay", "delay:1"):
        assert sensor(model=model, level="CREATED").execute(task_run.context)["level"] == "CREATED"
    aws.client("s3").delete_object(Bucket=BUCKET, Key="models/job1/output/model.tar.gz")
    for model in ("trains", "delay:1"):
        with pytest.raises(errors.NotReadyError, match=f"the model data s3://{BUCKET}/models/job1/.* do not exist"):
            sensor(model=model, level="CREATED", timeout=0.1).execute(task_run.context)


def test_one_that_does_not_exist_is_what_is_missing(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    for level in ("CREATED", "REGISTERED", "APPROVED"):
        with pytest.raises(errors.NotReadyError, match="the model does not exist"):
            sensor(level=level, timeout=0.1).execute(task_run.context)
    models.create_group({"ModelPackageGroupName": "delay"})
    with pytest.raises(errors.NotReadyError, match="the model has no version"):
        sensor(timeout=0.1).execute(task_run.context)


def test_a_passing_fault_of_aws_is_waited_out(aws: LocalAws, task_run: Run) -> None:
    register(aws)
    aws.fault(kind="throttle", operation="(Describe|List)ModelPackages?", count=5)
    assert sensor(timeout=60).execute(task_run.context)["level"] == "REGISTERED"


def test_a_deferrable_sensor_hands_everything_to_the_trigger(aws: LocalAws, task_run: Run) -> None:
    from airflow.providers.common.compat.sdk import TaskDeferred

    with pytest.raises(TaskDeferred) as caught:
        sensor(ModelApprovedSensor, deferrable=True, version=3, region_name="eu-west-1").execute(task_run.context)
    path, arguments = caught.value.trigger.serialize()
    assert path == "festaf.provider.triggers.model.ModelReadyTrigger"
    assert arguments == {
        "name": "delay:3",
        "level": "APPROVED",
        "poll_interval": 0.2,
        "timeout": 20.0,
        "aws_conn_id": "aws_default",
        "region_name": "eu-west-1",
    }


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"level": "READY"}, "level is 'READY': write one of CREATED, REGISTERED, APPROVED"),
        ({"model": "late flights"}, "'late flights' is no name of a model"),
        ({"version": "last"}, "Version 'last' of model 'delay' is no number from 1"),
    ],
)
def test_a_mistake_is_one_clear_sentence(task_run: Run, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.InputError) as caught:
        sensor(**parameters).execute(task_run.context)
    assert said in str(caught.value)
