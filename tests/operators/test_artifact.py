"""OnboardArtifactOperator adopts what others made, says what is known, and names what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.artifact import OnboardArtifactOperator
from festaf.provider.artifacts import FeatureSet
from festaf.provider.errors import InputError, ServiceError
from tests.feature_store import BUCKET, create
from tests.local_aws.model_archives import DOUBLE, serving
from tests.models import IMAGE, ROLE, register

if TYPE_CHECKING:
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

PLANES = "x-festaf://nyc/planes"


def onboard(run: Run, kind: str, name: str, **more: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"project": "nyc", "owner": "team:planes"}
    task = OnboardArtifactOperator(task_id="onboard", kind=kind, name=name, **(asked | more))  # type: ignore[arg-type]
    return task.execute(run.context)


@pytest.fixture
def endpoint(aws: LocalAws) -> LocalAws:
    """Make an endpoint with plain boto3, from a model that no one registered."""
    aws.client("s3").put_object(Bucket=BUCKET, Key="model.tar.gz", Body=serving(DOUBLE))
    client = aws.client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    client.create_model(ModelName="doubling", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "all", "ModelName": "doubling", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client.create_endpoint_config(EndpointConfigName="first", ProductionVariants=[variant])
    client.create_endpoint(EndpointName="delays", EndpointConfigName="first")
    client.get_waiter("endpoint_in_service").wait(EndpointName="delays", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return aws


def test_a_feature_set_is_adopted_with_what_its_new_owner_knows(hook: FeatureStoreHook, run: Run) -> None:
    create(hook, offline=True)
    known = {"name": "delay", "type": "Fractional", "description": "Minutes", "sources": ["s3://lake/f.parquet#delay"]}
    found = onboard(run, "feature_set", "planes", description="Planes", features=[known])
    definition = run.facts()[f"{PLANES}/definition"]
    assert found["definition"] == definition
    assert (definition["owner"], definition["description"]) == ("team:planes", "Planes")
    assert definition["features"][3]["sources"] == ["s3://lake/f.parquet#delay"]
    assert found["unknown"] == ["purpose", "logic", "descriptions of the features tail, seen, seats"]
    loaded = FeatureSet.load("planes")
    assert loaded is not None
    assert loaded.tags == {"festaf:project": "nyc", "festaf:owner": "team:planes"}
    assert found["arn"] == loaded.arn
    assert PLANES not in run.facts()


def test_onboarding_again_ends_the_same(hook: FeatureStoreHook, run: Run) -> None:
    create(hook)
    first = onboard(run, "feature_set", "planes")
    assert onboard(run, "feature_set", "planes") == first
    assert onboard(run, "feature_set", "planes", owner=None) == first


def test_a_registered_model_is_adopted_with_its_newest_version(aws: LocalAws, run: Run) -> None:
    register(aws)
    found = onboard(run, "model", "delay")
    fact = run.facts()["x-festaf-model://nyc/delay/definition"]
    assert (fact["model"], fact["version"], fact["metrics"], fact["project"]) == ("delay", 1, {"mae": 9.5}, "nyc")
    assert found["unknown"] == ["features", "training set", "training job"]
    assert "x-festaf-model://nyc/delay" not in run.facts()


def test_a_bare_sagemaker_model_is_adopted(endpoint: LocalAws, run: Run) -> None:
    found = onboard(run, "model", "doubling")
    fact = run.facts()["x-festaf-model://nyc/doubling/definition"]
    assert (fact["version"], fact["images"], fact["model_data"]) == (None, [IMAGE], [f"s3://{BUCKET}/model.tar.gz"])
    assert fact["account"] == "123456789012"
    assert {"versions", "metrics", "features"} <= set(found["unknown"])


def test_an_endpoint_is_adopted_and_its_models_origin_is_named_unknown(endpoint: LocalAws, run: Run) -> None:
    found = onboard(run, "endpoint", "delays", description="Doubles")
    fact = run.facts()["x-festaf-endpoint://nyc/delays/definition"]
    assert (fact["action"], fact["configuration"], fact["description"]) == ("onboarded", "first", "Doubles")
    assert found["unknown"] == ["data capture", "previous configuration", "registered version of model doubling"]


def test_what_another_project_has_is_left_to_it(hook: FeatureStoreHook, run: Run) -> None:
    create(hook)
    onboard(run, "feature_set", "planes", project="berlin")
    with pytest.raises(InputError, match="belongs to project 'berlin', not 'nyc'"):
        onboard(run, "feature_set", "planes")
    assert onboard(run, "feature_set", "planes", take_over=True)["definition"]["project"] == "nyc"


@pytest.mark.parametrize("kind", ["feature_set", "model", "endpoint"])
def test_what_is_not_there_cannot_be_adopted(aws: LocalAws, run: Run, kind: str) -> None:
    with pytest.raises(InputError, match=f"There is no {kind.replace('_', ' ')} planes to onboard in region us-east-1"):
        onboard(run, kind, "planes")


def test_what_cannot_be_meant_is_refused(hook: FeatureStoreHook, run: Run) -> None:
    with pytest.raises(InputError, match="kind is 'notebook'"):
        onboard(run, "notebook", "planes")
    create(hook)
    with pytest.raises(InputError, match="has no feature 'wing'"):
        onboard(run, "feature_set", "planes", features=[{"name": "wing", "type": "String"}])
    assert FeatureSet.load("planes").tags == {}  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["throttle", "error", "lost_reply"])
def test_a_service_in_trouble_is_borne(hook: FeatureStoreHook, run: Run, aws: LocalAws, kind: str) -> None:
    create(hook)
    aws.fault(operation="AddTags|ListTags", kind=kind, count=2)
    assert onboard(run, "feature_set", "planes")["definition"]["owner"] == "team:planes"


def test_a_service_that_stays_in_trouble_may_be_retried(hook: FeatureStoreHook, run: Run, aws: LocalAws) -> None:
    create(hook)
    aws.fault(operation="AddTags", kind="throttle", count=50)
    with pytest.raises(ServiceError, match="AddTags: AWS answered ThrottlingException"):
        onboard(run, "feature_set", "planes")
