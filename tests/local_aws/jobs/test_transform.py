"""Batch transform really asks a model, file by file, in the process that also serves endpoints."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.local_aws.jobs.test_course import refused
from tests.local_aws.jobs.work import BUCKET, IMAGE, PATIENCE, ROLE, packed

if TYPE_CHECKING:
    from tests.local_aws.jobs.work import Workshop

INFERENCE = """
import csv, io, json, os, time

def model_fn(model_dir):
    return int(open(os.path.join(model_dir, "factor")).read()) * int(os.environ.get("TIMES", "1"))

def input_fn(body, content_type):
    text = body if isinstance(body, str) else body.decode()
    if "sleep" in text:
        print("asleep", flush=True)
        time.sleep(600)
    if content_type == "text/csv":
        return [[float(value) for value in row] for row in csv.reader(io.StringIO(text)) if row]
    if content_type == "application/json":
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines()]

def predict_fn(rows, factor):
    print(f"asked for {len(rows)}", flush=True)
    if isinstance(rows, dict):
        return {"total": factor * sum(rows["x"])}
    return [factor * sum(row if isinstance(row, list) else row["x"]) for row in rows]

def output_fn(prediction, accept):
    if accept == "text/csv":
        return "\\n".join(f"{one:g}" for one in prediction), accept
    if accept == "application/json":
        return json.dumps(prediction), accept
    return "\\n".join(json.dumps({"total": one}) for one in prediction), accept
