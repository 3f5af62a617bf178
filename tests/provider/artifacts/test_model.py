from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING

import pytest

from festaf.operators.model import CreateModelOperator
from festaf.provider.artifacts import Meta, Model
from festaf.provider.errors import InputError, ServiceError
from festaf.provider.models import metadata as keys
from tests.feature_store import BUCKET
from tests.models import HELD_OUT, IMAGE, ROLE, hooked, model_data, new_run, register

if TYPE_CHECKING:
    from festaf.provider.hooks.model import ModelHook
    from tests.local_aws.server import LocalAws

pytestmark = pytest.mark.usefixtures("hurried")


def made_elsewhere(aws: LocalAws) -> str:
    """Register a version as somebody else does, with an evaluation but without notes, and give its ARN."""
    client = aws.client("sagemaker")
    content = {"regression_metrics": {"mae": {"value": 8.5}}, "dataset": {"uri": HELD_OUT}}
    aws.client("s3").put_object(Bucket=BUCKET, Key="e.json", Body=json.dumps(content).encode())
    client.create_model_package_group(ModelPackageGroupName="theirs")
    arn: str = client.create_model_package(
        ModelPackageGroupName="theirs",
        InferenceSpecification={"Containers": [{"Image": IMAGE, "ModelDataUrl": model_data(aws)}]},
        MetadataProperties={"GeneratedBy": "arn:aws:sagemaker:us-east-1:123456789012:training-job/theirs"},
        ModelMetrics={
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/e.json"}}
        },
        CustomerMetadataProperties={"team": "theirs"},
    )["ModelPackageArn"]
    return arn


def test_a_model_is_loaded_with_everything_that_is_known(aws: LocalAws, models: ModelHook) -> None:
    register(aws, "a", approval_status="Approved", tags={"festaf:owner": "team:planes"})
    register(aws, "b", features=["weather.wind"])
    found = Model.load("delay", hook=models)
    assert found is not None
    assert [item.name for item in found.versions] == ["delay:2", "delay:1"]
    assert found.version is not None
    assert (found.version.number, found.version.status) == (2, "Completed")
    assert found.champion is not None
    assert found.champion.number == 1
    assert (found.evaluation.metrics, found.evaluation.held_out) == ({"mae": 9.5}, HELD_OUT)
    assert found.features == ("weather.wind",)
    assert (found.region, found.account) == ("us-east-1", "123456789012")
    assert found.unknown == ("training set", "training job")
    with pytest.raises(FrozenInstanceError):
        found.name = "other"  # type: ignore[misc]


def test_a_version_is_loaded_by_each_of_its_names(aws: LocalAws, models: ModelHook) -> None:
    arn = register(aws, "a")["arn"]
    register(aws, "b")
    for found in (
        Model.load("delay", 1, hook=models),
        Model.load("delay:1", hook=models),
        Model.load(arn, hook=models),
    ):
        assert found is not None
        assert found.version is not None
        assert found.version.number == 1
    assert found is not None
    assert len(found.versions) == 2


def test_what_is_not_there_is_none(aws: LocalAws, models: ModelHook) -> None:
    assert Model.load("delay", hook=models) is None
    register(aws)
    assert Model.load("delay:2", hook=models) is None
    assert Model.load("arn:aws:sagemaker:us-east-1:123456789012:model/delay", hook=models) is None


def test_a_model_is_never_half_loaded(aws: LocalAws, models: ModelHook) -> None:
    register(aws)
    for operation in ("DescribeModelPackageGroup", "ListModelPackages", "DescribeModel", "ListTags"):
        aws.fault(kind="throttle", operation=operation, count=4)
        with pytest.raises(ServiceError, match=f"{operation}: AWS answered"):
            Model.load("delay", hook=models)
        aws.clear_faults()


def test_a_sagemaker_model_is_loaded_too(aws: LocalAws, models: ModelHook) -> None:
    task = CreateModelOperator(
        task_id="create", model="delay-1", role_arn=ROLE, image_uri=IMAGE, model_data_url=model_data(aws)
    )
    hooked(task).execute(new_run().context)  # type: ignore[arg-type]
    found = Model.load("delay-1", hook=models)
    assert found is not None
    assert (found.group, found.version) == (None, None)
    assert found.sagemaker_model is not None
    assert found.sagemaker_model.containers[0].image == IMAGE
    assert found.arn.endswith(":model/delay-1")


def test_a_model_that_was_made_elsewhere_is_adopted(aws: LocalAws, models: ModelHook) -> None:
    made_elsewhere(aws)
    found = Model.onboard("theirs", project="nyc", owner="team:planes", hook=models)
    assert found.tags == {"festaf:project": "nyc", "festaf:owner": "team:planes"}
    assert found.version is not None
    noted = found.version.metadata
    assert (noted["team"], noted[keys.ONBOARDED]) == ("theirs", "true")
    assert (noted[keys.METRIC + "mae"], noted[keys.HELD_OUT]) == ("8.5", HELD_OUT)
    assert (found.training_job or "").endswith("training-job/theirs")
    assert found.unknown == ("features", "training set", "DAG, run and task")
    before = aws.stats()["UpdateModelPackage"]
    assert Model.onboard("theirs", project="nyc", owner="team:planes", hook=models) == found
    assert aws.stats()["UpdateModelPackage"] == before


def test_what_is_not_there_cannot_be_adopted(models: ModelHook) -> None:
    with pytest.raises(InputError, match="There is no model theirs to onboard in region us-east-1"):
        Model.onboard("theirs", hook=models)


def test_the_models_are_listed_each_with_its_newest_version(aws: LocalAws, models: ModelHook) -> None:
    register(aws, "a", approval_status="Approved")
    register(aws, "b")
    made_elsewhere(aws)
    meta = Meta()
    assert {item.name: (item.version, item.version_status, item.approval) for item in meta.models()} == {
        "delay": (2, "Completed", "PendingManualApproval"),
        "theirs": (1, "Completed", "PendingManualApproval"),
    }
    assert [item.name for item in meta.models("del")] == ["delay"]
    described = meta.model("delay", 1)
    assert described is not None
    assert described.version is not None
    assert described.version.approval == "Approved"


def test_every_page_of_a_list_is_read(aws: LocalAws, models: ModelHook) -> None:
    for number in range(101):
        models.create_group({"ModelPackageGroupName": f"group{number}"})
    assert len(list(models.groups())) == 101
    container = {"Containers": [{"Image": IMAGE}]}
    for _ in range(101):
        models.create_version({"ModelPackageGroupName": "group0", "InferenceSpecification": container})
    assert [item.number for item in models.versions("group0")] == list(range(101, 0, -1))
