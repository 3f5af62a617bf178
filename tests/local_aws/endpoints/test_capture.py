"""Data capture: what was asked and answered, in S3 as AWS lays it out."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.local_aws.endpoints.endpoints import Stage, times, variant
from tests.local_aws.models.models import MODELS, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADERS = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}


def capture(*modes: str, percentage: int = 100, **more: Any) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percentage,
        "DestinationS3Uri": f"s3://{MODELS}/captured/",
        "CaptureOptions": [{"CaptureMode": mode} for mode in modes or ("Input", "Output")],
        "CaptureContentTypeHeader": HEADERS,
        **more,
    }


def serve(stage: Stage, config: Mapping[str, Any]) -> None:
    stage.model("double", times(2))
    stage.config("double", variant("double"), DataCaptureConfig=config)
    stage.endpoint("double")


def test_both_sides_are_captured_as_json_lines(stage: Stage) -> None:
    serve(stage, capture())
    stage.ask("4", InferenceId="flight-7", CustomAttributes="trace=1")
    stage.ask("5")
    keys = stage.keys("captured/")
    now = stage.aws.now()
    hour = rf"captured/answers/AllTraffic/{now:%Y/%m/%d/%H}"
    assert re.fullmatch(rf"{hour}/\d\d-\d\d-\d{{3}}-[0-9a-f-]{{36}}\.jsonl", keys[0])
    first, second = stage.lines("captured/")
    assert first["captureData"] == {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": "4", "encoding": "CSV"},
        "endpointOutput": {"observedContentType": "text/csv", "mode": "OUTPUT", "data": "8.0", "encoding": "CSV"},
    }
    assert first["eventVersion"] == "0"
    event = first["eventMetadata"]
    assert (event["inferenceId"], event["customAttributes"]) == ("flight-7", ["trace=1"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["inferenceTime"])
    assert re.fullmatch(r"[0-9a-f-]{36}", event["eventId"])
    assert set(second["eventMetadata"]) == {"eventId", "inferenceTime"}
    found = stage.describe()["DataCaptureConfig"]
    assert (found["EnableCapture"], found["CaptureStatus"]) == (True, "Started")
    assert (found["CurrentSamplingPercentage"], found["DestinationS3Uri"]) == (100, f"s3://{MODELS}/captured/")


def test_what_has_no_known_type_is_captured_in_base64(stage: Stage) -> None:
    serve(stage, capture("Input"))
    stage.runtime.invoke_endpoint(EndpointName="answers", Body=b"4", ContentType="application/x-mine")
    (line,) = stage.lines("captured/")
    assert line["captureData"] == {
        "endpointInput": {
            "observedContentType": "application/x-mine",
            "mode": "INPUT",
            "data": base64.b64encode(b"4").decode(),
            "encoding": "BASE64",
        }
    }


def test_only_the_sample_is_captured(stage: Stage) -> None:
    serve(stage, capture("InputAndOutput", percentage=50))
    for _ in range(100):
        stage.ask()
    assert 20 <= len(stage.lines("captured/")) <= 80  # half of 100, far beyond what chance does
    assert set(stage.lines("captured/")[0]["captureData"]) == {"endpointInput", "endpointOutput"}


@pytest.mark.parametrize("config", [capture(percentage=0), {**capture(), "EnableCapture": False}])
def test_nothing_is_captured_when_nothing_is_wanted(stage: Stage, config: dict[str, Any]) -> None:
    serve(stage, config)
    stage.ask()
    assert stage.keys("captured/") == []
    assert stage.describe()["DataCaptureConfig"]["CaptureStatus"] == (
        "Started" if config["EnableCapture"] else "Stopped"
    )


def test_capturing_to_something_else_than_s3_is_refused(stage: Stage) -> None:
    stage.model("double", times(2))
    asked = capture(DestinationS3Uri="https://bucket/captured")
    assert "writes only to s3:// URIs" in refused(stage.config, name="double", DataCaptureConfig=asked)[1]
