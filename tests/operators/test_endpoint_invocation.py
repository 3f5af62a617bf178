from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from festaf.operators.endpoint import AsyncInference, DeployEndpointOperator, InvokeEndpointOperator
from festaf.provider import errors
from tests.endpoints import FAILING, QUICK, create_model, variant
from tests.feature_store import BUCKET

if TYPE_CHECKING:
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

pytestmark = pytest.mark.timeout(180)

ECHO = (
    "import json\n"
    "def model_fn(model_dir):\n    return None\n"
    "def transform_fn(model, body, content_type, accept):\n"
    "    text = body if isinstance(body, str) else body.decode()\n"
    "    return json.dumps({'sent': text, 'type': content_type}), 'application/json'\n"
)


def deploy(aws: LocalAws, run: Run, code: str = ECHO, **parameters: Any) -> None:
    create_model(aws, "echo", code)
    DeployEndpointOperator(
        task_id="deploy", variants=[variant("echo", name="A")], deferrable=False, **QUICK, **parameters
    ).execute(run.context)


def invoke(run: Run, payload: Any, **parameters: Any) -> dict[str, Any]:
    return InvokeEndpointOperator(**({"task_id": "ask", "payload": payload, **QUICK} | parameters)).execute(run.context)


def test_text_json_and_objects_are_sent_as_what_they_are(aws: LocalAws, run: Run) -> None:
    deploy(aws, run)
    answer = invoke(run, "1,2")
    assert answer["content"] == {"sent": "1,2", "type": "text/csv"}
    assert (answer["variant"], answer["s3_uri"]) == ("A", None)
    assert invoke(run, {"rows": [1]})["content"] == {"sent": '{"rows": [1]}', "type": "application/json"}
    aws.client("s3").put_object(Bucket=BUCKET, Key="rows.csv", Body=b"7,8")
    assert invoke(run, f"s3://{BUCKET}/rows.csv")["content"]["sent"] == "7,8"
    assert invoke(run, "1", variant="A", inference_id="x", accept="application/json")["variant"] == "A"


def test_a_large_answer_goes_to_s3_or_is_refused(aws: LocalAws, run: Run) -> None:
    deploy(aws, run)
    with pytest.raises(errors.InputError, match="more than the 20 that go to XCom: give output_s3_uri"):
        invoke(run, "1,2", max_xcom_bytes=20)
    uri = f"s3://{BUCKET}/answers/one.json"
    answer = invoke(run, "1,2", output_s3_uri=uri)
    assert (answer["content"], answer["s3_uri"]) == (None, uri)
    assert b'"1,2"' in aws.client("s3").get_object(Bucket=BUCKET, Key="answers/one.json")["Body"].read()


def test_an_error_of_the_model_is_told_in_its_own_words(aws: LocalAws, run: Run) -> None:
    deploy(aws, run, FAILING)
    with pytest.raises(errors.RefusedError, match=r"The model of endpoint delay answered 500: .*seats are missing"):
        invoke(run, "1")


def test_a_passing_fault_is_waited_out_and_one_that_lasts_fails_the_task(aws: LocalAws, run: Run) -> None:
    deploy(aws, run)
    for fault in ({"kind": "throttle", "count": 3}, {"kind": "error", "status": 503, "count": 3}, {"kind": "reset"}):
        aws.fault(operation="InvokeEndpoint", **fault)
        assert invoke(run, "1")["content"]["sent"] == "1"
    aws.fault(kind="throttle", operation="InvokeEndpoint", count=None)
    with pytest.raises(errors.ServiceError, match="ThrottlingException"):
        invoke(run, "1", timeout=1)


def test_an_asynchronous_endpoint_is_asked_and_waited_for(aws: LocalAws, run: Run) -> None:
    deploy(aws, run, asynchronous=AsyncInference(output_s3_uri=f"s3://{BUCKET}/async"))
    answer = invoke(run, "5,6", asynchronous=True)
    assert answer["content"]["sent"] == "5,6"
    assert answer["s3_uri"].startswith(f"s3://{BUCKET}/async/")
    promised = invoke(run, "5,6", asynchronous=True, wait_for_completion=False)
    assert (promised["content"], promised["s3_uri"].startswith("s3://")) == (None, True)


def test_a_failure_of_an_asynchronous_model_is_told(aws: LocalAws, run: Run) -> None:
    places = AsyncInference(output_s3_uri=f"s3://{BUCKET}/async", failure_s3_uri=f"s3://{BUCKET}/failed")
    deploy(aws, run, FAILING, asynchronous=places)
    with pytest.raises(errors.RefusedError, match="seats are missing"):
        invoke(run, "1", asynchronous=True)


MISTAKES: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (f"s3://{BUCKET}/absent.csv", {}, errors.InputError, "There is no payload"),
    ({1, 2}, {}, errors.InputError, "cannot be written as JSON"),
    ("1", {"output_s3_uri": "/tmp/x"}, errors.InputError, "is no S3 object"),
    ("1", {"variant": "B"}, errors.RefusedError, "B"),
    ("1", {"endpoint": "other"}, errors.RefusedError, "other"),
    ("1", {"asynchronous": True}, errors.InputError, "is not asynchronous"),
]


def test_a_mistake_is_told(aws: LocalAws, run: Run) -> None:
    deploy(aws, run)
    for payload, parameters, error, said in MISTAKES:
        with pytest.raises(error) as caught:
            invoke(run, payload, **parameters)
        assert said in str(caught.value)
