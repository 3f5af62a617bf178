"""Single records through the feature store runtime, by an unmodified boto3 over HTTP."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as parquet
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_aws.feature_groups import BUCKET, FEATURES, ONLINE, client, online_only, record, request, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local_aws.server import LocalAws

GROUP = "weather"
NEW_YEAR = "2013-01-01T00:00:00Z"
LATER = "2013-01-01T01:00:00Z"
LATEST = "2013-01-01T02:00:00Z"


@pytest.fixture
def group(sagemaker: Any, s3: Any) -> str:
    """A group with both stores."""
    sagemaker.create_feature_group(**request(GROUP))
    return GROUP


def offline_rows(s3: Any) -> list[dict[str, Any]]:
    """Read every row of the offline store, in the order of the calls."""
    rows: list[dict[str, Any]] = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for found in page.get("Contents", []):
            content = s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read()
            rows += parquet.read_table(io.BytesIO(content)).to_pylist()
    return sorted(rows, key=lambda row: row["api_invocation_time"])


def get(runtime: Any, identifier: str = "JFK", **options: Any) -> dict[str, Any] | None:
    return values(runtime.get_record(FeatureGroupName=GROUP, RecordIdentifierValueAsString=identifier, **options))


def put(runtime: Any, identifier: str, at: str = NEW_YEAR, **features: Any) -> None:
    runtime.put_record(FeatureGroupName=GROUP, Record=record(identifier, at, **features))


def refused(call: Callable[[], Any]) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as raised:
        call()
    answer = raised.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_a_record_is_read_back_in_the_order_of_the_definitions(group: str, runtime: Any) -> None:
    written = [{"FeatureName": "seats", "ValueAsString": "180"}, *record("JFK", delay="-1.5e1")]
    runtime.put_record(FeatureGroupName=group, Record=written)
    answer = runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="JFK")
    assert [one["FeatureName"] for one in answer["Record"]] == ["id", "at", "delay", "seats"]
    assert values(answer) == {"id": "JFK", "at": NEW_YEAR, "delay": "-1.5e1", "seats": "180"}
    assert "ExpiresAt" not in answer
    assert get(runtime, "LGA") is None


def test_some_features_can_be_asked_for(group: str, runtime: Any) -> None:
    put(runtime, "JFK", delay="1", seats="2")
    assert get(runtime, FeatureNames=["seats", "id"]) == {"seats": "2", "id": "JFK"}
    assert "[wind]" in refused(lambda: get(runtime, FeatureNames=["seats", "wind"]))[1]


def test_a_group_can_be_named_by_its_arn_and_an_identifier_by_any_text(
    sagemaker: Any, group: str, runtime: Any
) -> None:
    arn = sagemaker.describe_feature_group(FeatureGroupName=group)["FeatureGroupArn"]
    identifier = "a b/c?d=ü&e+%2F"
    runtime.put_record(FeatureGroupName=arn, Record=record(identifier))
    found = runtime.get_record(FeatureGroupName=arn, RecordIdentifierValueAsString=identifier)
    assert values(found) == {"id": identifier, "at": NEW_YEAR}


def test_a_write_replaces_the_whole_record(group: str, runtime: Any) -> None:
    put(runtime, "JFK", delay="1", seats="2")
    put(runtime, "JFK", LATER, delay="3")
    assert get(runtime) == {"id": "JFK", "at": LATER, "delay": "3"}


@pytest.mark.parametrize("at", [NEW_YEAR, LATER], ids=["older", "equal"])
def test_an_event_time_that_is_not_later_never_replaces_but_is_kept_offline(
    at: str, group: str, runtime: Any, s3: Any
) -> None:
    put(runtime, "JFK", LATER, delay="1")
    put(runtime, "JFK", at, delay="2")
    assert get(runtime) == {"id": "JFK", "at": LATER, "delay": "1"}
    assert [(row["at"], row["delay"]) for row in offline_rows(s3)] == [(LATER, 1.0), (at, 2.0)]


def test_fractions_of_a_second_decide(group: str, runtime: Any) -> None:
    put(runtime, "JFK", "2013-01-01T00:00:00.000000002Z", delay="1")
    put(runtime, "JFK", "2013-01-01T00:00:00.000000001Z", delay="2")
    assert get(runtime, FeatureNames=["delay"]) == {"delay": "1"}


def test_an_event_time_can_be_seconds(sagemaker: Any, runtime: Any) -> None:
    sagemaker.create_feature_group(**online_only(EventTimeFeatureName="delay"))
    runtime.put_record(FeatureGroupName=GROUP, Record=record("JFK", delay="1356998400.5"))
    runtime.put_record(FeatureGroupName=GROUP, Record=record("JFK", delay="1356998400.25", seats="9"))
    assert get(runtime) == {"id": "JFK", "at": NEW_YEAR, "delay": "1356998400.5"}
    message = refused(lambda: put(runtime, "JFK", delay="1e300"))[1]
    assert message == "Validation Error: EventTime [1e300] of feature [delay] is not of the format seconds since 1970."


def test_a_store_can_be_chosen(group: str, runtime: Any, s3: Any) -> None:
    runtime.put_record(FeatureGroupName=group, Record=record("JFK"), TargetStores=["OnlineStore"])
    runtime.put_record(FeatureGroupName=group, Record=record("LGA"), TargetStores=["OfflineStore"])
    assert (get(runtime, "JFK") is None, get(runtime, "LGA") is None) == (False, True)
    assert [row["id"] for row in offline_rows(s3)] == ["LGA"]


def test_a_store_that_a_group_has_not_cannot_be_chosen(sagemaker: Any, runtime: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    sagemaker.create_feature_group(**request("offline", OnlineStoreConfig=None))
    assert (
        "has no OfflineStore"
        in refused(
            lambda: runtime.put_record(FeatureGroupName=GROUP, Record=record("JFK"), TargetStores=["OfflineStore"])
        )[1]
    )
    assert (
        "has no OnlineStore"
        in refused(lambda: runtime.get_record(FeatureGroupName="offline", RecordIdentifierValueAsString="JFK"))[1]
    )


BAD_RECORDS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "no identifier": (record("JFK")[1:], "Missing value for the record identifier feature [id]."),
    "an empty identifier": (record(""), "Missing value for the record identifier feature [id]."),
    "a null identifier": ([{"FeatureName": "id"}, *record("JFK")[1:]], "Missing value for the record identifier"),
    "no event time": (record("JFK")[:1], "Missing value for the event time feature [at]."),
    "a local event time": (record("JFK", "2013-01-01T00:00:00"), "is not of the format yyyy-MM-dd'T'HH:mm:ssZ"),
    "an offset": (record("JFK", "2013-01-01T00:00:00+01:00"), "is not of the format"),
    "no such day": (record("JFK", "2013-02-30T00:00:00Z"), "is not of the format"),
    "an unknown feature": (record("JFK", wind="1"), "FeatureName [wind] is not a feature of the FeatureGroup."),
    "a feature twice": ([*record("JFK"), *record("JFK")[:1]], "FeatureName [id] stands more than once"),
    "a null feature twice": ([*record("JFK"), *[{"FeatureName": "delay"}] * 2], "FeatureName [delay] stands more"),
    "a word for a number": (record("JFK", delay="late"), "[late] of feature [delay] is not of type Fractional."),
    "NaN": (record("JFK", delay="NaN"), "[NaN] of feature [delay] is not of type Fractional."),
    "infinity": (record("JFK", delay="Infinity"), "[Infinity] of feature [delay] is not of type Fractional."),
    "a number too high": (record("JFK", delay="1e999"), "[1e999] of feature [delay] is not of type Fractional."),
    "an empty number": (record("JFK", delay=""), "[] of feature [delay] is not of type Fractional."),
    "a grouped number": (record("JFK", seats="1_000"), "[1_000] of feature [seats] is not of type Integral."),
    "a number with a space": (record("JFK", seats=" 1"), "[ 1] of feature [seats] is not of type Integral."),
    "a fraction for an Integral": (record("JFK", seats="1.0"), "[1.0] of feature [seats] is not of type Integral."),
    "65 bits": (record("JFK", seats=str(2**63)), "of feature [seats] is not of type Integral."),
    "a list for a number": (record("JFK", seats=["1"]), "Feature [seats] is not a collection"),
    "a long identifier": (record("J" * 2049), "The maximum size of a record identifier is 2 KB."),
}


@pytest.mark.parametrize("case", BAD_RECORDS)
def test_a_record_that_does_not_fit_is_refused(case: str, group: str, runtime: Any, s3: Any) -> None:
    wrong, message = BAD_RECORDS[case]
    code, said, status = refused(lambda: runtime.put_record(FeatureGroupName=group, Record=wrong))
    assert (code, status) == ("ValidationError", 400)
    assert message in said
    assert runtime.list_records(FeatureGroupName=group)["RecordIdentifiers"] == []
    assert offline_rows(s3) == []


def test_a_record_has_at_most_350_kilobytes(sagemaker: Any, runtime: Any) -> None:
    note = {"FeatureName": "note", "FeatureType": "String"}
    sagemaker.create_feature_group(**online_only(FeatureDefinitions=[*FEATURES, note]))
    room = 350 * 1024 - len("id" + "at" + "note" + "JFK" + NEW_YEAR)
    put(runtime, "JFK", note="x" * room)
    assert "350 KB" in refused(lambda: put(runtime, "JFK", note="x" * (room + 1)))[1]
    assert "350 KB" in refused(lambda: put(runtime, "JFK", note="ü" * (room // 2 + 1)))[1]


@pytest.mark.parametrize("number", [str(2**63 - 1), str(-(2**63)), "+7", "007", "0"])
def test_whole_numbers_of_64_bits_are_taken(number: str, group: str, runtime: Any) -> None:
    put(runtime, "JFK", seats=number)
    assert get(runtime, FeatureNames=["seats"]) == {"seats": number}


@pytest.mark.parametrize("number", ["1", "-.5", "1.", "1e-400", "+1.5E+10", "0.1234567890123456789"])
def test_fractions_as_they_are_written_are_taken(number: str, group: str, runtime: Any) -> None:
    put(runtime, "JFK", delay=number)
    assert get(runtime, FeatureNames=["delay"]) == {"delay": number}


def test_a_constraint_of_the_model_is_a_validation_error(group: str, local_aws: LocalAws) -> None:
    unchecked = client(local_aws, "sagemaker-featurestore-runtime", config=Config(parameter_validation=False))
    code, message, status = refused(lambda: unchecked.put_record(FeatureGroupName=group, Record=[]))
    assert (code, status) == ("ValidationError", 400)
    assert "at 'record' failed to satisfy constraint: Member must have length greater than or equal to 1" in message


def test_a_group_that_does_not_stand_is_not_found(runtime: Any) -> None:
    where = {"FeatureGroupName": "nothing", "RecordIdentifierValueAsString": "JFK"}
    assert refused(lambda: runtime.get_record(**where))[::2] == ("ResourceNotFound", 404)
    assert refused(lambda: runtime.list_records(FeatureGroupName="nothing"))[::2] == ("ResourceNotFound", 404)
    assert refused(lambda: runtime.delete_record(**where, EventTime=NEW_YEAR))[::2] == ("ValidationError", 400)
    assert refused(lambda: runtime.put_record(FeatureGroupName="nothing", Record=record("JFK")))[:2] == (
        "ValidationError",
        "Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name nothing",
    )


def delete(runtime: Any, at: str, mode: str | None = None) -> None:
    more = {"DeletionMode": mode} if mode else {}
    runtime.delete_record(FeatureGroupName=GROUP, RecordIdentifierValueAsString="JFK", EventTime=at, **more)


def test_a_softly_deleted_record_is_hidden_and_marked_offline(group: str, runtime: Any, s3: Any) -> None:
    put(runtime, "JFK", delay="1")
    delete(runtime, LATER)
    assert get(runtime) is None
    assert runtime.list_records(FeatureGroupName=group)["RecordIdentifiers"] == []
    also = runtime.list_records(FeatureGroupName=group, IncludeSoftDeletedRecords=True)
    assert also["RecordIdentifiers"] == ["JFK"]
    assert [(row["at"], row["delay"], row["is_deleted"]) for row in offline_rows(s3)] == [
        (NEW_YEAR, 1.0, False),
        (LATER, None, True),
    ]
    put(runtime, "JFK", LATER, delay="2")
    assert get(runtime) is None
    put(runtime, "JFK", LATEST, delay="3")
    assert get(runtime, FeatureNames=["delay"]) == {"delay": "3"}


def test_a_soft_deletion_that_is_not_later_leaves_the_record_and_is_marked_offline(
    group: str, runtime: Any, s3: Any
) -> None:
    put(runtime, "JFK", LATER)
    delete(runtime, LATER)
    assert get(runtime) == {"id": "JFK", "at": LATER}
    assert [row["is_deleted"] for row in offline_rows(s3)] == [False, True]


def test_a_hard_deletion_forgets_the_record(group: str, runtime: Any, s3: Any) -> None:
    put(runtime, "JFK", LATER)
    delete(runtime, LATEST, "HardDelete")
    also = runtime.list_records(FeatureGroupName=group, IncludeSoftDeletedRecords=True)
    assert also["RecordIdentifiers"] == []
    assert [row["is_deleted"] for row in offline_rows(s3)] == [False, True]
    put(runtime, "JFK", NEW_YEAR)
    assert get(runtime) == {"id": "JFK", "at": NEW_YEAR}


def test_a_hard_deletion_that_is_not_later_is_refused_and_leaves_no_mark(group: str, runtime: Any, s3: Any) -> None:
    put(runtime, "JFK", LATER)
    assert refused(lambda: delete(runtime, LATER, "HardDelete"))[::2] == ("ValidationError", 400)
    assert [row["is_deleted"] for row in offline_rows(s3)] == [False]


def test_identifiers_are_listed_by_pages(group: str, runtime: Any) -> None:
    for number in range(5):
        put(runtime, f"airport-{number}")
    found = []
    token: dict[str, str] = {}
    while True:
        page = runtime.list_records(FeatureGroupName=group, MaxResults=2, **token)
        found.append(page["RecordIdentifiers"])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert found == [["airport-0", "airport-1"], ["airport-2", "airport-3"], ["airport-4"]]
    assert refused(lambda: runtime.list_records(FeatureGroupName=group, NextToken="x"))[0] == "ValidationError"


def test_a_record_expires_by_its_event_time_and_is_marked_offline(
    local_aws: LocalAws, sagemaker: Any, runtime: Any, s3: Any
) -> None:
    ttl = {"Unit": "Hours", "Value": 1}
    sagemaker.create_feature_group(**request(OnlineStoreConfig={**ONLINE, "TtlDuration": ttl}))
    now = local_aws.now()
    put(runtime, "JFK", f"{now:%Y-%m-%dT%H:%M:%SZ}", delay="1")
    own = {"Unit": "Days", "Value": 2}
    runtime.put_record(FeatureGroupName=GROUP, Record=record("LGA", f"{now:%Y-%m-%dT%H:%M:%SZ}"), TtlDuration=own)
    put(runtime, "EWR", NEW_YEAR)
    assert get(runtime, "EWR") is None
    answer = runtime.get_record(
        FeatureGroupName=GROUP, RecordIdentifierValueAsString="JFK", ExpirationTimeResponse="Enabled"
    )
    assert answer["ExpiresAt"] == f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    local_aws.advance(3601)
    assert (get(runtime, "JFK"), get(runtime, "LGA") is None) == (None, False)
    assert runtime.list_records(FeatureGroupName=GROUP)["RecordIdentifiers"] == ["LGA"]
    marks = [row for row in offline_rows(s3) if row["is_deleted"]]
    assert sorted(row["id"] for row in marks) == ["EWR", "JFK"]
    local_aws.advance(2 * 86_400)
    assert get(runtime, "LGA") is None


def test_a_new_ttl_holds_for_records_written_after_it(local_aws: LocalAws, sagemaker: Any, runtime: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    now = f"{local_aws.now():%Y-%m-%dT%H:%M:%SZ}"
    put(runtime, "JFK", now)
    ttl = {"TtlDuration": {"Unit": "Minutes", "Value": 1}}
    sagemaker.update_feature_group(FeatureGroupName=GROUP, OnlineStoreConfig=ttl)
    put(runtime, "LGA", now)
    local_aws.advance(61)
    assert runtime.list_records(FeatureGroupName=GROUP)["RecordIdentifiers"] == ["JFK"]


@pytest.fixture
def in_memory(sagemaker: Any) -> str:
    """A group that takes collections and updates."""
    definitions = [
        *FEATURES,
        {"FeatureName": "tags", "FeatureType": "String", "CollectionType": "Set"},
        {"FeatureName": "history", "FeatureType": "Integral", "CollectionType": "List"},
        {
            "FeatureName": "embedding",
            "FeatureType": "Fractional",
            "CollectionType": "Vector",
            "CollectionConfig": {"VectorConfig": {"Dimension": 2}},
        },
    ]
    store = {**ONLINE, "StorageType": "InMemory"}
    sagemaker.create_feature_group(**request(OnlineStoreConfig=store, FeatureDefinitions=definitions))
    return GROUP


def test_collections_go_in_and_out(in_memory: str, runtime: Any, s3: Any) -> None:
    put(runtime, "JFK", tags=["a", "b", "a"], history=["1", "2", "1"], embedding=["0.5", "-1"])
    assert get(runtime, FeatureNames=["tags", "history", "embedding"]) == {
        "tags": ["a", "b"],
        "history": ["1", "2", "1"],
        "embedding": ["0.5", "-1"],
    }
    row = offline_rows(s3)[0]
    assert (row["tags"], row["history"], row["embedding"]) == (["a", "b"], [1, 2, 1], [0.5, -1.0])


BAD_COLLECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "one text for a set": ({"tags": "a"}, "Feature [tags] is a Set; it takes ValueAsStringList."),
    "a word in a list of numbers": ({"history": ["1", "x"]}, "[x] of feature [history] is not of type Integral."),
    "a short vector": ({"embedding": ["1"]}, "is a Vector of dimension 2; the value has 1."),
}


@pytest.mark.parametrize("case", BAD_COLLECTIONS)
def test_a_collection_that_does_not_fit_is_refused(case: str, in_memory: str, runtime: Any) -> None:
    wrong, message = BAD_COLLECTIONS[case]
    assert message in refused(lambda: put(runtime, "JFK", **wrong))[1]


def update(runtime: Any, features: dict[str, str], **more: Any) -> None:
    runtime.update_record(
        FeatureGroupName=GROUP,
        RecordIdentifierValueAsString="JFK",
        Features=[{"FeatureName": name, "ValueAsString": value} for name, value in features.items()],
        **more,
    )


def test_an_update_changes_some_features_and_leaves_the_rest(in_memory: str, runtime: Any, s3: Any) -> None:
    put(runtime, "JFK", LATER, delay="1", seats="2")
    update(runtime, {"seats": "3"})
    assert get(runtime) == {"id": "JFK", "at": LATER, "delay": "1", "seats": "3"}
    update(runtime, {"seats": "4", "at": LATEST})
    assert get(runtime) == {"id": "JFK", "at": LATEST, "delay": "1", "seats": "4"}
    assert [(row["at"], row["seats"]) for row in offline_rows(s3)] == [(LATER, 2), (LATER, 3), (LATEST, 4)]


def test_an_update_that_cannot_be_is_refused(in_memory: str, runtime: Any) -> None:
    assert refused(lambda: update(runtime, {"seats": "3"}))[::2] == ("ResourceNotFound", 404)
    put(runtime, "JFK", LATER)
    assert refused(lambda: update(runtime, {"at": NEW_YEAR}))[::2] == ("ConflictException", 409)
    assert "is not the RecordIdentifierValueAsString" in refused(lambda: update(runtime, {"id": "LGA"}))[1]
    ttl = {"Unit": "Hours", "Value": 1}
    assert "TtlDuration needs the event time" in refused(lambda: update(runtime, {"seats": "1"}, TtlDuration=ttl))[1]
    delete(runtime, LATEST)
    assert refused(lambda: update(runtime, {"seats": "3"}))[0] == "ResourceNotFound"


def test_an_update_needs_a_store_that_can(group: str, runtime: Any) -> None:
    put(runtime, "JFK")
    assert "UpdateRecord needs an online store of StorageType" in refused(lambda: update(runtime, {"seats": "3"}))[1]


def test_an_update_keeps_or_replaces_the_time_to_live(local_aws: LocalAws, in_memory: str, runtime: Any) -> None:
    now = f"{local_aws.now():%Y-%m-%dT%H:%M:%SZ}"
    runtime.put_record(
        FeatureGroupName=in_memory, Record=record("JFK", now), TtlDuration={"Unit": "Minutes", "Value": 1}
    )
    update(runtime, {"seats": "3", "at": now}, TtlDuration={"Unit": "Hours", "Value": 1})
    update(runtime, {"seats": "4"})
    local_aws.advance(61)
    assert get(runtime, FeatureNames=["seats"]) == {"seats": "4"}
    local_aws.advance(3600)
    assert get(runtime) is None
