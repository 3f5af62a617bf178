"""Many records in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_aws.feature_groups import ONLINE, client, online_only, record, request, values

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws


@pytest.fixture
def group(sagemaker: Any) -> str:
    sagemaker.create_feature_group(**online_only())
    return "weather"


def entry(identifier: str, group: str = "weather", **more: Any) -> dict[str, Any]:
    at = more.pop("at", "2013-01-01T00:00:00Z")
    features = more.pop("features", {})
    return {"FeatureGroupName": group, "Record": record(identifier, at, **features), **more}


def test_every_entry_has_its_own_outcome(group: str, runtime: Any) -> None:
    bad, lost = entry("LGA", features={"seats": "many"}), entry("EWR", "nothing")
    answer = runtime.batch_write_record(Entries=[entry("JFK"), bad, lost, entry("BOS")])
    assert answer["UnprocessedEntries"] == []
    assert [(error["Entry"], error["ErrorCode"]) for error in answer["Errors"]] == [
        (bad, "ValidationError"),
        (lost, "ResourceNotFound"),
    ]
    assert "[many] of feature [seats]" in answer["Errors"][0]["ErrorMessage"]
    assert runtime.list_records(FeatureGroupName=group)["RecordIdentifiers"] == ["BOS", "JFK"]


def test_a_batch_goes_to_several_groups_and_stores(sagemaker: Any, group: str, runtime: Any) -> None:
    sagemaker.create_feature_group(**request("planes"))
    entries = [entry("JFK"), entry("N14228", "planes"), entry("N24211", "planes", TargetStores=["OfflineStore"])]
    assert runtime.batch_write_record(Entries=entries)["Errors"] == []
    assert runtime.list_records(FeatureGroupName="planes")["RecordIdentifiers"] == ["N14228"]


def test_entries_of_one_record_are_ordered_by_event_time(group: str, runtime: Any) -> None:
    entries = [
        entry("JFK", at="2013-01-01T02:00:00Z", features={"seats": "2"}),
        entry("JFK", at="2013-01-01T01:00:00Z", features={"seats": "1"}),
        entry("LGA", at="2013-01-01T01:00:00Z", features={"seats": "1"}),
        entry("LGA", at="2013-01-01T02:00:00Z", features={"seats": "2"}),
    ]
    runtime.batch_write_record(Entries=entries)
    for identifier in ("JFK", "LGA"):
        found = runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString=identifier)
        assert values(found) == {"id": identifier, "at": "2013-01-01T02:00:00Z", "seats": "2"}


def test_an_entrys_time_to_live_is_before_the_batches(local_aws: LocalAws, group: str, runtime: Any) -> None:
    now = f"{local_aws.now():%Y-%m-%dT%H:%M:%SZ}"
    hour, minute = {"Unit": "Hours", "Value": 1}, {"Unit": "Minutes", "Value": 1}
    runtime.batch_write_record(
        Entries=[entry("JFK", at=now), entry("LGA", at=now, TtlDuration=minute)], TtlDuration=hour
    )
    local_aws.advance(61)
    assert runtime.list_records(FeatureGroupName=group)["RecordIdentifiers"] == ["JFK"]
    local_aws.advance(3600)
    assert runtime.list_records(FeatureGroupName=group)["RecordIdentifiers"] == []


def test_25_entries_are_the_most(local_aws: LocalAws, group: str, runtime: Any) -> None:
    unchecked = client(local_aws, "sagemaker-featurestore-runtime", config=Config(parameter_validation=False))
    assert unchecked.batch_write_record(Entries=[entry(f"a{number}") for number in range(25)])["Errors"] == []
    with pytest.raises(ClientError, match="at 'entries' failed to satisfy constraint: Member must have length less"):
        unchecked.batch_write_record(Entries=[entry(f"b{number}") for number in range(26)])
    with pytest.raises(ClientError, match="'entries' failed to satisfy constraint: Member must have length greater"):
        unchecked.batch_write_record(Entries=[])


def test_a_part_is_left_undone_on_demand_and_done_when_sent_again(
    local_aws: LocalAws, group: str, runtime: Any
) -> None:
    local_aws.fault(kind="partial", operation="BatchWriteRecord", count=2)
    entries = [entry(identifier) for identifier in ("BOS", "EWR", "JFK", "LGA")]
    left = runtime.batch_write_record(Entries=entries)["UnprocessedEntries"]
    assert left == entries[2:]
    left = runtime.batch_write_record(Entries=left)["UnprocessedEntries"]
    assert left == entries[3:]
    assert runtime.batch_write_record(Entries=left)["UnprocessedEntries"] == []
    assert len(runtime.list_records(FeatureGroupName=group)["RecordIdentifiers"]) == 4


def test_records_of_several_groups_are_read_at_once(sagemaker: Any, group: str, runtime: Any) -> None:
    sagemaker.create_feature_group(**online_only("planes", OnlineStoreConfig={**ONLINE, "StorageType": "InMemory"}))
    runtime.batch_write_record(Entries=[entry("JFK"), entry("LGA"), entry("N14228", "planes", features={"seats": "5"})])

    def wanted(group: str, *identifiers: str, **more: Any) -> dict[str, Any]:
        return {"FeatureGroupName": group, "RecordIdentifiersValueAsString": list(identifiers), **more}

    answer = runtime.batch_get_record(
        Identifiers=[
            wanted("weather", "JFK", "LGA", "never"),
            wanted("planes", "N14228", FeatureNames=["seats"]),
            wanted("nothing", "a", "b"),
        ]
    )
    found = [(one["FeatureGroupName"], one["RecordIdentifierValueAsString"]) for one in answer["Records"]]
    assert found == [("weather", "JFK"), ("weather", "LGA"), ("planes", "N14228")]
    assert answer["Records"][2]["Record"] == [{"FeatureName": "seats", "ValueAsString": "5"}]
    assert [(error["RecordIdentifierValueAsString"], error["ErrorCode"]) for error in answer["Errors"]] == [
        ("a", "ResourceNotFound"),
        ("b", "ResourceNotFound"),
    ]
    assert answer["UnprocessedIdentifiers"] == []
