"""Model package groups and their policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.model_packages.packages import GROUP, version

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


def test_a_group_is_described_by_name_and_by_arn(sagemaker: Any) -> None:
    arn = sagemaker.create_model_package_group(
        ModelPackageGroupName=GROUP, ModelPackageGroupDescription="Delays", Tags=[{"Key": "team", "Value": "flights"}]
    )["ModelPackageGroupArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:123456789012:model-package-group/{GROUP}"
    for name in (GROUP, arn):
        found = sagemaker.describe_model_package_group(ModelPackageGroupName=name)
        assert (found["ModelPackageGroupName"], found["ModelPackageGroupArn"]) == (GROUP, arn)
        assert (found["ModelPackageGroupStatus"], found["ModelPackageGroupDescription"]) == ("Completed", "Delays")
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "flights"}]


def test_a_group_that_stands_is_not_created_again(sagemaker: Any, group: str) -> None:
    with pytest.raises(ClientError, match=f"Model Package Group already exists: {group}") as raised:
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    assert raised.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    "call", ["describe_model_package_group", "delete_model_package_group", "get_model_package_group_policy"]
)
def test_a_group_that_is_not_there_is_named(sagemaker: Any, call: str) -> None:
    with pytest.raises(ClientError, match="model-package-group/absent does not exist") as raised:
        getattr(sagemaker, call)(ModelPackageGroupName="absent")
    assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_groups_are_listed_in_the_order_of_their_creation(sagemaker: Any) -> None:
    for name in ("delay", "weather", "delay-2"):
        sagemaker.create_model_package_group(ModelPackageGroupName=name)

    def names(**asked: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_model_package_groups").paginate(**asked)
        return [one["ModelPackageGroupName"] for page in pages for one in page["ModelPackageGroupSummaryList"]]

    assert names(MaxResults=1) == ["delay", "weather", "delay-2"]
    assert names(SortBy="Name", SortOrder="Descending") == ["weather", "delay-2", "delay"]
    assert names(NameContains="delay") == ["delay", "delay-2"]
    assert names(CrossAccountFilterOption="CrossAccount") == []


def test_a_group_with_versions_is_not_deleted(local_aws: LocalAws, sagemaker: Any, group: str) -> None:
    arn = sagemaker.create_model_package(**version())["ModelPackageArn"]
    with pytest.raises(ClientError, match="still contains Model Packages") as raised:
        sagemaker.delete_model_package_group(ModelPackageGroupName=GROUP)
    assert raised.value.response["Error"]["Code"] == "ConflictException"
    local_aws.settings(model_package_delete_seconds=60)
    sagemaker.delete_model_package(ModelPackageName=arn)
    with pytest.raises(ClientError, match="still contains Model Packages"):
        sagemaker.delete_model_package_group(ModelPackageGroupName=GROUP)
    local_aws.advance(61)
    sagemaker.delete_model_package_group(ModelPackageGroupName=GROUP)
    assert sagemaker.describe_model_package_group(ModelPackageGroupName=GROUP)["ModelPackageGroupStatus"] == "Deleting"
    local_aws.advance(61)
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)


def test_a_group_fails_to_be_created_and_to_be_deleted_on_demand(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.fault(kind="fail_creation", resource="model-package-group", name="broken")
    local_aws.fault(kind="fail_deletion", resource="model-package-group", name="sticky")
    for name in ("broken", "sticky"):
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
    sagemaker.delete_model_package_group(ModelPackageGroupName="sticky")
    statuses = {
        one["ModelPackageGroupName"]: one["ModelPackageGroupStatus"]
        for one in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    }
    assert statuses == {"broken": "Failed", "sticky": "DeleteFailed"}


def test_a_group_takes_its_time_when_told_so(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.settings(model_package_group_seconds=100)
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    statuses = []
    for _ in range(3):
        found = sagemaker.describe_model_package_group(ModelPackageGroupName=GROUP)
        statuses.append(found["ModelPackageGroupStatus"])
        local_aws.advance(60)
    assert statuses == ["Pending", "InProgress", "Completed"]


def test_a_policy_is_put_read_and_deleted(sagemaker: Any, group: str) -> None:
    assert (
        sagemaker.put_model_package_group_policy(ModelPackageGroupName=GROUP, ResourcePolicy=POLICY)[
            "ModelPackageGroupArn"
        ]
        == group
    )
    assert sagemaker.get_model_package_group_policy(ModelPackageGroupName=GROUP)["ResourcePolicy"] == POLICY
    sagemaker.delete_model_package_group_policy(ModelPackageGroupName=GROUP)
    for call in (sagemaker.get_model_package_group_policy, sagemaker.delete_model_package_group_policy):
        with pytest.raises(ClientError, match="Cannot find Model Package Group policy"):
            call(ModelPackageGroupName=GROUP)
    with pytest.raises(ClientError, match="not a valid policy document"):
        sagemaker.put_model_package_group_policy(ModelPackageGroupName=GROUP, ResourcePolicy="all")
