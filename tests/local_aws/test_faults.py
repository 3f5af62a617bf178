"""What breaks on demand, as boto3 sees it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from tests.local_aws.feature_groups import client, online_only, record, request

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

CUT = (ConnectionClosedError, EndpointConnectionError)


def code(raised: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    answer = raised.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_calls_are_throttled_as_often_as_ordered(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.fault(operation="ListFeatureGroups", kind="throttle", count=2)
    for _ in range(2):
        with pytest.raises(ClientError) as raised:
            sagemaker.list_feature_groups()
        assert code(raised) == ("ThrottlingException", 400)
    sagemaker.list_feature_groups()


def test_boto3_retries_what_is_throttled(local_aws: LocalAws) -> None:
    local_aws.fault(operation=".*FeatureGroups", kind="throttle", count=2)
    retrying = local_aws.client("sagemaker", config=Config(retries={"mode": "standard", "total_max_attempts": 3}))
    answer = retrying.list_feature_groups()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert local_aws.stats()["ListFeatureGroups"] == 3


def test_an_operations_whole_name_has_to_fit(local_aws: LocalAws, sagemaker: Any, runtime: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    local_aws.fault(operation="GetRecord", kind="error", count=None)
    identifiers = [{"FeatureGroupName": "weather", "RecordIdentifiersValueAsString": ["JFK"]}]
    assert runtime.batch_get_record(Identifiers=identifiers)["Errors"] == []
    with pytest.raises(ClientError):
        runtime.get_record(FeatureGroupName="weather", RecordIdentifierValueAsString="JFK")


def test_the_service_fails_on_demand(local_aws: LocalAws, sagemaker: Any, runtime: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    local_aws.fault(operation="PutRecord", kind="error")
    with pytest.raises(runtime.exceptions.InternalFailure) as raised:
        runtime.put_record(FeatureGroupName="weather", Record=record("JFK"))
    assert code(raised) == ("InternalFailure", 500)
    local_aws.fault(operation="PutRecord", kind="error", status=503, reason="Try again")
    with pytest.raises(runtime.exceptions.ServiceUnavailable, match="Try again") as raised:
        runtime.put_record(FeatureGroupName="weather", Record=record("JFK"))
    assert code(raised) == ("ServiceUnavailable", 503)
    assert runtime.list_records(FeatureGroupName="weather")["RecordIdentifiers"] == []


def test_a_connection_is_cut_before_the_work(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.fault(operation="CreateFeatureGroup", kind="reset")
    with pytest.raises(CUT):
        sagemaker.create_feature_group(**online_only())
    assert sagemaker.list_feature_groups()["FeatureGroupSummaries"] == []


def test_a_reply_is_lost_after_the_work(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.fault(operation="CreateFeatureGroup", kind="lost_reply")
    with pytest.raises(CUT):
        sagemaker.create_feature_group(**online_only())
    assert len(sagemaker.list_feature_groups()["FeatureGroupSummaries"]) == 1


def test_boto3s_own_retry_makes_a_lost_creation_a_name_in_use(local_aws: LocalAws) -> None:
    local_aws.fault(operation="CreateFeatureGroup", kind="lost_reply")
    retrying = client(local_aws, "sagemaker")
    with pytest.raises(retrying.exceptions.ResourceInUse):
        retrying.create_feature_group(**online_only())


def test_an_answer_is_late_and_nobody_else_waits(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.fault(operation="ListFeatureGroups", kind="slow", seconds=5)
    hasty = local_aws.client("sagemaker", config=Config(read_timeout=0.2, retries={"total_max_attempts": 1}))
    with pytest.raises(ReadTimeoutError):
        hasty.list_feature_groups()
    hasty.list_feature_groups()


@pytest.mark.parametrize(("kind", "groups"), [("timeout", 0), ("late_timeout", 1)])
def test_an_answer_never_comes(local_aws: LocalAws, sagemaker: Any, kind: str, groups: int) -> None:
    local_aws.fault(operation="CreateFeatureGroup", kind=kind)
    hasty = local_aws.client("sagemaker", config=Config(read_timeout=0.5, retries={"total_max_attempts": 1}))
    with pytest.raises(ReadTimeoutError):
        hasty.create_feature_group(**online_only())
    assert len(sagemaker.list_feature_groups()["FeatureGroupSummaries"]) == groups


def test_a_connection_that_waits_in_vain_is_cut_when_it_is_told_so(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.fault(operation="ListFeatureGroups", kind="timeout", seconds=0.2)
    with pytest.raises(CUT):
        sagemaker.list_feature_groups()


def test_a_batch_of_writes_is_done_by_half(local_aws: LocalAws, sagemaker: Any, runtime: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    local_aws.fault(kind="partial", operation="Batch(Write|Get)Record", count=2)
    entries = [{"FeatureGroupName": "weather", "Record": record(name)} for name in ("JFK", "LGA", "EWR")]
    assert runtime.batch_write_record(Entries=entries)["UnprocessedEntries"] == entries[1:]
    runtime.list_records(FeatureGroupName="weather")
    left = runtime.batch_get_record(Identifiers=[_wanted("JFK")])["UnprocessedIdentifiers"]
    assert left == [_wanted("JFK")]
    assert len(runtime.batch_get_record(Identifiers=left)["Records"]) == 1


def test_a_batch_of_reads_is_cut_within_an_entry(local_aws: LocalAws, sagemaker: Any, runtime: Any) -> None:
    for name in ("weather", "planes"):
        sagemaker.create_feature_group(**online_only(name))
        for identifier in ("a", "b", "c"):
            runtime.put_record(FeatureGroupName=name, Record=record(identifier))
    local_aws.fault(kind="partial")
    wanted = [_wanted("a"), _wanted("b", "c"), _wanted("a", "b", group="planes")]
    answer = runtime.batch_get_record(Identifiers=wanted)
    assert [one["RecordIdentifierValueAsString"] for one in answer["Records"]] == ["a", "b"]
    assert answer["UnprocessedIdentifiers"] == [_wanted("c"), wanted[2]]


def _wanted(*identifiers: str, group: str = "weather") -> dict[str, Any]:
    return {"FeatureGroupName": group, "RecordIdentifiersValueAsString": list(identifiers)}


def test_a_list_ends_its_page_early(local_aws: LocalAws, sagemaker: Any) -> None:
    for number in range(3):
        sagemaker.create_feature_group(**online_only(f"group-{number}"))
    local_aws.fault(kind="partial", operation="ListFeatureGroups")
    first = sagemaker.list_feature_groups(MaxResults=4)
    assert len(first["FeatureGroupSummaries"]) == 2
    second = sagemaker.list_feature_groups(NextToken=first["NextToken"])
    assert [one["FeatureGroupName"] for one in second["FeatureGroupSummaries"]] == ["group-2"]


def test_a_group_is_hidden_from_reads_and_from_nothing_else(local_aws: LocalAws, sagemaker: Any, runtime: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    local_aws.fault(kind="hidden", name="weather", operation="Describe.*", count=2)
    local_aws.fault(kind="hidden", resource="feature-group", operation="GetRecord")
    runtime.put_record(FeatureGroupName="weather", Record=record("JFK"))
    for _ in range(2):
        with pytest.raises(sagemaker.exceptions.ResourceNotFound):
            sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert sagemaker.describe_feature_group(FeatureGroupName="weather")["FeatureGroupStatus"] == "Created"
    with pytest.raises(runtime.exceptions.ResourceNotFound):
        runtime.get_record(FeatureGroupName="weather", RecordIdentifierValueAsString="JFK")
    runtime.get_record(FeatureGroupName="weather", RecordIdentifierValueAsString="JFK")


def test_what_moto_keeps_is_hidden_by_operation(local_aws: LocalAws, s3: Any, glue: Any) -> None:
    s3.put_object(Bucket="features", Key="key", Body=b"text")
    glue.create_database(DatabaseInput={"Name": "flights"})
    glue.create_table(DatabaseName="flights", TableInput={"Name": "delays"})
    local_aws.fault(kind="hidden", count=None)
    s3.head_object(Bucket="features", Key="key")
    local_aws.clear_faults()
    local_aws.fault(kind="hidden", operation="(Get|Head)Object", count=2)
    local_aws.fault(kind="hidden", operation="GetTable")
    for read, missing in ((s3.head_object, "404"), (s3.get_object, "NoSuchKey")):
        with pytest.raises(ClientError) as raised:
            read(Bucket="features", Key="key")
        assert code(raised) == (missing, 404)
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_table(DatabaseName="flights", Name="delays")
    assert s3.get_object(Bucket="features", Key="key")["Body"].read() == b"text"
    assert glue.get_table(DatabaseName="flights", Name="delays")["Table"]["Name"] == "delays"


def test_a_deletion_fails_with_the_reason_and_can_be_tried_again(local_aws: LocalAws, sagemaker: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    local_aws.settings(delete_seconds=60)
    local_aws.fault(kind="fail_deletion", resource="feature-group", reason="The bucket is locked")
    sagemaker.delete_feature_group(FeatureGroupName="weather")
    assert sagemaker.describe_feature_group(FeatureGroupName="weather")["FeatureGroupStatus"] == "Deleting"
    local_aws.advance(61)
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert (found["FeatureGroupStatus"], found["FailureReason"]) == ("DeleteFailed", "The bucket is locked")
    sagemaker.delete_feature_group(FeatureGroupName="weather")
    local_aws.advance(61)
    assert sagemaker.list_feature_groups()["FeatureGroupSummaries"] == []


def test_an_offline_store_is_disabled_on_demand(local_aws: LocalAws, sagemaker: Any, s3: Any) -> None:
    sagemaker.create_feature_group(**request())
    local_aws.fault(kind="disable_offline", name="weather")
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert found["OfflineStoreStatus"] == {"Status": "Disabled"}
    local_aws.clear_faults()
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert found["OfflineStoreStatus"] == {"Status": "Active"}


def test_motos_services_break_as_well(local_aws: LocalAws, s3: Any, glue: Any) -> None:
    once = Config(retries={"total_max_attempts": 1})
    s3 = local_aws.client("s3", config=once)
    local_aws.fault(operation="PutObject", kind="throttle")
    with pytest.raises(ClientError) as raised:
        s3.put_object(Bucket="features", Key="key", Body=b"text")
    assert code(raised) == ("SlowDown", 503)
    local_aws.fault(operation="PutObject", kind="lost_reply")
    with pytest.raises(CUT):
        s3.put_object(Bucket="features", Key="key", Body=b"text")
    assert s3.get_object(Bucket="features", Key="key")["Body"].read() == b"text"
    local_aws.fault(operation="GetTable", kind="error")
    with pytest.raises(ClientError) as raised:
        local_aws.client("glue", config=once).get_table(DatabaseName="d", Name="n")
    assert code(raised) == ("InternalFailure", 500)
    local_aws.fault(operation="GetCallerIdentity", kind="throttle")
    with pytest.raises(ClientError) as raised:
        local_aws.client("sts", config=once).get_caller_identity()
    assert code(raised) == ("Throttling", 400)


def test_faults_are_listed_and_cleared(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.fault(operation="ListFeatureGroups", kind="throttle", count=3)
    with pytest.raises(ClientError):
        sagemaker.list_feature_groups()
    standing = httpx.get(f"{local_aws.url}/_local/faults").json()["faults"]
    assert [(one["kind"], one["operation"], one["count"]) for one in standing] == [("throttle", "ListFeatureGroups", 2)]
    local_aws.clear_faults()
    sagemaker.list_feature_groups()


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"kind": "melt"}, "kind: Input should be 'throttle'"),
        ({"kind": "throttle", "operation": "("}, "is not a regular expression"),
        ({"kind": "throttle", "count": 0}, "count: Input should be greater than or equal to 1"),
        ({"kind": "throttle", "often": 3}, "often: Extra inputs are not permitted"),
        (
            {"kind": "partial", "operation": "PutRecord"},
            "only BatchWriteRecord, BatchGetRecord and lists can leave a part undone",
        ),
        ([], "Input should be a valid dictionary"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(local_aws: LocalAws, order: Any, message: str) -> None:
    answer = httpx.post(f"{local_aws.url}/_local/faults", json=order)
    assert answer.status_code == 400
    assert message in answer.json()["message"]


def test_a_rate_throttles_what_is_beyond_it(local_aws: LocalAws, sagemaker: Any) -> None:
    httpx.put(f"{local_aws.url}/_local/settings", json={"rates": {"ListFeatureGroups": 0.001}}).raise_for_status()
    sagemaker.list_feature_groups()
    with pytest.raises(ClientError) as raised:
        sagemaker.list_feature_groups()
    assert code(raised) == ("ThrottlingException", 400)
    sagemaker.create_feature_group(**online_only())
    local_aws.advance(1000)
    sagemaker.list_feature_groups()


@pytest.mark.parametrize(
    ("service", "operation", "refused"),
    [
        ("sagemaker-featurestore-runtime", "ListRecords", ("ThrottlingException", 400)),
        ("s3", "ListBuckets", ("SlowDown", 503)),
        ("sts", "GetCallerIdentity", ("Throttling", 400)),
        ("athena", "ListWorkGroups", ("ThrottlingException", 400)),
    ],
)
def test_a_rate_is_kept_in_the_words_of_each_protocol(
    local_aws: LocalAws, service: str, operation: str, refused: tuple[str, int]
) -> None:
    httpx.put(f"{local_aws.url}/_local/settings", json={"rates": {operation: 0.001}}).raise_for_status()
    asked = local_aws.client(service, config=Config(retries={"total_max_attempts": 1}))
    parameters = {"FeatureGroupName": "weather"} if operation == "ListRecords" else {}
    call = getattr(asked, xform_name(operation))
    with contextlib.suppress(asked.exceptions.ClientError):
        call(**parameters)
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    assert code(raised) == refused


def test_a_fault_strikes_one_group_and_not_its_neighbour(local_aws: LocalAws, sagemaker: Any) -> None:
    local_aws.fault(kind="fail_creation", name="weather-.*", count=None)
    for name in ("weather-jfk", "weather-lga", "planes"):
        sagemaker.create_feature_group(**request(name))
    failed = sagemaker.list_feature_groups(FeatureGroupStatusEquals="CreateFailed")["FeatureGroupSummaries"]
    assert [one["FeatureGroupName"] for one in failed] == ["weather-jfk", "weather-lga"]
