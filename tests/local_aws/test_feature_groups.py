"""Feature groups from creation to deletion, by an unmodified boto3 over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.feature_groups import FEATURES, OFFLINE, ONLINE, ROLE, online_only, record, request, values

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws


def status(sagemaker: Any, name: str = "weather") -> str:
    found: str = sagemaker.describe_feature_group(FeatureGroupName=name)["FeatureGroupStatus"]
    return found


def refusal(raised: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    return raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]


def test_a_group_is_described_as_it_was_asked_for(sagemaker: Any) -> None:
    asked = request(Description="Weather by airport", Tags=[{"Key": "owner", "Value": "ops"}])
    arn = sagemaker.create_feature_group(**asked)["FeatureGroupArn"]
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert arn == found["FeatureGroupArn"] == "arn:aws:sagemaker:us-east-1:123456789012:feature-group/weather"
    assert found["FeatureDefinitions"] == FEATURES
    assert (found["RecordIdentifierFeatureName"], found["EventTimeFeatureName"]) == ("id", "at")
    assert found["OnlineStoreConfig"] == ONLINE
    assert (found["RoleArn"], found["Description"]) == (ROLE, "Weather by airport")
    created = int(found["CreationTime"].timestamp())
    assert found["OfflineStoreConfig"] == {
        "S3StorageConfig": {
            "S3Uri": "s3://features/store",
            "ResolvedOutputS3Uri": (
                f"s3://features/store/123456789012/sagemaker/us-east-1/offline-store/weather-{created}/data"
            ),
        },
        "DisableGlueTableCreation": False,
        "TableFormat": "Glue",
        "DataCatalogConfig": {
            "TableName": f"weather_{created}",
            "Catalog": "AwsDataCatalog",
            "Database": "sagemaker_featurestore",
        },
    }


def test_an_arn_does_as_well_as_a_name(sagemaker: Any) -> None:
    arn = sagemaker.create_feature_group(**online_only())["FeatureGroupArn"]
    assert sagemaker.describe_feature_group(FeatureGroupName=arn)["FeatureGroupName"] == "weather"


def test_a_group_becomes_created_then_active_then_has_its_table(
    local_aws: LocalAws, sagemaker: Any, runtime: Any, glue: Any, s3: Any
) -> None:
    local_aws.settings(create_seconds=60, offline_active_seconds=60, glue_seconds=60)
    sagemaker.create_feature_group(**request())
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    table = found["OfflineStoreConfig"]["DataCatalogConfig"]["TableName"]
    assert found["FeatureGroupStatus"] == "Creating"
    assert "OfflineStoreStatus" not in found
    with pytest.raises(ClientError, match="Creating"):
        runtime.put_record(FeatureGroupName="weather", Record=record("JFK"))

    local_aws.advance(60)
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert found["FeatureGroupStatus"] == "Created"
    assert "OfflineStoreStatus" not in found
    runtime.put_record(FeatureGroupName="weather", Record=record("JFK"))

    local_aws.advance(60)
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert found["OfflineStoreStatus"] == {"Status": "Active"}
    with pytest.raises(ClientError) as raised:
        glue.get_table(DatabaseName="sagemaker_featurestore", Name=table)
    assert refusal(raised)[0] == "EntityNotFoundException"

    local_aws.advance(60)
    assert glue.get_table(DatabaseName="sagemaker_featurestore", Name=table)["Table"]["Name"] == table


def test_the_in_memory_store_takes_longer_when_told_so(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.settings(create_in_memory_seconds=600)
    sagemaker.create_feature_group(**online_only(OnlineStoreConfig={**ONLINE, "StorageType": "InMemory"}))
    assert status(sagemaker) == "Creating"
    local_aws.advance(600)
    assert status(sagemaker) == "Created"


def test_a_new_group_is_not_found_until_it_is_visible(local_aws: LocalAws, sagemaker: Any, runtime: Any) -> None:
    local_aws.settings(visible_seconds=30)
    sagemaker.create_feature_group(**online_only())
    assert sagemaker.list_feature_groups()["FeatureGroupSummaries"] == []
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_feature_group(FeatureGroupName="weather")
    with pytest.raises(ClientError, match="can't find a FeatureGroup with name weather"):
        runtime.put_record(FeatureGroupName="weather", Record=record("JFK"))
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.create_feature_group(**online_only())
    local_aws.advance(30)
    assert status(sagemaker) == "Created"


def test_a_creation_fails_on_demand_with_its_reason(local_aws: LocalAws, sagemaker: Any, runtime: Any) -> None:
    local_aws.settings(create_seconds=10)
    local_aws.fault(kind="fail_creation", name="wea.*", reason="The role cannot be assumed")
    sagemaker.create_feature_group(**request())
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert (found["FeatureGroupStatus"], "FailureReason" in found) == ("Creating", False)
    local_aws.advance(10)
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert (found["FeatureGroupStatus"], found["FailureReason"]) == ("CreateFailed", "The role cannot be assumed")
    assert "OfflineStoreStatus" not in found
    with pytest.raises(ClientError, match="CreateFailed"):
        runtime.put_record(FeatureGroupName="weather", Record=record("JFK"))
    sagemaker.delete_feature_group(FeatureGroupName="weather")
    sagemaker.create_feature_group(**request())
    local_aws.advance(10)
    assert status(sagemaker) == "Created"


def test_an_offline_store_is_blocked_on_demand_and_keeps_its_rows(
    local_aws: LocalAws, sagemaker: Any, runtime: Any, s3: Any
) -> None:
    sagemaker.create_feature_group(**request())
    local_aws.fault(kind="block_offline", name="weather", reason="Access denied by the bucket")
    runtime.put_record(FeatureGroupName="weather", Record=record("JFK"))
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert found["OfflineStoreStatus"] == {"Status": "Blocked", "BlockedReason": "Access denied by the bucket"}
    summary = sagemaker.list_feature_groups(OfflineStoreStatusEquals="Blocked")["FeatureGroupSummaries"]
    assert [one["FeatureGroupName"] for one in summary] == ["weather"]
    assert "Contents" not in s3.list_objects_v2(Bucket="features")
    local_aws.clear_faults()
    assert len(s3.list_objects_v2(Bucket="features")["Contents"]) == 1
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert found["OfflineStoreStatus"] == {"Status": "Active"}


def test_a_missing_bucket_blocks_the_offline_store_until_it_is_there(
    local_aws: LocalAws, sagemaker: Any, runtime: Any
) -> None:
    sagemaker.create_feature_group(**request())
    runtime.put_record(FeatureGroupName="weather", Record=record("JFK"))
    s3 = local_aws.client("s3")
    s3.list_buckets()
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert found["OfflineStoreStatus"]["Status"] == "Blocked"
    s3.create_bucket(Bucket="features")
    assert len(s3.list_objects_v2(Bucket="features")["Contents"]) == 1
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert found["OfflineStoreStatus"] == {"Status": "Active"}


def test_a_name_that_stands_is_in_use(sagemaker: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    with pytest.raises(sagemaker.exceptions.ResourceInUse) as raised:
        sagemaker.create_feature_group(**online_only())
    assert refusal(raised) == (
        "ResourceInUse",
        "Resource Already Exists: FeatureGroup with name weather already exists. Choose a different name.",
    )


def test_four_creations_at_once_are_the_limit(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.settings(create_seconds=60)
    for number in range(4):
        sagemaker.create_feature_group(**online_only(f"group-{number}"))
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded, match="current utilization of 4"):
        sagemaker.create_feature_group(**online_only("group-5"))
    local_aws.advance(60)
    sagemaker.create_feature_group(**online_only("group-5"))


def test_an_account_has_a_limit_of_groups(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.settings(max_feature_groups=2)
    for number in range(2):
        sagemaker.create_feature_group(**online_only(f"group-{number}"))
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded):
        sagemaker.create_feature_group(**online_only("group-3"))


def test_regions_do_not_see_each_other(local_aws: LocalAws, sagemaker: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    elsewhere = local_aws.client("sagemaker", region="eu-central-1")
    assert elsewhere.list_feature_groups()["FeatureGroupSummaries"] == []
    arn = elsewhere.create_feature_group(**online_only())["FeatureGroupArn"]
    assert ":eu-central-1:" in arn


def test_a_deleted_group_is_deleting_then_gone_and_its_files_stay(
    local_aws: LocalAws, sagemaker: Any, runtime: Any, s3: Any
) -> None:
    local_aws.settings(delete_seconds=60)
    sagemaker.create_feature_group(**request())
    runtime.put_record(FeatureGroupName="weather", Record=record("JFK"))
    sagemaker.delete_feature_group(FeatureGroupName="weather")
    assert status(sagemaker) == "Deleting"
    with pytest.raises(ClientError, match="Deleting"):
        runtime.get_record(FeatureGroupName="weather", RecordIdentifierValueAsString="JFK")
    for again in (lambda: sagemaker.delete_feature_group(FeatureGroupName="weather"), lambda: create(sagemaker)):
        with pytest.raises(sagemaker.exceptions.ResourceInUse):
            again()
    local_aws.advance(60)
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert len(s3.list_objects_v2(Bucket="features")["Contents"]) == 1
    create(sagemaker)
    assert values(runtime.get_record(FeatureGroupName="weather", RecordIdentifierValueAsString="JFK")) is None


def create(sagemaker: Any) -> None:
    sagemaker.create_feature_group(**request())


def test_a_group_that_is_being_created_cannot_be_deleted(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.settings(create_seconds=60)
    create(sagemaker)
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="Creating"):
        sagemaker.delete_feature_group(FeatureGroupName="weather")


def test_deleting_what_does_not_stand_is_not_found(sagemaker: Any) -> None:
    with pytest.raises(sagemaker.exceptions.ResourceNotFound) as raised:
        sagemaker.delete_feature_group(FeatureGroupName="nothing")
    assert refusal(raised)[1] == "Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name nothing"


def test_a_list_is_filtered(local_aws: LocalAws, sagemaker: Any) -> None:
    sagemaker.create_feature_group(**request("weather-jfk"))
    before = sagemaker.describe_feature_group(FeatureGroupName="weather-jfk")["CreationTime"]
    local_aws.advance(100)
    local_aws.settings(create_seconds=60)
    sagemaker.create_feature_group(**request("weather-lga"))
    sagemaker.create_feature_group(**request("planes"))

    def names(**filters: Any) -> set[str]:
        found = sagemaker.list_feature_groups(**filters)["FeatureGroupSummaries"]
        return {one["FeatureGroupName"] for one in found}

    assert names() == {"weather-jfk", "weather-lga", "planes"}
    assert names(NameContains="weather") == {"weather-jfk", "weather-lga"}
    assert names(FeatureGroupStatusEquals="Creating") == {"weather-lga", "planes"}
    assert names(OfflineStoreStatusEquals="Active") == {"weather-jfk"}
    assert names(CreationTimeBefore=before + timedelta(seconds=2)) == {"weather-jfk"}
    assert names(CreationTimeAfter=before + timedelta(seconds=2)) == {"weather-lga", "planes"}


def test_a_list_is_sorted_and_paged(local_aws: LocalAws, sagemaker: Any) -> None:
    for name in ("b", "c", "a"):
        sagemaker.create_feature_group(**online_only(name))
        local_aws.advance(1)

    def names(**order: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_feature_groups").paginate(PaginationConfig={"PageSize": 2}, **order)
        return [one["FeatureGroupName"] for page in pages for one in page["FeatureGroupSummaries"]]

    assert names() == ["b", "c", "a"]
    assert names(SortBy="Name") == ["a", "b", "c"]
    assert names(SortBy="Name", SortOrder="Descending") == ["c", "b", "a"]
    assert len(sagemaker.list_feature_groups(MaxResults=2)["FeatureGroupSummaries"]) == 2
    with pytest.raises(ClientError, match="NextToken"):
        sagemaker.list_feature_groups(NextToken="not ours")


def test_an_update_adds_features_once_it_has_ended(local_aws: LocalAws, sagemaker: Any, runtime: Any) -> None:
    local_aws.settings(update_seconds=60)
    sagemaker.create_feature_group(**online_only())
    wind = {"FeatureName": "wind", "FeatureType": "Fractional"}
    sagemaker.update_feature_group(FeatureGroupName="weather", FeatureAdditions=[wind])
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert (found["LastUpdateStatus"], found["FeatureDefinitions"]) == ({"Status": "InProgress"}, FEATURES)
    with pytest.raises(ClientError, match="update in progress"):
        sagemaker.update_feature_group(FeatureGroupName="weather", FeatureAdditions=[wind])
    local_aws.advance(60)
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert (found["LastUpdateStatus"], found["FeatureDefinitions"]) == ({"Status": "Successful"}, [*FEATURES, wind])
    assert found["LastModifiedTime"] > found["CreationTime"]
    runtime.put_record(FeatureGroupName="weather", Record=record("JFK", wind="1.5"))


def test_an_added_feature_gets_a_column_in_the_table(sagemaker: Any, glue: Any) -> None:
    sagemaker.create_feature_group(**request())
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")["OfflineStoreConfig"]["DataCatalogConfig"]
    where = {"DatabaseName": found["Database"], "Name": found["TableName"]}
    assert "wind" not in [one["Name"] for one in glue.get_table(**where)["Table"]["StorageDescriptor"]["Columns"]]
    sagemaker.update_feature_group(
        FeatureGroupName="weather", FeatureAdditions=[{"FeatureName": "wind", "FeatureType": "Fractional"}]
    )
    assert "wind" in [one["Name"] for one in glue.get_table(**where)["Table"]["StorageDescriptor"]["Columns"]]


def test_an_update_fails_on_demand_and_changes_nothing(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.fault(kind="fail_update", name="weather", reason="The table could not be altered")
    sagemaker.create_feature_group(**online_only())
    addition = {"FeatureName": "wind", "FeatureType": "Fractional"}
    sagemaker.update_feature_group(FeatureGroupName="weather", FeatureAdditions=[addition])
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert found["LastUpdateStatus"] == {"Status": "Failed", "FailureReason": "The table could not be altered"}
    assert found["FeatureDefinitions"] == FEATURES


def test_an_update_changes_ttl_storage_type_and_throughput(local_aws: LocalAws, sagemaker: Any) -> None:
    sagemaker.create_feature_group(**request(OfflineStoreConfig=OFFLINE))

    def updated(**change: Any) -> dict[str, Any]:
        sagemaker.update_feature_group(FeatureGroupName="weather", **change)
        found: dict[str, Any] = sagemaker.describe_feature_group(FeatureGroupName="weather")
        return found

    ttl = {"Unit": "Hours", "Value": 2}
    assert updated(OnlineStoreConfig={"TtlDuration": ttl})["OnlineStoreConfig"] == {**ONLINE, "TtlDuration": ttl}
    assert updated(OnlineStoreConfig={"TtlDuration": {}})["OnlineStoreConfig"] == ONLINE
    provisioned = {
        "ThroughputMode": "Provisioned",
        "ProvisionedReadCapacityUnits": 10,
        "ProvisionedWriteCapacityUnits": 5,
    }
    assert updated(ThroughputConfig=provisioned)["ThroughputConfig"] == provisioned
    on_demand = {"ThroughputMode": "OnDemand"}
    assert updated(ThroughputConfig=on_demand)["ThroughputConfig"] == on_demand
    assert updated(ThroughputConfig=provisioned)["ThroughputConfig"] == provisioned
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded, match="24 hours"):
        updated(ThroughputConfig=on_demand)
    local_aws.advance(86_400)
    assert updated(ThroughputConfig=on_demand)["ThroughputConfig"] == on_demand
    assert (
        updated(OnlineStoreConfig={"StorageType": "Standard_V2"})["OnlineStoreConfig"]["StorageType"] == "Standard_V2"
    )
    with pytest.raises(ClientError, match="cannot become Standard"):
        updated(OnlineStoreConfig={"StorageType": "Standard"})


def test_a_feature_has_metadata_of_its_own(local_aws: LocalAws, sagemaker: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    where = {"FeatureGroupName": "weather", "FeatureName": "delay"}
    found = sagemaker.describe_feature_metadata(**where)
    assert (found["FeatureType"], found["Parameters"], "Description" in found) == ("Fractional", [], False)
    local_aws.advance(5)
    parameters = [{"Key": "owner", "Value": "ops"}, {"Key": "unit", "Value": "minutes"}]
    sagemaker.update_feature_metadata(**where, Description="Delay at departure", ParameterAdditions=parameters)
    sagemaker.update_feature_metadata(
        **where, ParameterAdditions=[{"Key": "owner", "Value": "data"}], ParameterRemovals=["unit", "never"]
    )
    found = sagemaker.describe_feature_metadata(**where)
    assert (found["Description"], found["Parameters"]) == ("Delay at departure", [{"Key": "owner", "Value": "data"}])
    assert found["LastModifiedTime"] > found["CreationTime"]
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="feature with name none"):
        sagemaker.describe_feature_metadata(FeatureGroupName="weather", FeatureName="none")


def test_a_feature_has_at_most_25_parameters(sagemaker: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    where = {"FeatureGroupName": "weather", "FeatureName": "delay"}
    many = [{"Key": f"key{number}", "Value": "value"} for number in range(25)]
    sagemaker.update_feature_metadata(**where, ParameterAdditions=many)
    with pytest.raises(ClientError, match="at most 25"):
        sagemaker.update_feature_metadata(**where, ParameterAdditions=[{"Key": "one-more", "Value": "value"}])


def test_a_groups_tags_are_added_replaced_and_deleted(sagemaker: Any) -> None:
    arn = sagemaker.create_feature_group(**online_only(Tags=[{"Key": "owner", "Value": "ops"}]))["FeatureGroupArn"]
    added = [{"Key": "owner", "Value": "data"}, {"Key": "purpose", "Value": "demo"}]
    assert sagemaker.add_tags(ResourceArn=arn, Tags=added)["Tags"] == added
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["owner", "never"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "purpose", "Value": "demo"}]
    with pytest.raises(ClientError, match="at most 50"):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": f"key{number}", "Value": ""} for number in range(50)])
    with pytest.raises(ClientError, match="feature-group/nothing does not exist"):
        sagemaker.list_tags(ResourceArn=arn.replace("weather", "nothing"))


def test_the_tags_of_other_resources_are_motos(local_aws: LocalAws) -> None:
    sagemaker = local_aws.client("sagemaker")
    arn = sagemaker.create_experiment(ExperimentName="delays")["ExperimentArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "ops"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "ops"}]
