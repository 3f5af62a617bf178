"""Asking models: routing, errors, bounds and metrics of InvokeEndpoint."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.local_aws.endpoints.endpoints import Stage, eventually, times, variant
from tests.local_aws.model_archives import fitted, joblib_model, serving
from tests.local_aws.models.models import IMAGE, put, refused

if TYPE_CHECKING:
    from collections.abc import Callable

ECHO = serving(
    "import json, time\n"
    "def model_fn(model_dir):\n    return None\n"
    "def transform_fn(model, body, content_type, accept):\n"
    "    if content_type == 'text/sleep':\n        time.sleep(float(body))\n"
    "    if content_type == 'text/raise':\n        raise ValueError(body)\n"
    "    return body, accept\n"
)


@pytest.fixture
def echo(stage: Stage) -> Stage:
    """Give an endpoint that answers what it is asked."""
    stage.config(stage.model("echo", ECHO))
    stage.endpoint("echo")
    return stage


def test_traffic_follows_the_weights_and_a_variant_may_be_named(stage: Stage) -> None:
    stage.model("a", times(2))
    stage.model("b", times(3))
    stage.config("both", variant("a", "one", 3), variant("b", "two", 1))
    stage.endpoint("both")
    found = Counter(stage.ask("1") for _ in range(200))
    assert set(found) == {("2.0", "one"), ("3.0", "two")}
    assert 110 <= found["2.0", "one"] <= 185  # 75% of 200, far beyond what chance does
    for _ in range(10):
        assert stage.ask("1", TargetVariant="two") == ("3.0", "two")
    assert refused(stage.ask, TargetVariant="three") == ("ValidationError", "Variant three not found for Request")


def test_bytes_pass_through_unchanged(echo: Stage) -> None:
    body = bytes(range(256)) * 100
    answered = echo.runtime.invoke_endpoint(
        EndpointName="answers", Body=body, ContentType="application/octet-stream", Accept="application/octet-stream"
    )
    assert answered["Body"].read() == body
    assert answered["ContentType"] == "application/octet-stream"
    answered = echo.runtime.invoke_endpoint(EndpointName="answers", Body=b"")
    assert answered["Body"].read() == b""


def test_the_largest_body_is_taken_and_a_larger_one_is_not(echo: Stage) -> None:
    largest = 6_291_456
    asked = {"EndpointName": "answers", "ContentType": "a/b", "Accept": "a/b"}
    assert len(echo.runtime.invoke_endpoint(**asked, Body=b"x" * largest)["Body"].read()) == largest
    assert refused(echo.runtime.invoke_endpoint, **asked, Body=b"x" * (largest + 1)) == (
        "413",
        "HTTP content length exceeded 6291456 bytes.",
    )


def test_a_models_error_comes_with_its_status_and_message(echo: Stage) -> None:
    with pytest.raises(echo.runtime.exceptions.ModelError) as raised:
        echo.runtime.invoke_endpoint(EndpointName="answers", Body="no such plane", ContentType="text/raise")
    found = raised.value.response
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert found["OriginalStatusCode"] == 500
    assert found["OriginalMessage"] == "ValueError: no such plane"
    assert found["LogStreamArn"].endswith("log-group:/aws/sagemaker/Endpoints/answers")
    assert found["Error"]["Message"].startswith(
        'Received server error (500) from primary with message "ValueError: no such plane". See https://us-east-1.'
    )
    assert echo.ask("again")[0] == "again"


def test_a_type_that_the_model_does_not_read_is_a_client_error(stage: Stage) -> None:
    stage.config(stage.model("a", joblib_model(fitted()[0])))
    stage.endpoint("a")
    with pytest.raises(stage.runtime.exceptions.ModelError, match=r"Received client error \(415\)") as raised:
        stage.runtime.invoke_endpoint(EndpointName="answers", Body="<a/>", ContentType="text/xml")
    assert raised.value.response["OriginalStatusCode"] == 415


def test_what_is_not_served_is_refused(echo: Stage) -> None:
    asked = {"EndpointName": "answers", "Body": "1"}
    for more in ({"TargetModel": "a.tar.gz"}, {"InferenceComponentName": "a"}, {"SessionId": "NEW_SESSION"}):
        assert "does not serve" in refused(echo.runtime.invoke_endpoint, **asked, **more)[1]
    code, message = refused(echo.runtime.invoke_endpoint_with_response_stream, **asked)
    assert (code, message) == ("ValidationError", "The local AWS does not stream answers: use InvokeEndpoint.")
    assert refused(echo.runtime.invoke_endpoint, EndpointName="none", Body="1") == (
        "ValidationError",
        "Endpoint none of account 123456789012 not found.",
    )
    code, message = refused(echo.runtime.invoke_endpoint_async, EndpointName="answers", InputLocation="s3://models/a")
    assert "is not asynchronous" in message


def test_containers_in_a_row_answer_as_one(stage: Stage) -> None:
    uris = [put(stage.s3, f"{factor}.tar.gz", times(factor)) for factor in (2, 5)]
    stage.sagemaker.create_model(ModelName="row", Containers=[{"Image": IMAGE, "ModelDataUrl": uri} for uri in uris])
    stage.config("row")
    stage.endpoint("row")
    assert stage.ask("3")[0] == "30.0"
    code, message = refused(stage.ask, body="three")
    assert code == "ModelError"
    assert "from container-1 with message" in message


def test_one_of_several_containers_is_named(stage: Stage) -> None:
    containers = [
        {"Image": IMAGE, "ContainerHostname": name, "ModelDataUrl": put(stage.s3, f"{name}.tar.gz", times(factor))}
        for name, factor in (("double", 2), ("triple", 3))
    ]
    stage.sagemaker.create_model(ModelName="choice", Containers=containers, InferenceExecutionConfig={"Mode": "Direct"})
    stage.config("choice")
    stage.endpoint("choice")
    assert stage.ask("3", TargetContainerHostname="triple")[0] == "9.0"
    assert refused(stage.ask)[0] == "ValidationError"


def test_a_model_package_brings_its_container(stage: Stage) -> None:
    stage.sagemaker.create_model_package_group(ModelPackageGroupName="delays")
    container = {"Image": IMAGE, "ModelDataUrl": put(stage.s3, "v1.tar.gz", times(4))}
    package = stage.sagemaker.create_model_package(
        ModelPackageGroupName="delays",
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    described = stage.sagemaker.describe_model_package
    eventually(lambda: described(ModelPackageName=package)["ModelPackageStatus"], lambda found: found == "Completed")
    stage.sagemaker.create_model(ModelName="v1", PrimaryContainer={"ModelPackageName": package})
    stage.config("v1")
    stage.endpoint("v1")
    assert stage.ask("2")[0] == "8.0"


def test_a_slow_model_holds_up_nobody_else(echo: Stage) -> None:
    echo.config(echo.model("quick", times(2)))
    echo.endpoint("quick", "quick")
    slow = [
        threading.Thread(
            target=lambda: echo.runtime.invoke_endpoint(EndpointName="answers", Body="0.15", ContentType="text/sleep")
        )
        for _ in range(9)
    ]
    for thread in slow:
        thread.start()
    began = time.monotonic()
    for _ in range(10):
        echo.ask("1", "quick")
        echo.status("quick")
    took = time.monotonic() - began
    assert any(thread.is_alive() for thread in slow)
    assert took < 1.0
    for thread in slow:
        thread.join()


def test_a_serverless_endpoint_answers_as_many_at_once_as_it_may(stage: Stage) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
    stage.model("echo", ECHO)
    stage.config("echo", {"VariantName": "AllTraffic", "ModelName": "echo", "ServerlessConfig": serverless})
    stage.endpoint("echo")
    found = stage.describe()["ProductionVariants"][0]
    assert found["CurrentServerlessConfig"] == serverless
    assert found["CurrentInstanceCount"] == 0
    asked = {"EndpointName": "answers", "Body": "0.5", "ContentType": "text/sleep"}
    slow = threading.Thread(
        # It may be the one that is throttled, and comes again.
        target=lambda: eventually(
            lambda: _code(lambda: stage.runtime.invoke_endpoint(**asked)), lambda code: code is None
        )
    )
    slow.start()
    throttled = eventually(lambda: _code(stage.ask), lambda code: code is not None, patience=5)
    assert throttled == "ThrottlingException"
    slow.join()
    assert stage.ask("1")[0] == "1"


def _code(call: Callable[[], Any]) -> str | None:
    from botocore.exceptions import ClientError

    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def test_invocations_are_measured(echo: Stage) -> None:
    for _ in range(3):
        echo.ask("1")
    refused(echo.runtime.invoke_endpoint, EndpointName="answers", Body="1", ContentType="text/raise")
    cloudwatch, now = echo.aws.client("cloudwatch"), echo.aws.now()

    def statistic(metric: str, name: str) -> float:
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[
                {"Name": "EndpointName", "Value": "answers"},
                {"Name": "VariantName", "Value": "AllTraffic"},
            ],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=600,
            Statistics=[name],
        )["Datapoints"]
        return float(points[0][name])

    assert statistic("Invocations", "Sum") == 4
    assert statistic("Invocation5XXErrors", "Sum") == 1
    assert statistic("Invocation4XXErrors", "Sum") == 0
    assert statistic("ModelLatency", "SampleCount") == 4
    assert 50 < statistic("ModelLatency", "Average") < 5_000_000
