"""Model packages: versions of a group, and those that stand alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.local_aws.model_packages.packages import BUCKET, GROUP, MODEL, alone, specification, version
from tests.local_aws.server import LocalAws

if TYPE_CHECKING:
    from pathlib import Path

BASE = "arn:aws:sagemaker:us-east-1:123456789012:model-package"


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    found: str = raised.value.response["Error"]["Code"]
    return found


def test_versions_count_up_and_are_never_used_again(sagemaker: Any, group: str) -> None:
    made = [sagemaker.create_model_package(**version())["ModelPackageArn"] for _ in range(2)]
    assert made == [f"{BASE}/{GROUP}/1", f"{BASE}/{GROUP}/2"]
    sagemaker.delete_model_package(ModelPackageName=made[1])
    assert sagemaker.create_model_package(**version())["ModelPackageArn"] == f"{BASE}/{GROUP}/3"
    with pytest.raises(ClientError, match=f"ModelPackage {BASE}/{GROUP}/2 does not exist") as raised:
        sagemaker.describe_model_package(ModelPackageName=made[1])
    assert code(raised) == "ValidationException"


def test_everything_that_was_registered_is_described(sagemaker: Any, group: str) -> None:
    asked = version(
        ModelPackageDescription="Delays of 2013",
        ModelApprovalStatus="Rejected",
        MetadataProperties={"CommitId": "abc", "GeneratedBy": "flights_training"},
        ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/q"}}},
        CustomerMetadataProperties={"manifest": f"s3://{BUCKET}/manifest.json", "rows": "10"},
        DriftCheckBaselines={
            "ModelDataQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/s"}}
        },
        Domain="MACHINE_LEARNING",
        Task="REGRESSION",
        SamplePayloadUrl=f"s3://{BUCKET}/sample.tar.gz",
        AdditionalInferenceSpecifications=[{"Name": "small", **specification()}],
        SkipModelValidation="None",
        ModelCard={"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
        ModelLifeCycle={"Stage": "Development", "StageStatus": "InProgress"},
    )
    arn = sagemaker.create_model_package(**asked)["ModelPackageArn"]
    found = sagemaker.describe_model_package(ModelPackageName=arn)
    specified = found.pop("InferenceSpecification")
    assert specified["Containers"][0].pop("ModelDataETag")
    assert specified == asked.pop("InferenceSpecification")
    assert asked.items() <= found.items()
    assert (found["ModelPackageGroupName"], found["ModelPackageVersion"], found["ModelPackageArn"]) == (GROUP, 1, arn)
    assert "ModelPackageName" not in found
    assert found["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert "LastModifiedTime" not in found
    brief = sagemaker.describe_model_package(ModelPackageName=arn, IncludedData="MetadataOnly")
    assert brief["ModelCard"] == {"ModelCardStatus": "Draft"}


def test_a_version_waits_for_approval_unless_told_otherwise(sagemaker: Any, group: str) -> None:
    arn = sagemaker.create_model_package(**version(ModelPackageGroupName=group))["ModelPackageArn"]
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "PendingManualApproval"


def test_statuses_follow_the_clock(local_aws: LocalAws, sagemaker: Any, group: str) -> None:
    local_aws.settings(model_package_seconds=100, model_package_delete_seconds=100)
    arn = sagemaker.create_model_package(
        **version(
            ValidationSpecification={
                "ValidationRole": "arn:aws:iam::123456789012:role/validation",
                "ValidationProfiles": [
                    {
                        "ProfileName": "smoke",
                        "TransformJobDefinition": {
                            "TransformInput": {
                                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in"}}
                            },
                            "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out"},
                            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
                        },
                    }
                ],
            }
        )
    )["ModelPackageArn"]

    def state() -> tuple[str, str]:
        found = sagemaker.describe_model_package(ModelPackageName=arn)
        return found["ModelPackageStatus"], found["ModelPackageStatusDetails"]["ValidationStatuses"][0]["Status"]

    assert state() == ("Pending", "NotStarted")
    local_aws.advance(60)
    assert state() == ("InProgress", "InProgress")
    local_aws.advance(60)
    assert state() == ("Completed", "Completed")
    sagemaker.delete_model_package(ModelPackageName=arn)
    assert state()[0] == "Deleting"
    with pytest.raises(ClientError, match="is being deleted") as raised:
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    assert code(raised) == "ConflictException"
    local_aws.advance(101)
    with pytest.raises(ClientError, match="does not exist"):
        state()


def test_a_package_fails_without_its_model_data(sagemaker: Any, group: str) -> None:
    missing = f"s3://{BUCKET}/absent/model.tar.gz"
    source = {"S3DataSource": {"S3Uri": f"s3://{BUCKET}/nothing/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
    folder = {"Containers": [{"Image": "image", "ModelDataSource": source}]}
    for asked, uri in ((specification(missing), missing), (folder, f"s3://{BUCKET}/nothing/")):
        arn = sagemaker.create_model_package(**version(InferenceSpecification=asked))["ModelPackageArn"]
        found = sagemaker.describe_model_package(ModelPackageName=arn)
        assert found["ModelPackageStatus"] == "Failed"
        [line] = found["ModelPackageStatusDetails"]["ValidationStatuses"]
        assert (line["Status"], line["FailureReason"]) == ("Failed", f"Could not find model data at {uri}.")
    unchecked = version(InferenceSpecification=specification(missing), SkipModelValidation="All")
    arn = sagemaker.create_model_package(**unchecked)["ModelPackageArn"]
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelPackageStatus"] == "Completed"


def test_a_package_fails_on_demand(local_aws: LocalAws, sagemaker: Any, group: str) -> None:
    local_aws.fault(kind="fail_creation", resource="model-package", name="delay/.*", reason="The scan found a virus")
    arns = [sagemaker.create_model_package(**version())["ModelPackageArn"] for _ in range(2)]
    first, second = (sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns)
    assert first["ModelPackageStatusDetails"]["ValidationStatuses"][0]["FailureReason"] == "The scan found a virus"
    assert (first["ModelPackageStatus"], second["ModelPackageStatus"]) == ("Failed", "Completed")


def test_a_package_stands_alone(sagemaker: Any, model_data: Any) -> None:
    tags = [{"Key": "team", "Value": "flights"}]
    arn = sagemaker.create_model_package(**alone(Tags=tags, CertifyForMarketplace=True))["ModelPackageArn"]
    assert arn == f"{BASE}/lonely"
    found = sagemaker.describe_model_package(ModelPackageName="lonely")
    assert (found["ModelPackageName"], found["CertifyForMarketplace"]) == ("lonely", True)
    assert not {"ModelPackageVersion", "ModelPackageGroupName", "ModelApprovalStatus"} & found.keys()
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    with pytest.raises(ClientError, match="already exists") as raised:
        sagemaker.create_model_package(**alone())
    assert code(raised) == "ConflictException"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (version(ModelPackageName="both"), "Both ModelPackageName and ModelPackageGroupName"),
        (version(ModelPackageGroupName=None), "Missing ARN"),
        (version(ModelPackageGroupName="absent"), "model-package-group/absent does not exist"),
        (version(Tags=[{"Key": "a", "Value": "b"}]), "uses the tags of its group"),
        (version(CertifyForMarketplace=True), "does not apply to versioned"),
        (alone(ModelApprovalStatus="Approved"), "does not apply to unversioned"),
        (version(InferenceSpecification=None), "One of InferenceSpecification"),
    ],
)
def test_a_creation_that_cannot_be_is_refused(sagemaker: Any, group: str, asked: Any, message: str) -> None:
    with pytest.raises(ClientError, match=message) as raised:
        sagemaker.create_model_package(**asked)
    assert code(raised) == "ValidationException"
    assert sagemaker.list_model_packages(ModelPackageType="Both")["ModelPackageSummaryList"] == []


def test_the_same_token_makes_one_package(sagemaker: Any, group: str) -> None:
    first = sagemaker.create_model_package(**version(ClientToken="once"))
    again = sagemaker.create_model_package(**version(ClientToken="once"))
    assert first["ModelPackageArn"] == again["ModelPackageArn"]
    with pytest.raises(ClientError, match="used for another request") as raised:
        sagemaker.create_model_package(**version(ClientToken="once", ModelPackageDescription="other"))
    assert code(raised) == "ConflictException"


def test_boto3s_own_retry_after_a_lost_reply_makes_one_version(local_aws: LocalAws, group: str) -> None:
    local_aws.fault(kind="lost_reply", operation="CreateModelPackage")
    sagemaker = local_aws.client("sagemaker")
    assert sagemaker.create_model_package(**version())["ModelPackageArn"] == f"{BASE}/{GROUP}/1"
    assert local_aws.stats()["CreateModelPackage"] == 2
    assert len(sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]) == 1


def test_a_version_is_approved_with_a_description(local_aws: LocalAws, sagemaker: Any, group: str) -> None:
    arn = sagemaker.create_model_package(**version())["ModelPackageArn"]
    local_aws.advance(10)
    answer = sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="Beats the champion"
    )
    assert answer["ModelPackageArn"] == arn
    found = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (found["ModelApprovalStatus"], found["ApprovalDescription"]) == ("Approved", "Beats the champion")
    assert found["LastModifiedTime"] > found["CreationTime"]


def test_metadata_is_added_replaced_and_removed(sagemaker: Any, group: str) -> None:
    properties = {f"key{number}": "old" for number in range(50)}
    arn = sagemaker.create_model_package(**version(CustomerMetadataProperties=properties))["ModelPackageArn"]
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"key0": "new", "more": "yes"},
        CustomerMetadataPropertiesToRemove=["key49", "absent"],
        ModelLifeCycle={"Stage": "Production", "StageStatus": "Active"},
        AdditionalInferenceSpecificationsToAdd=[{"Name": "small", **specification()}],
    )
    found = sagemaker.describe_model_package(ModelPackageName=arn)
    assert len(found["CustomerMetadataProperties"]) == 50
    assert (found["CustomerMetadataProperties"]["key0"], found["CustomerMetadataProperties"]["more"]) == ("new", "yes")
    assert found["ModelLifeCycle"] == {"Stage": "Production", "StageStatus": "Active"}
    assert [one["Name"] for one in found["AdditionalInferenceSpecifications"]] == ["small"]
    with pytest.raises(ClientError, match="at most 50"):
        sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"one-too-many": "x"})
    with pytest.raises(ClientError, match="already exist"):
        sagemaker.update_model_package(
            ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=[{"Name": "small", **specification()}]
        )
    sagemaker.update_model_package(
        ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=list(found["CustomerMetadataProperties"])
    )
    assert "CustomerMetadataProperties" not in sagemaker.describe_model_package(ModelPackageName=arn)


def test_an_update_that_cannot_be_is_refused(sagemaker: Any, model_data: Any) -> None:
    arn = sagemaker.create_model_package(**alone())["ModelPackageArn"]
    with pytest.raises(ClientError, match="does not apply to unversioned"):
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.update_model_package(ModelPackageArn=f"{BASE}/absent/1", ModelApprovalStatus="Approved")
    with pytest.raises(ClientError, match="ARN should be scoped to correct region: us-east-1"):
        sagemaker.describe_model_package(ModelPackageName=arn.replace("us-east-1", "eu-west-1"))


def test_packages_are_listed_oldest_first(sagemaker: Any, group: str) -> None:
    for number in range(11):
        status = "Approved" if number % 5 == 0 else "Rejected"
        sagemaker.create_model_package(**version(ModelApprovalStatus=status))
    sagemaker.create_model_package(**alone())

    def listed(**asked: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_model_packages").paginate(**asked)
        arns = [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]
        return [arn.removeprefix(f"{BASE}/") for arn in arns]

    versions = [f"{GROUP}/{number}" for number in range(1, 12)]
    assert listed(ModelPackageGroupName=GROUP, MaxResults=4) == versions
    assert listed(ModelPackageGroupName=GROUP, SortBy="Name", SortOrder="Descending") == versions[::-1]
    assert listed(ModelPackageGroupName=GROUP, ModelApprovalStatus="Approved") == [
        versions[0],
        versions[5],
        versions[10],
    ]
    assert listed() == ["lonely"]
    assert listed(ModelPackageType="Versioned") == versions
    assert listed(ModelPackageType="Both", NameContains="lone") == ["lonely"]
    with pytest.raises(ClientError, match="does not exist"):
        listed(ModelPackageGroupName="absent")


def test_versions_are_described_in_a_batch(sagemaker: Any, group: str, model_data: Any) -> None:
    arn = sagemaker.create_model_package(**version())["ModelPackageArn"]
    unversioned = sagemaker.create_model_package(**alone())["ModelPackageArn"]
    answer = sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, unversioned, f"{BASE}/absent/1"])
    assert answer["ModelPackageSummaries"][arn]["ModelPackageVersion"] == 1
    assert answer["BatchDescribeModelPackageErrorMap"].keys() == {unversioned, f"{BASE}/absent/1"}
    assert answer["BatchDescribeModelPackageErrorMap"][f"{BASE}/absent/1"]["ErrorCode"] == "ValidationException"


def test_a_version_has_the_tags_of_its_group(sagemaker: Any, group: str) -> None:
    arn = sagemaker.create_model_package(**version())["ModelPackageArn"]
    sagemaker.add_tags(ResourceArn=group, Tags=[{"Key": "team", "Value": "flights"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "flights"}]


def test_a_new_version_is_not_seen_at_once(local_aws: LocalAws, sagemaker: Any, group: str) -> None:
    local_aws.settings(resource_visible_seconds=30)
    arn = sagemaker.create_model_package(**version())["ModelPackageArn"]
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package(ModelPackageName=arn)
    assert sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"] == []
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    local_aws.advance(31)
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "Approved"


def test_a_version_is_hidden_from_as_many_reads_as_ordered(local_aws: LocalAws, sagemaker: Any, group: str) -> None:
    arn = sagemaker.create_model_package(**version())["ModelPackageArn"]
    local_aws.fault(kind="hidden", resource="model-package", name="delay/1", count=2)
    sagemaker.describe_model_package_group(ModelPackageGroupName=GROUP)
    for _ in range(2):
        with pytest.raises(ClientError, match=f"ModelPackage {arn} does not exist"):
            sagemaker.describe_model_package(ModelPackageName=arn)
    sagemaker.describe_model_package(ModelPackageName=arn)


def test_packages_survive_a_restart(tmp_path: Path) -> None:
    with LocalAws.started("--state", str(tmp_path), model_package_seconds=1000.0) as server:
        sagemaker = server.client("sagemaker")
        s3 = server.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key=MODEL.removeprefix(f"s3://{BUCKET}/"), Body=b"model")
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        arn = sagemaker.create_model_package(**version(ClientToken="once"))["ModelPackageArn"]
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
        server.process.kill()
        server.process.wait(timeout=20)
    with LocalAws.started("--state", str(tmp_path)) as server:
        sagemaker = server.client("sagemaker")
        found = sagemaker.describe_model_package(ModelPackageName=arn)
        assert (found["ModelPackageStatus"], found["ModelApprovalStatus"]) == ("Pending", "Approved")
        assert sagemaker.create_model_package(**version(ClientToken="once"))["ModelPackageArn"] == arn
        assert sagemaker.create_model_package(**version())["ModelPackageArn"] == f"{BASE}/{GROUP}/2"


def test_a_cut_reply_without_a_retry_is_adopted_by_the_same_token(
    local_aws: LocalAws, sagemaker: Any, group: str
) -> None:
    local_aws.fault(kind="lost_reply", operation="CreateModelPackage")
    with pytest.raises(ConnectionClosedError):
        sagemaker.create_model_package(**version(ClientToken="mine"))
    assert sagemaker.create_model_package(**version(ClientToken="mine"))["ModelPackageArn"] == f"{BASE}/{GROUP}/1"