"""


@pytest.fixture
def model(shop: Workshop) -> Workshop:
    """A model that adds and multiplies."""
    uri = shop.put("models/sum.tar.gz", packed({"factor": "2", "code/inference.py": INFERENCE}))
    shop.sagemaker.create_model(
        ModelName="sum", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": uri}
    )
    return shop


def request(name: str, prefix: str = "in/", kind: str = "text/csv", **changes: Any) -> dict[str, Any]:
    """Give the request of a transform job over lines."""
    made = {
        "TransformJobName": name,
        "ModelName": "sum",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{prefix}"}},
            "ContentType": kind,
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/scored", "Accept": kind, "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    for member in ("TransformInput", "TransformOutput"):
        made[member] |= changes.pop(member, {})  # type: ignore[operator]  # Both are mappings.
    return made | changes


def ended(shop: Workshop, name: str) -> dict[str, Any]:
    """Describe a transform job at its end."""
    latest = time.monotonic() + PATIENCE
    while time.monotonic() < latest:
        found: dict[str, Any] = shop.sagemaker.describe_transform_job(TransformJobName=name)
        if found["TransformJobStatus"] not in ("InProgress", "Stopping"):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{name} is {found['TransformJobStatus']}")


def transform(shop: Workshop, name: str, **changes: Any) -> dict[str, Any]:
    """Run a transform job to its end, and describe it."""
    shop.sagemaker.create_transform_job(**request(name, **changes))
    return ended(shop, name)


def test_every_file_is_answered_under_its_name(model: Workshop) -> None:
    model.put("in/a.csv", "1,2\n3,4\n")
    model.put("in/deep/b.csv", "5,6\r\n7,8")
    found = transform(model, "score", Environment={"TIMES": "5"})
    assert found["TransformJobStatus"] == "Completed"
    assert found["CreationTime"] <= found["TransformStartTime"] <= found["TransformEndTime"]
    assert model.keys("scored/") == ["scored/a.csv.out", "scored/deep/b.csv.out"]
    assert model.get("scored/a.csv.out") == b"30\n70\n"
    assert model.get("scored/deep/b.csv.out") == b"110\n150\n"
    assert model.log("TransformJobs", "score") == ["asked for 2", "asked for 2"]


def test_a_strategy_says_how_many_records_go_at_once(model: Workshop) -> None:
    model.put("in/a.csv", "1\n2\n3\n")
    transform(model, "single", BatchStrategy="SingleRecord")
    assert model.get("scored/a.csv.out") == b"2\n4\n6\n"
    assert model.log("TransformJobs", "single") == ["asked for 1"] * 3
    joined = transform(model, "whole", TransformInput={"SplitType": "None"}, TransformOutput={"AssembleWith": "None"})
    assert joined["TransformJobStatus"] == "Completed"
    assert model.get("scored/a.csv.out") == b"2\n4\n6"


def test_records_fill_requests_up_to_the_largest_payload(model: Workshop) -> None:
    line = "1," * 200_000 + "1\n"
    model.put("in/a.csv", line * 4)
    transform(model, "large", MaxPayloadInMB=1)
    assert model.get("scored/a.csv.out") == b"400002\n" * 4
    assert model.log("TransformJobs", "large") == ["asked for 2"] * 2
    model.put("in/a.csv", "1," * 600_000 + "1\n")
    found = transform(model, "too-large", MaxPayloadInMB=1)
    assert "is larger than MaxPayloadInMB" in found["FailureReason"]


def test_input_and_answers_are_joined_in_csv(model: Workshop) -> None:
    model.put("in/a.csv", '"AA 1, late",1,2\nB6,3,4\n')
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    transform(model, "joined", DataProcessing=processing)
    assert model.get("scored/a.csv.out") == b'"AA 1, late",6\nB6,14\n'
    transform(model, "all", DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input"})
    assert model.get("scored/a.csv.out") == b'"AA 1, late",1,2,6\nB6,3,4,14\n'


def test_input_and_answers_are_joined_in_json_lines(model: Workshop) -> None:
    model.put("in/a.jsonl", '{"id": "Zürich", "x": [1, 2]}\n{"id": "B", "x": [3]}\n')
    processing = {"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
    transform(model, "joined", kind="application/jsonlines", DataProcessing=processing)
    lines = [json.loads(line) for line in model.get("scored/a.jsonl.out").splitlines()]
    assert lines == [
        {"id": "Zürich", "SageMakerOutput": {"total": 6}},
        {"id": "B", "SageMakerOutput": {"total": 6}},
    ]
    transform(model, "only", kind="application/jsonlines", DataProcessing={"OutputFilter": "$.total"})
    assert model.get("scored/a.jsonl.out") == b"6\n6\n"


def test_a_whole_json_document_is_one_record(model: Workshop) -> None:
    model.put("in/a.json", '{"x": [1, 2]}')
    changes = {"TransformInput": {"SplitType": "None"}, "TransformOutput": {"AssembleWith": "None"}}
    transform(model, "document", kind="application/json", DataProcessing={"JoinSource": "Input"}, **changes)
    assert json.loads(model.get("scored/a.json.out")) == {"x": [1, 2], "SageMakerOutput": {"total": 6}}


def test_compressed_input_is_read(model: Workshop) -> None:
    model.put("in/a.csv.gz", gzip.compress(b"1,2\n"))
    transform(model, "gzip", TransformInput={"CompressionType": "Gzip"})
    assert model.get("scored/a.csv.gz.out") == b"6\n"


def test_a_bad_file_fails_the_job_and_not_the_others(model: Workshop) -> None:
    model.put("in/a.csv", "1,none\n")
    model.put("in/b.csv", "1,2\n")
    found = transform(model, "half", ModelClientConfig={"InvocationsMaxRetries": 1})
    assert found["TransformJobStatus"] == "Failed"
    assert found["FailureReason"].startswith(
        f"AlgorithmError: See job logs for more information. s3://{BUCKET}/in/a.csv: Bad HTTP status received from "
        "algorithm: 500, ValueError: could not convert string to float"
    )
    assert model.keys("scored/") == ["scored/b.csv.out"]
    said = "\n".join(model.log("TransformJobs", "half"))
    assert said.count("Traceback (most recent call last)") == 2


def test_a_model_that_does_not_load_fails_the_job(shop: Workshop) -> None:
    broken = "def model_fn(model_dir):\n    raise ImportError('no xgboost here')"
    uri = shop.put("models/broken.tar.gz", packed({"code/inference.py": broken}))
    shop.sagemaker.create_model(
        ModelName="sum", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": uri}
    )
    shop.put("in/a.csv", "1\n")
    found = transform(shop, "broken")
    assert found["TransformJobStatus"] == "Failed"
    assert "did not pass the ping health check: ImportError: no xgboost here" in found["FailureReason"]
    assert any("Traceback" in line for line in shop.log("TransformJobs", "broken"))


def test_a_transform_job_is_stopped_while_the_model_works(model: Workshop) -> None:
    model.put("in/a.csv", "1\n")
    model.put("in/b.csv", "sleep\n")
    model.sagemaker.create_transform_job(**request("stop"))
    latest = time.monotonic() + PATIENCE
    while not model.keys("scored/") and time.monotonic() < latest:
        time.sleep(0.02)
    model.sagemaker.stop_transform_job(TransformJobName="stop")
    assert ended(model, "stop")["TransformJobStatus"] == "Stopped"
    assert model.keys("scored/") == ["scored/a.csv.out"]
    listed = model.sagemaker.list_transform_jobs(StatusEquals="Stopped")["TransformJobSummaries"]
    assert [one["TransformJobName"] for one in listed] == ["stop"]


def test_an_ordered_failure_fails_the_job(model: Workshop) -> None:
    model.put("in/a.csv", "1\n")
    model.aws.fault(kind="fail_creation", resource="transform-job", reason="CapacityError: none left")
    found = transform(model, "ordered")
    assert (found["TransformJobStatus"], found["FailureReason"]) == ("Failed", "CapacityError: none left")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ModelName": "none"}, 'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/none"'),
        ({"prefix": "nothing"}, "No S3 objects found under S3 URL"),
        ({"TransformInput": {"SplitType": "RecordIO"}}, "The local AWS cannot split by RecordIO"),
        ({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, "must not exceed 100 MB"),
        ({"DataProcessing": {"InputFilter": "x"}}, "must begin with $"),
        ({"DataProcessing": {"InputFilter": "$[?(@.a)]"}}, "is not supported at"),
        ({"DataProcessing": {"OutputFilter": "$[1:3]"}}, "cannot tell what AWS selects by a slice with an end"),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "TransformOutput": {"Accept": "application/json"}},
            "must both be",
        ),
        ({"DataProcessing": {"JoinSource": "Input"}, "TransformOutput": {"AssembleWith": "None"}}, "must be the same"),
    ],
)
def test_what_cannot_be_run_is_refused(model: Workshop, changes: dict[str, Any], said: str) -> None:
    model.put("in/a.csv", "1\n")
    message = refused("ValidationException", model.sagemaker.create_transform_job, **request("no", **changes))
    assert said in message
