"""Asynchronous endpoints: input, answers and failures in S3."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local_aws.endpoints.endpoints import Stage, eventually, times, variant
from tests.local_aws.models.models import MODELS, put, refused


@pytest.fixture
def queue(stage: Stage) -> Stage:
    """Give an asynchronous endpoint that doubles numbers, and tells a topic that is read by an SQS queue."""
    topic = stage.aws.client("sns").create_topic(Name="news")["TopicArn"]
    sqs = stage.aws.client("sqs")
    inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stage.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    stage.model("double", times(2))
    output = {
        "S3OutputPath": f"s3://{MODELS}/answers/",
        "S3FailurePath": f"s3://{MODELS}/failures",
        "NotificationConfig": {"SuccessTopic": topic, "ErrorTopic": topic},
    }
    stage.config("double", variant("double"), AsyncInferenceConfig={"OutputConfig": output})
    stage.endpoint("double")
    return stage


def read(stage: Stage, uri: str) -> str:
    """Wait for an object, and give its text."""
    key = uri.removeprefix(f"s3://{MODELS}/")
    eventually(lambda: stage.keys(key), lambda found: found == [key])
    return str(stage.s3.get_object(Bucket=MODELS, Key=key)["Body"].read().decode())


def news(stage: Stage) -> dict[str, Any]:
    sqs = stage.aws.client("sqs")
    inbox = sqs.get_queue_url(QueueName="inbox")["QueueUrl"]
    found = eventually(lambda: sqs.receive_message(QueueUrl=inbox).get("Messages"), bool)
    told: dict[str, Any] = json.loads(json.loads(found[0]["Body"])["Message"])
    return told


def test_the_answer_comes_to_s3(queue: Stage) -> None:
    taken = queue.runtime.invoke_endpoint_async(
        EndpointName="answers",
        InputLocation=put(queue.s3, "in.csv", b"21"),
        ContentType="text/csv",
        InferenceId="flight-7",
    )
    assert taken["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert taken["InferenceId"] == "flight-7"
    assert taken["OutputLocation"].startswith(f"s3://{MODELS}/answers/")
    assert taken["OutputLocation"].endswith(".out")
    assert read(queue, taken["OutputLocation"]) == "42.0"
    told = news(queue)
    assert (told["invocationStatus"], told["inferenceId"]) == ("Completed", "flight-7")
    assert told["responseParameters"]["outputLocation"] == taken["OutputLocation"]


def test_a_failure_comes_to_s3(queue: Stage) -> None:
    taken = queue.runtime.invoke_endpoint_async(
        EndpointName="answers", InputLocation=put(queue.s3, "in.csv", b"x"), ContentType="text/csv"
    )
    reason = read(queue, taken["FailureLocation"])
    assert "Received server error (500) from primary" in reason
    assert "could not convert string to float" in reason
    assert queue.keys("answers/") == []
    told = news(queue)
    assert (told["invocationStatus"], told["failureReason"]) == ("Failed", reason)


def test_input_that_is_not_there_is_a_failure(queue: Stage) -> None:
    taken = queue.runtime.invoke_endpoint_async(EndpointName="answers", InputLocation=f"s3://{MODELS}/none.csv")
    assert "NoSuchKey" in read(queue, taken["FailureLocation"])


def test_the_body_may_come_with_the_request_and_the_answer_be_named(queue: Stage) -> None:
    taken = queue.runtime.invoke_endpoint_async(
        EndpointName="answers", Body=b"4", S3OutputPathExtension="2013/01", Filename="flight.csv"
    )
    assert taken["OutputLocation"] == f"s3://{MODELS}/answers/2013/01/flight.csv"
    assert read(queue, taken["OutputLocation"]) == "8.0"
    assert (
        "Either InputLocation or a body"
        in refused(
            queue.runtime.invoke_endpoint_async, EndpointName="answers", Body=b"4", InputLocation=f"s3://{MODELS}/a"
        )[1]
    )


def test_an_asynchronous_endpoint_does_not_answer_at_once(queue: Stage) -> None:
    assert refused(queue.ask) == ("ValidationError", "Endpoint answers is asynchronous: use InvokeEndpointAsync.")
    assert queue.describe()["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"] == f"s3://{MODELS}/answers/"
