from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from festaf.operators.model import RegisterModelVersionOperator
from festaf.provider import errors
from festaf.provider.models import metadata as keys
from festaf.provider.models.name import ModelName
from tests.feature_store import BUCKET
from tests.models import HELD_OUT, IMAGE, hooked, model_data, new_run, register

if TYPE_CHECKING:
    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.models.record import ModelVersion
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

pytestmark = pytest.mark.usefixtures("hurried")


ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package-group"


def task(aws: LocalAws, **parameters: Any) -> RegisterModelVersionOperator:
    asked: dict[str, Any] = {
        "task_id": "register",
        "model": "delay",
        "image_uri": IMAGE,
        "model_data_url": model_data(aws),
        "poll_interval": 0.1,
        "timeout": 30,
    }
    return hooked(RegisterModelVersionOperator(**(asked | parameters)))


def found(models: ModelHook, name: str = "delay:1") -> ModelVersion:
    version = models.describe_version(ModelName.of(name))
    assert version is not None
    return version


def read(aws: LocalAws, uri: str | None) -> Any:
    parts = urlsplit(uri or "")
    return json.loads(aws.client("s3").get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["Body"].read())


def test_a_version_is_registered_with_everything_that_is_known(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    made = task(
        aws,
        project="nyc",
        metrics={"mae": 9.5, "r2": 0.21},
        held_out={"uri": HELD_OUT, "sha256": "a" * 64, "rows": 7},
        features=["weather.wind", "planes.seats"],
        description="Trees",
        environment={"SAGEMAKER_PROGRAM": "inference.py"},
        metadata={"team": "planes"},
        group_description="Minutes late",
        tags={"cost": "42"},
        instance_types=["ml.m5.large"],
    ).execute(task_run.context)
    version, group = found(models), models.describe_group("delay")
    assert group is not None
    assert (group.description, models.tags(group.arn)) == ("Minutes late", {"cost": "42"})
    assert (version.status, version.approval, version.description) == ("Completed", "PendingManualApproval", "Trees")
    assert version.containers[0].environment == {"SAGEMAKER_PROGRAM": "inference.py"}
    noted = version.metadata
    assert (noted["team"], noted[keys.DAG], noted[keys.RUN]) == ("planes", "training", "manual__2013-02-01")
    assert (noted[keys.HELD_OUT], noted[keys.METRIC + "mae"]) == (HELD_OUT, "9.5")
    assert noted[keys.FEATURES] == "weather.wind planes.seats"
    assert len(noted[keys.LOGIC]) == 64
    evaluation = read(aws, version.evaluation_uri)
    assert evaluation["regression_metrics"] == {"mae": {"value": 9.5}, "r2": {"value": 0.21}}
    assert evaluation["dataset"] == {"uri": HELD_OUT, "sha256": "a" * 64, "item_count": 7}
    assert read(aws, noted[keys.RECORD])["features"] == ["weather.wind", "planes.seats"]
    assert task_run.facts() == {"x-festaf-model://nyc/delay": made}
    assert (made["version"], made["status"], made["arn"]) == (1, "Completed", version.arn)
    assert (made["region"], made["account"], made["task_id"]) == ("us-east-1", "123456789012", "register")


def test_running_again_registers_nothing_twice(aws: LocalAws) -> None:
    first = register(aws)
    assert register(aws) == first
    assert aws.stats()["CreateModelPackage"] == 1
    assert register(aws, run_id="job2")["version"] == 2


def test_each_mapped_task_registers_its_own(aws: LocalAws) -> None:
    versions = [task(aws).execute(new_run(map_index=index).context)["version"] for index in (0, 1, 0)]
    assert versions == [1, 2, 1]


def test_a_run_that_was_cleared_and_trained_another_model_registers_another(aws: LocalAws) -> None:
    assert register(aws, "job1", run_id="r")["version"] == 1
    assert register(aws, "job2", run_id="r")["version"] == 2
    uri = model_data(aws, "job1")
    parts = urlsplit(uri)
    again = task(aws, model_data_url=uri, metrics={"mae": 9.5}, held_out=HELD_OUT)
    aws.client("s3").put_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"), Body=b"trained again")
    assert again.execute(new_run(run_id="r").context)["version"] == 3


def test_a_group_may_be_named_by_its_arn(aws: LocalAws, models: ModelHook) -> None:
    register(aws, "job1")
    made = register(aws, "job2", model=f"{ARN}/delay")
    assert (made["model"], made["version"]) == ("delay", 2)
    assert found(models, "delay:2").group_arn == f"{ARN}/delay"


@pytest.mark.parametrize("operation", ["CreateModelPackage", "CreateModelPackageGroup", "PutObject"])
def test_a_reply_that_was_lost_after_the_work_registers_nothing_twice(
    aws: LocalAws, models: ModelHook, operation: str
) -> None:
    aws.fault(kind="lost_reply", operation=operation, count=2)
    assert register(aws)["version"] == 1
    assert [item.number for item in models.versions("delay")] == [1]


def test_a_task_that_was_killed_before_it_saw_the_version_finds_it(aws: LocalAws, models: ModelHook) -> None:
    aws.fault(kind="error", operation="DescribeModelPackage", count=None)
    with pytest.raises(errors.ServiceError):
        register(aws)
    aws.clear_faults()
    assert register(aws)["version"] == 1
    assert [item.number for item in models.versions("delay")] == [1]


def test_a_version_that_is_not_visible_yet_is_waited_for(aws: LocalAws, models: ModelHook) -> None:
    aws.settings(resource_visible_seconds=1.5, model_package_seconds=0.5)
    assert register(aws)["status"] == "Completed"
    assert [item.number for item in models.versions("delay")] == [1]


def test_a_registration_that_fails_fails_the_task_with_the_reason(aws: LocalAws) -> None:
    aws.settings(model_package_seconds=0.3)
    aws.fault(kind="fail_creation", resource="model-package", reason="The image cannot be pulled")
    with pytest.raises(errors.FailedArtifactError, match="Model delay:1 is Failed: The image cannot be pulled"):
        register(aws)
    assert register(aws)["version"] == 2
    assert register(aws)["version"] == 2


@pytest.mark.parametrize("kind", ["throttle", "error", "reset"])
def test_a_passing_fault_of_aws_is_not_seen(aws: LocalAws, kind: str) -> None:
    aws.fault(kind=kind, operation="(Create|Describe|List)ModelPackage(s|Group)?", count=3)
    assert register(aws)["version"] == 1


def test_aws_that_is_slow_is_waited_for_until_the_deadline(aws: LocalAws) -> None:
    aws.settings(model_package_seconds=600)
    with pytest.raises(errors.ServiceError, match=r"delay:1 is not registered after .* AWS is still registering it"):
        register(aws, timeout=0.5)
    assert register(aws, wait_for_completion=False)["status"] == "Pending"
    aws.advance(600)
    assert register(aws)["status"] == "Completed"


def test_what_does_not_fit_into_the_metadata_stands_in_the_record(
    aws: LocalAws, models: ModelHook, task_run: Run
) -> None:
    features = [f"feature_set_{number}.some_long_feature_name_{number}" for number in range(20)]
    metrics = {f"metric_{number}": float(number) for number in range(60)}
    made = task(aws, features=features, metrics=metrics).execute(task_run.context)
    version = found(models)
    assert keys.FEATURES not in version.metadata
    assert len(version.metadata) == 45
    assert read(aws, version.metadata[keys.RECORD])["features"] == features == made["features"]
    assert read(aws, version.evaluation_uri)["regression_metrics"]["metric_59"] == {"value": 59.0}


def test_an_evaluation_is_read_from_s3_and_from_what_a_template_made(aws: LocalAws, task_run: Run) -> None:
    content = {"metrics": {"mae": {"value": 8.0}}, "dataset": {"uri": HELD_OUT}}
    aws.client("s3").put_object(Bucket=BUCKET, Key="e.json", Body=json.dumps(content).encode())
    made = task(aws, metrics=f"s3://{BUCKET}/e.json").execute(task_run.context)
    assert (made["metrics"], made["held_out"]["uri"]) == ({"mae": 8.0}, HELD_OUT)
    templated = task(aws, metrics="{'mae': 7.0}", held_out=str({"uri": HELD_OUT})).execute(new_run().context)
    assert (templated["metrics"], templated["held_out"]["uri"]) == ({"mae": 7.0}, HELD_OUT)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"model": "late flights"}, "'late flights' is no name of a model"),
        ({"model": "delay:3"}, "'delay:3' is no model package group"),
        ({"model": f"{ARN}/theirs"}, "one that an ARN names is not created"),
        ({"image_uri": None, "model_data_url": None}, "has no container: give image_uri"),
        ({"image_uri": None}, "has no image: give image_uri"),
        ({"model_data_url": f"s3://{BUCKET}/none.tar.gz"}, "none.tar.gz of model delay do not exist"),
        ({"training_job": "nope"}, "There is no training job nope in region us-east-1"),
        ({"training_set": f"s3://{BUCKET}/none.json"}, "There is no training-set manifest s3://lake/none.json"),
        ({"training_set": {"manifest": "x"}}, "training_set is no training set of festaf"),
        ({"metrics": f"s3://{BUCKET}/none.json"}, "There is no evaluation s3://lake/none.json"),
        ({"metrics": {"mae": "NaN"}}, "The evaluation from metrics holds no metric"),
        ({"metrics": [1]}, "metrics is list: give a text or a mapping"),
        ({"metrics": "{mae"}, "metrics is neither JSON nor a Python mapping"),
        ({"held_out": {"url": "x"}}, "held_out has url: write uri, sha256 and rows"),
        ({"approval_status": "Yes"}, "approval_status is 'Yes'"),
        ({"metadata": {"festaf:dag": "x"}}, "festaf's own"),
        ({"metadata": {"a": "x, y"}}, "AWS does not take the metadata a"),
        ({"output_s3_uri": "/tmp"}, "output_s3_uri '/tmp' is no S3 URI"),
    ],
)
def test_a_mistake_is_one_clear_sentence_and_registers_nothing(
    aws: LocalAws, task_run: Run, parameters: dict[str, Any], said: str
) -> None:
    with pytest.raises(errors.InputError) as caught:
        task(aws, **parameters).execute(task_run.context)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {"CreateModelPackage", "CreateModelPackageGroup"}.isdisjoint(aws.stats())
