"""The one door: what is ours, what is moto's, and what is nobody's."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from festaf.local_aws.server import LocalAws as InProcess
from festaf.local_aws.settings import Settings
from tests.local_aws.feature_groups import online_only, record

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

SIGNED = "AWS4-HMAC-SHA256 Credential=local/20130101/eu-west-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"


def test_services_that_are_not_ours_are_motos(local_aws: LocalAws) -> None:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket="features")
    s3.put_object(Bucket="features", Key="a b/ü=1+2%2F", Body=b"text", Metadata={"who": "me"})
    assert s3.head_object(Bucket="features", Key="a b/ü=1+2%2F")["Metadata"] == {"who": "me"}
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="features")["Contents"]] == ["a b/ü=1+2%2F"]
    s3.upload_fileobj(io.BytesIO(b"x" * 9_000_000), "features", "large")
    assert len(s3.get_object(Bucket="features", Key="large")["Body"].read()) == 9_000_000
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "features", "Key": "a b/ü=1+2%2F"})
    assert httpx.get(url).content == b"text"
    assert local_aws.client("sts").get_caller_identity()["Account"] == "123456789012"
    local_aws.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
    local_aws.client("cloudwatch").put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1.0}])
    local_aws.client("logs").create_log_group(logGroupName="group")
    assert local_aws.client("glue").get_databases()["DatabaseList"] == []


def test_operations_of_sagemaker_that_are_not_ours_are_motos(local_aws: LocalAws) -> None:
    sagemaker = local_aws.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="delays")
    assert sagemaker.list_experiments()["ExperimentSummaries"][0]["ExperimentName"] == "delays"


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("sagemaker", "list_inference_components", "UnknownOperationException"),
        ("glue", "list_usage_profiles", "UnknownOperationException"),
        ("iam", "get_organizations_access_report", "InvalidAction"),
    ],
)
def test_what_nobody_answers_is_refused_for_good(local_aws: LocalAws, service: str, call: str, code: str) -> None:
    asked = {"JobId": "x" * 36} if service == "iam" else {}
    with pytest.raises(ClientError, match="does not answer") as raised:
        getattr(local_aws.client(service), call)(**asked)
    answer = raised.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["RetryAttempts"]) == (code, 0)


def test_a_mistake_of_motos_is_a_failure_with_its_operation(local_aws: LocalAws) -> None:
    sagemaker = local_aws.client("sagemaker", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError, match="moto, which answers DescribeExperiment in the local AWS, failed") as raised:
        sagemaker.describe_experiment(ExperimentName="absent")
    assert raised.value.response["Error"]["Code"] == "InternalFailure"


@pytest.mark.parametrize("target", ["AmazonAthena.ListWorkGroups", "AWSGlue.GetDatabases"])
def test_a_mistake_before_a_read_is_a_failure_of_awss_form_too(target: str, caplog: pytest.LogCaptureFixture) -> None:
    aws = InProcess(Settings())
    service = {"AmazonAthena": "athena", "AWSGlue": "glue"}[target.partition(".")[0]]
    headers = {
        "x-amz-target": target,
        "content-type": "application/x-amz-json-1.1",
        "authorization": SIGNED.replace("sagemaker", service),
    }

    def fail(_service: str | None) -> None:
        raise ValueError("ours")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(aws.gateway)  # type: ignore[arg-type] # it has types of its own for the same
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.post("/", content=b"{}", headers=headers)

    try:
        assert asyncio.run(ask()).status_code == 200
        aws.gateway.before_reading = fail
        answer = asyncio.run(ask())
    finally:
        aws.close()
    assert (answer.status_code, answer.json()["__type"]) == (500, "InternalFailure")
    assert "ours" in caplog.text


def test_the_region_comes_from_the_signature(local_aws: LocalAws) -> None:
    answer = httpx.post(
        local_aws.url,
        json=online_only(),
        headers={"x-amz-target": "SageMaker.CreateFeatureGroup", "authorization": SIGNED},
    )
    assert ":eu-west-1:" in answer.json()["FeatureGroupArn"]


def test_an_unsigned_request_is_answered_in_the_default_region(local_aws: LocalAws, sagemaker: Any) -> None:
    headers = {"x-amz-target": "SageMaker.CreateFeatureGroup"}
    assert httpx.post(local_aws.url, json=online_only(), headers=headers).status_code == 200
    assert len(sagemaker.list_feature_groups()["FeatureGroupSummaries"]) == 1


def test_members_that_are_unknown_or_null_are_left_out(local_aws: LocalAws, sagemaker: Any) -> None:
    asked = {**online_only(), "Colour": "blue", "Description": None}
    httpx.post(local_aws.url, json=asked, headers={"x-amz-target": "SageMaker.CreateFeatureGroup"}).raise_for_status()
    assert "Description" not in sagemaker.describe_feature_group(FeatureGroupName="weather")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff\xfe"])
def test_a_body_that_is_no_json_object_is_refused(local_aws: LocalAws, body: bytes) -> None:
    headers = {"x-amz-target": "SageMaker.ListFeatureGroups", "authorization": SIGNED}
    answer = httpx.post(local_aws.url, content=body, headers=headers)
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")
    answer = httpx.put(f"{local_aws.url}/FeatureGroup/weather", content=body, headers={"authorization": SIGNED})
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "SerializationException")


def test_an_empty_body_means_no_parameters(local_aws: LocalAws) -> None:
    headers = {"x-amz-target": "SageMaker.ListFeatureGroups"}
    assert httpx.post(local_aws.url, headers=headers).json() == {"FeatureGroupSummaries": []}


def test_writes_of_many_threads_all_arrive(local_aws: LocalAws, sagemaker: Any, runtime: Any) -> None:
    sagemaker.create_feature_group(**online_only())

    def put(number: int) -> None:
        runtime.put_record(FeatureGroupName="weather", Record=record(f"airport-{number:03}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(200)))
    pages = [
        runtime.list_records(FeatureGroupName="weather", MaxResults=100),
        runtime.list_records(FeatureGroupName="weather", MaxResults=100, IncludeSoftDeletedRecords=True),
    ]
    assert [len(page["RecordIdentifiers"]) for page in pages] == [100, 100]
    assert local_aws.stats()["PutRecord"] == 200


def test_calls_are_counted_by_operation_until_the_reset(local_aws: LocalAws, sagemaker: Any, s3: Any) -> None:
    sagemaker.list_feature_groups()
    with pytest.raises(ClientError):
        sagemaker.describe_feature_group(FeatureGroupName="nothing")
    assert local_aws.stats() == {"CreateBucket": 1, "ListFeatureGroups": 1, "DescribeFeatureGroup": 1}
    local_aws.reset()
    assert local_aws.stats() == {}


def test_a_reset_forgets_everything(local_aws: LocalAws, sagemaker: Any, s3: Any) -> None:
    sagemaker.create_feature_group(**online_only())
    local_aws.fault(operation="ListFeatureGroups", kind="error", count=None)
    local_aws.settings(create_seconds=60)
    local_aws.advance(40 * 86400)
    local_aws.reset()
    assert abs(local_aws.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert sagemaker.list_feature_groups()["FeatureGroupSummaries"] == []
    assert s3.list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "message"),
    [
        ("PUT", "settings", {"create_second": 1}, 400, "create_second: Extra inputs are not permitted"),
        ("PUT", "settings", {"create_seconds": -1}, 400, "create_seconds: Input should be greater than or equal to 0"),
        ("PUT", "settings", [1], 400, "settings are a JSON object"),
        ("POST", "clock", {"advance": -1}, 400, "advance: Input should be greater than or equal to 0"),
        ("POST", "clock", {"back": 1}, 400, "back: Extra inputs are not permitted"),
        ("GET", "nothing", None, 404, "The local AWS has no GET /_local/nothing"),
    ],
)
def test_the_control_refuses_what_it_does_not_know(
    local_aws: LocalAws, method: str, path: str, content: Any, status: int, message: str
) -> None:
    answer = httpx.request(method, f"{local_aws.url}/_local/{path}", json=content)
    assert answer.status_code == status
    assert message in answer.json()["message"]


def test_settings_change_one_by_one(local_aws: LocalAws) -> None:
    local_aws.settings(create_seconds=7)
    found = httpx.get(f"{local_aws.url}/_local/settings").json()
    assert (found["create_seconds"], found["glue_seconds"]) == (7, 0)
    assert httpx.get(f"{local_aws.url}/_local/health").json()["status"] == "ready"
