"""SageMaker's model operations, as boto3 sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local_aws.feature_groups import client
from tests.local_aws.models.models import IMAGE, MODELS, ONCE, ROLE, create_model, put, refused

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

ARN = "arn:aws:sagemaker:us-east-1:123456789012:model"


@pytest.fixture
def sagemaker(local_aws: LocalAws) -> Any:
    return client(local_aws, "sagemaker", config=ONCE)


@pytest.fixture
def s3(local_aws: LocalAws) -> Any:
    made = local_aws.client("s3")
    made.create_bucket(Bucket=MODELS)
    return made


def test_a_model_is_described_as_it_was_created(sagemaker: Any, s3: Any) -> None:
    uri = put(s3, "a.tar.gz", b"x")
    asked = {
        "ModelName": "delay",
        "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": uri, "Environment": {"THRESHOLD": "0.5"}},
        "ExecutionRoleArn": ROLE,
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "EnableNetworkIsolation": True,
        "Tags": [{"Key": "team", "Value": "flights"}],
    }
    assert sagemaker.create_model(**asked)["ModelArn"] == f"{ARN}/delay"
    found = sagemaker.describe_model(ModelName="delay")
    assert found["PrimaryContainer"] == {"Mode": "SingleModel", **asked["PrimaryContainer"]}
    for member in ("ModelName", "ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation"):
        assert found[member] == asked[member]
    assert sagemaker.list_tags(ResourceArn=f"{ARN}/delay")["Tags"] == asked["Tags"]


def test_models_are_listed_by_name_and_page(sagemaker: Any, s3: Any) -> None:
    for name in ("delay-1", "delay-2", "price"):
        create_model(sagemaker, s3, name)
    page = sagemaker.list_models(SortBy="Name", SortOrder="Ascending", NameContains="delay", MaxResults=1)
    assert [one["ModelName"] for one in page["Models"]] == ["delay-1"]
    page = sagemaker.list_models(
        SortBy="Name", SortOrder="Ascending", NameContains="delay", MaxResults=1, NextToken=page["NextToken"]
    )
    assert [one["ModelName"] for one in page["Models"]] == ["delay-2"]
    assert "NextToken" not in page
    assert {one["ModelArn"] for one in sagemaker.list_models()["Models"]} >= {f"{ARN}/price"}


def test_a_deleted_model_is_gone(sagemaker: Any, s3: Any) -> None:
    create_model(sagemaker, s3)
    sagemaker.delete_model(ModelName="double")
    absent = ("ValidationException", f'Could not find model "{ARN}/double".')
    assert refused(sagemaker.describe_model, ModelName="double") == absent
    assert refused(sagemaker.delete_model, ModelName="double") == absent
    assert sagemaker.list_models()["Models"] == []


def test_a_name_is_taken_once(sagemaker: Any, s3: Any) -> None:
    create_model(sagemaker, s3)
    assert refused(
        sagemaker.create_model, ModelName="double", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE
    ) == ("ValidationException", f'Cannot create already existing model "{ARN}/double".')


def test_model_data_has_to_be_in_s3(sagemaker: Any, s3: Any) -> None:
    for uri in (f"s3://{MODELS}/none.tar.gz", "s3://no-such-bucket/a.tar.gz"):
        container = {"Image": IMAGE, "ModelDataUrl": uri}
        assert refused(sagemaker.create_model, ModelName="a", PrimaryContainer=container) == (
            "ValidationException",
            f"Could not find model data at {uri}.",
        )
    put(s3, "folder/weights.bin", b"x")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "CompressionType": "None", "S3Uri": f"s3://{MODELS}/folder/"}}
    sagemaker.create_model(ModelName="a", PrimaryContainer={"Image": IMAGE, "ModelDataSource": source})
    assert sagemaker.describe_model(ModelName="a")["PrimaryContainer"]["ModelDataSource"] == source


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "either PrimaryContainer or Containers"),
        ({"PrimaryContainer": {"Image": IMAGE}, "Containers": [{"Image": IMAGE}]}, "and not both"),
        ({"PrimaryContainer": {}}, "must have either an Image or a ModelPackageName"),
        ({"PrimaryContainer": {"ModelPackageName": "none/1"}}, r"ModelPackage arn:\S+/none/1 does not exist"),
        ({"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}}, "does not serve containers of mode MultiModel"),
        ({"Containers": [{"Image": IMAGE, "ContainerHostname": "a"}] * 2}, "must be unique"),
        ({"PrimaryContainer": {"Image": IMAGE}, "ExecutionRoleArn": "admin-role-for-everyone"}, "regular expression"),
    ],
)
def test_what_makes_no_model_is_refused(sagemaker: Any, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(sagemaker.exceptions.ClientError, match=message) as raised:
        sagemaker.create_model(ModelName="a", **asked)
    assert raised.value.response["Error"]["Code"] == "ValidationException"
