"""What AWS does not take: each limit and rule of feature groups, with the error that it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_aws.feature_groups import FEATURES, OFFLINE, ONLINE, client, online_only, request

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

IN_MEMORY = {**ONLINE, "StorageType": "InMemory"}
PROVISIONED = {"ThroughputMode": "Provisioned", "ProvisionedReadCapacityUnits": 1, "ProvisionedWriteCapacityUnits": 1}


@pytest.fixture
def unchecked(local_aws: LocalAws) -> Any:
    """A client that sends what boto3 itself would refuse."""
    return client(local_aws, "sagemaker", config=Config(parameter_validation=False, retries={"total_max_attempts": 1}))


def feature(name: str = "extra", kind: str = "String", **more: Any) -> dict[str, Any]:
    return {"FeatureName": name, "FeatureType": kind, **more}


def plus(*more: dict[str, Any]) -> list[dict[str, Any]]:
    return [*FEATURES, *more]


VECTOR: dict[str, Any] = {"CollectionType": "Vector", "CollectionConfig": {"VectorConfig": {"Dimension": 3}}}

BROKEN_CONSTRAINTS: dict[str, tuple[dict[str, Any], str]] = {
    "a name with a space": (
        request("my weather"),
        "1 validation error detected: Value 'my weather' at 'featureGroupName' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: [a-zA-Z0-9]([_-]*[a-zA-Z0-9]){0,63}",
    ),
    "a name that ends in a hyphen": (request("weather-"), "at 'featureGroupName' failed to satisfy constraint"),
    "a long name": (request("w" * 65), "Member must have length less than or equal to 64"),
    "no name": (request(FeatureGroupName=None), "Value null at 'featureGroupName' failed to satisfy constraint"),
    "no features": (request(FeatureDefinitions=[]), "Member must have length greater than or equal to 1"),
    "2,501 features": (
        request(FeatureDefinitions=plus(*(feature(f"feature{number}") for number in range(2497)))),
        "at 'featureDefinitions' failed to satisfy constraint: Member must have length less than or equal to 2500",
    ),
    "an unknown type": (
        request(FeatureDefinitions=plus(feature(kind="Boolean"))),
        "Value 'Boolean' at 'featureDefinitions.5.member.featureType' failed to satisfy constraint: Member must "
        "satisfy enum value set: [Integral, Fractional, String]",
    ),
    "a feature's bad name": (
        request(FeatureDefinitions=plus(feature("_extra"))),
        "Value '_extra' at 'featureDefinitions.5.member.featureName'",
    ),
    "a role that is none": (request(RoleArn="arn:aws:iam::1:user/me"), "at 'roleArn' failed to satisfy constraint"),
    "a URI that is none": (
        request(OfflineStoreConfig={"S3StorageConfig": {"S3Uri": "features/store"}}),
        "at 'offlineStoreConfig.s3StorageConfig.s3Uri' failed to satisfy constraint",
    ),
    "two mistakes": (
        request("my weather", Description="d" * 129),
        "2 validation errors detected: Value 'my weather' at 'featureGroupName'",
    ),
    "a dimension too high": (
        online_only(
            OnlineStoreConfig=IN_MEMORY,
            FeatureDefinitions=plus(
                feature(
                    kind="Fractional", CollectionType="Vector", CollectionConfig={"VectorConfig": {"Dimension": 8193}}
                )
            ),
        ),
        "Member must have value less than or equal to 8192",
    ),
    "51 tags": (
        request(Tags=[{"Key": f"key{number}", "Value": ""} for number in range(51)]),
        "at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
    ),
}


@pytest.mark.parametrize("case", BROKEN_CONSTRAINTS)
def test_a_request_that_breaks_a_constraint_of_the_model_is_refused(unchecked: Any, case: str) -> None:
    asked, message = BROKEN_CONSTRAINTS[case]
    with pytest.raises(ClientError) as raised:
        unchecked.create_feature_group(**asked)
    error = raised.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert message in error["Message"]


def test_a_value_of_another_type_is_no_request_at_all(unchecked: Any) -> None:
    with pytest.raises(ClientError) as raised:
        unchecked.create_feature_group(**request(Description=5))
    assert raised.value.response["Error"]["Code"] == "SerializationException"


BROKEN_RULES: dict[str, tuple[dict[str, Any], str]] = {
    "no store": (online_only(OnlineStoreConfig=None), "At least one of OnlineStoreConfig and OfflineStoreConfig"),
    "an online store switched off": (online_only(OnlineStoreConfig={"EnableOnlineStore": False}), "At least one of"),
    "no role": (request(RoleArn=None), "RoleArn is required"),
    "a bucket by https": (
        request(OfflineStoreConfig={"S3StorageConfig": {"S3Uri": "https://features/store"}}),
        "must be of the form s3://bucket/prefix",
    ),
    "a name twice": (request(FeatureDefinitions=plus(feature("delay"))), "stand more than once: delay"),
    "a reserved name": (request(FeatureDefinitions=plus(feature("write_time"))), "reserved word: write_time"),
    "an identifier that is no feature": (
        request(RecordIdentifierFeatureName="airport"),
        "RecordIdentifierFeatureName airport is not one of the FeatureDefinitions",
    ),
    "an event time that is no feature": (
        request(EventTimeFeatureName="time"),
        "EventTimeFeatureName time is not one of the FeatureDefinitions",
    ),
    "an event time that is an Integral": (request(EventTimeFeatureName="seats"), "must be String or Fractional"),
    "one feature for both": (request(EventTimeFeatureName="id"), "must be different features"),
    "Iceberg without a table": (
        request(OfflineStoreConfig={**OFFLINE, "TableFormat": "Iceberg", "DisableGlueTableCreation": True}),
        "Iceberg needs DisableGlueTableCreation to be False",
    ),
    "Iceberg by seconds": (
        request(EventTimeFeatureName="delay", OfflineStoreConfig={**OFFLINE, "TableFormat": "Iceberg"}),
        "Iceberg needs an EventTimeFeatureName of FeatureType String",
    ),
    "a list outside memory": (
        request(FeatureDefinitions=plus(feature(CollectionType="List"))),
        "only the InMemory online store supports collection types",
    ),
    "a vector of texts": (
        online_only(OnlineStoreConfig=IN_MEMORY, FeatureDefinitions=plus(feature(**VECTOR))),
        "FeatureType of a Vector must be Fractional",
    ),
    "a vector without a dimension": (
        online_only(
            OnlineStoreConfig=IN_MEMORY,
            FeatureDefinitions=plus(feature(kind="Fractional", CollectionType="Vector")),
        ),
        "needs a VectorConfig with a Dimension",
    ),
    "two vectors": (
        online_only(
            OnlineStoreConfig=IN_MEMORY,
            FeatureDefinitions=plus(*(feature(name, "Fractional", **VECTOR) for name in ("a", "b"))),
        ),
        "one feature of CollectionType Vector",
    ),
    "a set with a dimension": (
        online_only(
            OnlineStoreConfig=IN_MEMORY, FeatureDefinitions=plus(feature(**{**VECTOR, "CollectionType": "Set"}))
        ),
        "has a VectorConfig but its CollectionType is Set",
    ),
    "a dimension without a vector": (
        request(FeatureDefinitions=plus(feature(CollectionConfig=VECTOR["CollectionConfig"]))),
        "its CollectionType is not Vector",
    ),
    "half a time to live": (
        online_only(OnlineStoreConfig={**ONLINE, "TtlDuration": {"Unit": "Hours"}}),
        "TtlDuration needs both Unit and Value",
    ),
    "provisioned memory": (
        online_only(OnlineStoreConfig=IN_MEMORY, ThroughputConfig=PROVISIONED),
        "Provisioned needs the Standard online store",
    ),
    "provisioned without units": (
        online_only(ThroughputConfig={"ThroughputMode": "Provisioned"}),
        "needs ProvisionedWriteCapacityUnits",
    ),
    "on demand with units": (
        online_only(ThroughputConfig={**PROVISIONED, "ThroughputMode": "OnDemand"}),
        "cannot be specified with ThroughputMode OnDemand",
    ),
    "a tag twice": (
        request(Tags=[{"Key": "owner", "Value": value} for value in "ab"]),
        "Tag keys stand more than once",
    ),
}


@pytest.mark.parametrize("case", BROKEN_RULES)
def test_a_request_that_contradicts_itself_is_refused(sagemaker: Any, case: str) -> None:
    asked, message = BROKEN_RULES[case]
    with pytest.raises(ClientError) as raised:
        sagemaker.create_feature_group(**asked)
    error = raised.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert message in error["Message"]
    assert sagemaker.list_feature_groups()["FeatureGroupSummaries"] == []


def test_capacity_has_a_limit(sagemaker: Any) -> None:
    too_much = {**PROVISIONED, "ProvisionedWriteCapacityUnits": 40_001}
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded, match="40000"):
        sagemaker.create_feature_group(**online_only(ThroughputConfig=too_much))


TAKEN: dict[str, dict[str, Any]] = {
    "2,500 features": request(FeatureDefinitions=plus(*(feature(f"feature{number}") for number in range(2496)))),
    "an event time in seconds": request(EventTimeFeatureName="delay"),
    "offline only": request(OnlineStoreConfig=None),
    "no table": request(OfflineStoreConfig={**OFFLINE, "DisableGlueTableCreation": True}),
    "Iceberg": request(OfflineStoreConfig={**OFFLINE, "TableFormat": "Iceberg"}),
    "offline, provisioned": request(
        OnlineStoreConfig=None,
        ThroughputConfig={"ThroughputMode": "Provisioned", "ProvisionedWriteCapacityUnits": 1},
    ),
    "collections in memory": online_only(
        OnlineStoreConfig=IN_MEMORY,
        FeatureDefinitions=plus(
            feature("tags", CollectionType="Set"),
            feature("history", "Integral", CollectionType="List"),
            feature("embedding", "Fractional", **VECTOR),
        ),
    ),
    "a table of one's own": request(
        OfflineStoreConfig={
            **OFFLINE,
            "DataCatalogConfig": {"TableName": "Wetter 🌦", "Catalog": "AwsDataCatalog", "Database": "mine"},
        }
    ),
}


@pytest.mark.parametrize("case", TAKEN)
def test_what_aws_takes_is_taken(sagemaker: Any, case: str) -> None:
    sagemaker.create_feature_group(**TAKEN[case])
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert found["FeatureGroupStatus"] == "Created"
    assert found["FeatureDefinitions"] == TAKEN[case]["FeatureDefinitions"]


def test_an_update_is_checked(sagemaker: Any) -> None:
    sagemaker.create_feature_group(**request(OnlineStoreConfig=None))

    def refused(match: str, **change: Any) -> None:
        with pytest.raises(ClientError, match=match):
            sagemaker.update_feature_group(FeatureGroupName="weather", **change)

    refused("Exactly one of")
    refused("Exactly one of", FeatureAdditions=[feature()], ThroughputConfig={"ThroughputMode": "OnDemand"})
    refused("stand more than once", FeatureAdditions=[feature("delay")])
    refused("no online store", OnlineStoreConfig={"TtlDuration": {"Unit": "Hours", "Value": 1}})


def test_an_update_cannot_exceed_2500_features(sagemaker: Any) -> None:
    sagemaker.create_feature_group(**TAKEN["2,500 features"])
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded, match="2500"):
        sagemaker.update_feature_group(FeatureGroupName="weather", FeatureAdditions=[feature()])


def test_an_update_adds_at_most_100_features_at_a_time(unchecked: Any) -> None:
    unchecked.create_feature_group(**online_only())
    additions = [feature(f"feature{number}") for number in range(101)]
    with pytest.raises(ClientError, match="less than or equal to 100"):
        unchecked.update_feature_group(FeatureGroupName="weather", FeatureAdditions=additions)
