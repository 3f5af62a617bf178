"""Endpoint configurations, as boto3 sees them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_aws.endpoints.endpoints import Stage, times, variant
from tests.local_aws.models.models import ROLE, refused

ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config"
SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


@pytest.fixture
def shop(stage: Stage) -> Stage:
    """Give a stage with the model ``a``."""
    stage.model("a", times(2))
    return stage


def bare(**members: Any) -> dict[str, Any]:
    """Give a variant without instances."""
    return {"VariantName": "AllTraffic", "ModelName": "a", **members}


def test_a_configuration_is_described_as_it_was_created(shop: Stage) -> None:
    asked = {
        "EndpointConfigName": "canary",
        "ProductionVariants": [variant("a", "one", 3), variant("a", "two", ModelDataDownloadTimeoutInSeconds=60)],
        "AsyncInferenceConfig": {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
            "OutputConfig": {"S3OutputPath": "s3://models/out"},
        },
        "ExecutionRoleArn": ROLE,
        "EnableNetworkIsolation": True,
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
    }
    tags = [{"Key": "team", "Value": "flights"}]
    assert shop.sagemaker.create_endpoint_config(**asked, Tags=tags)["EndpointConfigArn"] == f"{ARN}/canary"
    found = shop.sagemaker.describe_endpoint_config(EndpointConfigName="canary")
    assert {name: found[name] for name in asked} == asked
    assert shop.sagemaker.list_tags(ResourceArn=f"{ARN}/canary")["Tags"] == tags


def test_a_weight_that_is_not_given_is_one(shop: Stage) -> None:
    shop.config("a", bare(InstanceType="ml.m5.large", InitialInstanceCount=1))
    found = shop.sagemaker.describe_endpoint_config(EndpointConfigName="a")
    assert found["ProductionVariants"][0]["InitialVariantWeight"] == 1.0


def test_configurations_are_listed(shop: Stage) -> None:
    for name in ("x-1", "x-2", "y"):
        shop.config(name, variant("a"))
    found = shop.sagemaker.list_endpoint_configs(NameContains="x", SortBy="Name", SortOrder="Ascending")
    assert [one["EndpointConfigName"] for one in found["EndpointConfigs"]] == ["x-1", "x-2"]


def test_a_deleted_configuration_is_gone(shop: Stage) -> None:
    shop.config("a")
    shop.sagemaker.delete_endpoint_config(EndpointConfigName="a")
    absent = ("ValidationException", f'Could not find endpoint configuration "{ARN}/a".')
    assert refused(shop.sagemaker.describe_endpoint_config, EndpointConfigName="a") == absent
    assert refused(shop.sagemaker.delete_endpoint_config, EndpointConfigName="a") == absent
    assert refused(shop.sagemaker.create_endpoint, EndpointName="a", EndpointConfigName="a") == absent


def test_a_name_is_taken_once(shop: Stage) -> None:
    shop.config("a")
    assert refused(shop.config, name="a") == (
        "ValidationException",
        f'Cannot create already existing endpoint configuration "{ARN}/a".',
    )


def test_the_model_has_to_stand(stage: Stage) -> None:
    model_arn = ARN.replace("endpoint-config", "model")
    assert refused(stage.config, name="none") == ("ValidationException", f'Could not find model "{model_arn}/none".')


@pytest.mark.parametrize(
    ("variants", "more", "message"),
    [
        ([variant("a"), variant("a")], {}, "must be unique"),
        ([bare()], {}, "either InstanceType and InitialInstanceCount or a ServerlessConfig"),
        ([bare(InstanceType="ml.m5.large")], {}, "either InstanceType and InitialInstanceCount"),
        ([variant("a", ServerlessConfig=SERVERLESS)], {}, "cannot have a ServerlessConfig and instances"),
        ([bare(ServerlessConfig={**SERVERLESS, "MemorySizeInMB": 1500})], {}, "must be a multiple of 1024"),
        ([bare(ServerlessConfig={**SERVERLESS, "ProvisionedConcurrency": 6})], {}, "must not be greater than"),
        ([bare(ServerlessConfig=SERVERLESS), variant("a", "two")], {}, "only one production variant"),
        (
            [bare(ServerlessConfig=SERVERLESS)],
            {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://models/out"}}},
            "cannot have AsyncInferenceConfig",
        ),
        ([variant("a")], {"ShadowProductionVariants": [variant("a", "shadow")]}, "ShadowProductionVariants"),
        (
            [variant("a", InstanceType="ml.huge")],
            {},
            "failed to satisfy constraint: Member must satisfy enum value set",
        ),
        (
            [{"VariantName": "one", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}],
            {},
            "the variant one needs a ModelName",
        ),
    ],
)
def test_what_makes_no_configuration_is_refused(
    shop: Stage, variants: list[dict[str, Any]], more: dict[str, Any], message: str
) -> None:
    code, found = refused(
        shop.sagemaker.create_endpoint_config, EndpointConfigName="a", ProductionVariants=variants, **more
    )
    assert code == "ValidationException"
    assert message in found
