"""Requests and answers of REST-JSON whose members stand outside of a JSON body, by a model of our own."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.model import ServiceModel
from botocore.parsers import RestJSONParser

from festaf.local_aws.protocol.message import Answer, Request
from festaf.local_aws.protocol.operation import Operation
from festaf.local_aws.protocol.parsing import Parsers
from festaf.local_aws.protocol.serializing import Serializers
from festaf.local_aws.service import ApiError

SHAPES: dict[str, Any] = {
    "Ask": {
        "type": "structure",
        "required": ["Name", "Body"],
        "members": {
            "Name": {"shape": "Name", "location": "uri", "locationName": "Name"},
            "Body": {"shape": "Blob"},
            "Kind": {"shape": "Name", "location": "header", "locationName": "Content-Type"},
            "Seconds": {"shape": "Seconds", "location": "header", "locationName": "X-Seconds"},
        },
        "payload": "Body",
    },
    "Answer": {
        "type": "structure",
        "members": {
            "Body": {"shape": "Blob"},
            "Kind": {"shape": "Name", "location": "header", "locationName": "Content-Type"},
            "Seconds": {"shape": "Seconds", "location": "header", "locationName": "X-Seconds"},
            "Status": {"shape": "Seconds", "location": "statusCode"},
        },
        "payload": "Body",
    },
    "Ticket": {
        "type": "structure",
        "members": {
            "Number": {"shape": "Seconds"},
            "Place": {"shape": "Name", "location": "header", "locationName": "X-Place"},
        },
    },
    "Blob": {"type": "blob"},
    "Name": {"type": "string", "max": 20},
    "Seconds": {"type": "integer", "min": 1},
    "Sorry": {
        "type": "structure",
        "members": {"Message": {"shape": "Name"}, "Original": {"shape": "Seconds"}},
        "error": {"httpStatusCode": 424},
        "exception": True,
    },
}


def operation(name: str, output: str, status: int = 200) -> dict[str, Any]:
    return {
        "name": name,
        "http": {"method": "POST", "requestUri": "/ask/{Name}", "responseCode": status},
        "input": {"shape": "Ask"},
        "output": {"shape": output},
        "errors": [{"shape": "Sorry"}],
    }


MODEL = ServiceModel(
    {
        "metadata": {"protocol": "rest-json", "endpointPrefix": "oracle"},
        "operations": {"Ask": operation("Ask", "Answer"), "Queue": operation("Queue", "Ticket", 202)},
        "shapes": SHAPES,
    },
    "oracle",
)


def made(name: str) -> Operation:
    return Operation(MODEL.operation_model(name), Parsers(), Serializers())


def read(name: str, answer: Answer) -> dict[str, Any]:
    """Read an answer as botocore does."""
    model = MODEL.operation_model(name)
    headers = HeadersDict({key.decode(): value.decode() for key, value in answer.headers})
    body = io.BytesIO(answer.body) if model.has_streaming_output else answer.body
    response = {"status_code": answer.status, "headers": headers, "body": body}
    parsed: dict[str, Any] = RestJSONParser().parse(response, model.output_shape)
    return parsed


def request(body: bytes, **headers: str) -> Request:
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Request("POST", "/ask/delphi", "", named, body)


def test_a_body_of_any_bytes_and_headers_are_parameters() -> None:
    body = bytes(range(256))
    parsed = made("Ask").parse(request(body, content_type="a/b", x_seconds="7"), {"Name": "delphi"})
    assert parsed == {"Name": "delphi", "Body": body, "Kind": "a/b", "Seconds": 7}
    assert made("Ask").parse(request(b""), {"Name": "delphi"}) == {"Name": "delphi", "Body": b""}


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"x_seconds": "0"}, "Value '0' at 'seconds' failed to satisfy constraint: Member must have value greater"),
        ({"content_type": "x" * 21}, "at 'kind' failed to satisfy constraint: Member must have length less than"),
    ],
)
def test_headers_are_checked_like_everything_else(headers: dict[str, str], message: str) -> None:
    with pytest.raises(ApiError, match=message) as raised:
        made("Ask").parse(request(b"{not json", **headers), {"Name": "delphi"})
    assert raised.value.code == "ValidationError"


def test_an_answer_is_its_bytes_its_headers_and_its_status() -> None:
    body = b"\x00\xff"
    answer = made("Ask").answer({"Body": body, "Kind": "a/b", "Seconds": 7, "Status": 203})
    assert (answer.status, answer.body) == (203, body)
    assert dict(answer.headers)[b"content-type"] == b"a/b"
    found = read("Ask", answer)
    assert (found["Body"].read(), found["Kind"], found["Seconds"], found["Status"]) == (body, "a/b", 7, 203)


def test_what_is_no_header_stays_in_the_body() -> None:
    answer = made("Queue").answer({"Number": 7, "Place": "door"})
    assert (answer.status, json.loads(answer.body)) == (202, {"Number": 7})
    found = read("Queue", answer)
    assert (found["Number"], found["Place"]) == (7, "door")


def test_an_error_may_have_more_members_than_its_message() -> None:
    answer = made("Ask").refuse(ApiError("Sorry", "no", Original=500))
    assert (answer.status, json.loads(answer.body)) == (424, {"Message": "no", "Original": 500})
