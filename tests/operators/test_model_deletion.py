from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.model import CreateModelOperator, DeleteModelOperator
from festaf.provider import errors
from tests.models import IMAGE, ROLE, hooked, model_data, new_run, register

if TYPE_CHECKING:
    from festaf.provider.hooks.model import ModelHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws


def task(model: str, **parameters: Any) -> DeleteModelOperator:
    return hooked(
        DeleteModelOperator(**({"task_id": "delete", "model": model, "poll_interval": 0.1, "timeout": 10} | parameters))
    )


def create(aws: LocalAws, name: str = "delay-1", **parameters: Any) -> None:
    asked = parameters or {"image_uri": IMAGE, "model_data_url": model_data(aws)}
    hooked(CreateModelOperator(task_id="create", model=name, role_arn=ROLE, **asked)).execute(new_run().context)  # type: ignore[arg-type]


def serve(aws: LocalAws, model: str) -> None:
    client = aws.client("sagemaker")
    variant = {"VariantName": "all", "ModelName": model, "InitialInstanceCount": 1, "InstanceType": "ml.t2.medium"}
    client.create_endpoint_config(EndpointConfigName="config", ProductionVariants=[variant])
    client.create_endpoint(EndpointName="delays", EndpointConfigName="config")


def test_a_version_is_deleted_and_that_is_told(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    for name in ("a", "b"):
        register(aws, name)
    assert task("delay:1").execute(task_run.context) is True
    assert [item.number for item in models.versions("delay")] == [2]
    (fact,) = task_run.facts().values()
    assert (fact["version"], fact["event"], fact["metrics"]) == (1, "deleted", {"mae": 9.5})
    assert register(aws, "c")["version"] == 3


def test_a_group_goes_with_its_versions_when_asked(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    for name in ("a", "b"):
        register(aws, name)
    with pytest.raises(errors.InputError, match="delay has 2 versions, the newest is delay:2: delete them first"):
        task("delay").execute(task_run.context)
    assert task("delay", delete_versions=True).execute(task_run.context) is True
    assert models.describe_group("delay") is None
    assert task_run.facts()["x-festaf-model://default/delay"]["event"] == "deleted"


def test_a_sagemaker_model_is_deleted(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    create(aws)
    assert task("delay-1").execute(task_run.context) is True
    assert models.describe_model("delay-1") is None


@pytest.mark.parametrize(
    ("model", "parameters"),
    [("delay", {}), ("delay:1", {}), ("delay", {"what": "group"}), ("delay", {"what": "model"})],
)
def test_one_that_is_not_there_is_a_success(
    aws: LocalAws, task_run: Run, model: str, parameters: dict[str, Any]
) -> None:
    assert task(model, **parameters).execute(task_run.context) is False
    assert not task_run.facts()


def test_what_an_endpoint_serves_is_refused_unless_forced(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    register(aws, approval_status="Approved")
    create(aws, model_package="delay:1")
    serve(aws, "delay-1")
    for name in ("delay-1", "delay:1"):
        with pytest.raises(errors.InputError, match=f"Model {name} is served by endpoint delays: delete the endpoint"):
            task(name).execute(task_run.context)
    with pytest.raises(errors.InputError, match="Model delay is served by endpoint delays"):
        task("delay", delete_versions=True).execute(task_run.context)
    assert models.describe_model("delay-1") is not None
    assert task("delay-1", force=True).execute(task_run.context) is True
    assert task("delay", force=True, delete_versions=True).execute(task_run.context) is True


def test_the_end_of_a_deletion_is_waited_for(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    aws.settings(model_package_delete_seconds=1.0)
    register(aws)
    task("delay:1").execute(task_run.context)
    assert list(models.versions("delay")) == []
    register(aws, "b")
    aws.settings(model_package_delete_seconds=600)
    with pytest.raises(errors.ServiceError, match="Model delay:2 is still Deleting after 0 s"):
        task("delay:2", timeout=0.3).execute(task_run.context)
    aws.advance(600)
    assert task("delay:2").execute(task_run.context) is False


@pytest.mark.parametrize("kind", ["throttle", "error", "lost_reply"])
def test_a_passing_fault_of_aws_is_not_seen(aws: LocalAws, models: ModelHook, task_run: Run, kind: str) -> None:
    register(aws)
    aws.fault(kind=kind, operation="Delete.*", count=2)
    assert task("delay", delete_versions=True).execute(task_run.context) is True
    assert models.describe_group("delay") is None


def test_a_name_that_may_be_either_is_asked_for(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    register(aws)
    create(aws, "delay")
    with pytest.raises(errors.InputError, match="delay is both a group and a SageMaker model: give what='group'"):
        task("delay").execute(task_run.context)
    assert task("delay", what="model").execute(task_run.context) is True
    assert models.describe_group("delay") is not None


@pytest.mark.parametrize(
    ("model", "parameters", "said"),
    [
        ("delay", {"what": "thing"}, "what is 'thing': write version, group or model"),
        ("delay", {"what": "version"}, "Say which version of model delay is deleted"),
        ("delay:1", {"what": "group"}, "'delay:1' names a version, and what is 'group'"),
        ("late flights", {}, "is no name of a model"),
    ],
)
def test_a_mistake_is_one_clear_sentence(
    aws: LocalAws, task_run: Run, model: str, parameters: dict[str, Any], said: str
) -> None:
    with pytest.raises(errors.InputError, match=said):
        task(model, **parameters).execute(task_run.context)
