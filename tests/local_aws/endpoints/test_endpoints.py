"""The life of an endpoint, as boto3 sees it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from botocore.exceptions import WaiterError

from tests.local_aws.endpoints.endpoints import Stage, coming, eventually, times, variant
from tests.local_aws.model_archives import fitted, joblib_model, packed, serving
from tests.local_aws.models.models import IMAGE, refused

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint"
QUICK_WAIT = {"Delay": 0.05, "MaxAttempts": 1000}
SLOW_START = serving("import time\ntime.sleep(600)")


def test_an_endpoint_predicts_as_the_model_does(stage: Stage) -> None:
    model, rows = fitted()
    stage.model("delay", joblib_model(model))
    stage.config("delay")
    stage.sagemaker.create_endpoint(EndpointName="delay", EndpointConfigName="delay")
    assert stage.status("delay") == "Creating"
    stage.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="delay", WaiterConfig=QUICK_WAIT)
    body = "\n".join(",".join(map(repr, map(float, row))) for row in rows)
    answered = stage.runtime.invoke_endpoint(
        EndpointName="delay", Body=body, ContentType="text/csv", Accept="text/csv", CustomAttributes="trace=1"
    )
    found = np.loadtxt(io.BytesIO(answered["Body"].read()))
    np.testing.assert_allclose(found, model.predict(rows), rtol=1e-12)
    assert answered["ContentType"] == "text/csv"
    assert answered["InvokedProductionVariant"] == "AllTraffic"
    assert answered["CustomAttributes"] == "trace=1"


def test_an_endpoint_in_service_is_described_whole(stage: Stage) -> None:
    stage.model("a", times(2))
    stage.config("a", variant("a", "one", 3, InitialInstanceCount=2), variant("a", "two"))
    stage.endpoint("a")
    found = stage.describe()
    assert (found["EndpointArn"], found["EndpointConfigName"]) == (f"{ARN}/answers", "a")
    assert "FailureReason" not in found
    assert "PendingDeploymentSummary" not in found
    one, two = found["ProductionVariants"]
    assert (one["VariantName"], one["CurrentWeight"], one["DesiredWeight"]) == ("one", 3, 3)
    assert (one["CurrentInstanceCount"], one["DesiredInstanceCount"]) == (2, 2)
    assert one["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert two["CurrentWeight"] == 1
    listed = stage.sagemaker.list_endpoints(StatusEquals="InService", NameContains="answ")["Endpoints"]
    assert [(one["EndpointName"], one["EndpointStatus"]) for one in listed] == [("answers", "InService")]
    assert stage.sagemaker.list_endpoints(StatusEquals="Failed")["Endpoints"] == []


def test_creation_takes_its_time_by_the_clock(stage: Stage) -> None:
    stage.aws.settings(endpoint_create_seconds=100)
    stage.model("a", times(2))
    stage.config("a")
    stage.sagemaker.create_endpoint(EndpointName="answers", EndpointConfigName="a")
    assert coming(stage.describe()) == "Creating"
    stage.aws.advance(76)
    assert stage.pending("ActivatingTraffic")["EndpointStatus"] == "Creating"
    assert refused(stage.runtime.invoke_endpoint, EndpointName="answers", Body="1") == (
        "ValidationError",
        "Endpoint answers of account 123456789012 not found.",
    )
    in_progress = ("ValidationException", f'Cannot update in-progress endpoint "{ARN}/answers".')
    assert refused(stage.sagemaker.delete_endpoint, EndpointName="answers") == in_progress
    assert refused(stage.update, config="a") == in_progress
    stage.aws.advance(25)
    assert stage.status() == "InService"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            serving("raise RuntimeError('no weights')"),
            "The primary container for production variant AllTraffic did not pass the ping health check. Please check "
            "CloudWatch logs for this endpoint. RuntimeError: no weights",
        ),
        (b"no archive", "The archive of the model is refused: it cannot be unpacked"),
        (packed({"../../evil": "x"}), "The archive of the model is refused: it is unsafe"),
    ],
)
def test_a_model_that_cannot_be_served_fails_the_endpoint(stage: Stage, content: bytes, reason: str) -> None:
    stage.config(stage.model("a", content))
    stage.sagemaker.create_endpoint(EndpointName="answers", EndpointConfigName="a")
    found = stage.until("Failed")
    assert found["FailureReason"].startswith(reason)
    with pytest.raises(WaiterError, match="Failed"):
        stage.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="answers", WaiterConfig=QUICK_WAIT)
    assert "because it is in Failed status" in refused(stage.update, config="a")[1]
    stage.sagemaker.delete_endpoint(EndpointName="answers")
    stage.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="answers", WaiterConfig=QUICK_WAIT)


def test_a_creation_fails_on_demand(stage: Stage) -> None:
    stage.config(stage.model("a", times(2)))
    stage.aws.fault(kind="fail_creation", resource="endpoint", name="ans.*", reason="No capacity")
    stage.sagemaker.create_endpoint(EndpointName="answers", EndpointConfigName="a")
    assert stage.until("Failed")["FailureReason"] == "No capacity"


def test_a_deleted_endpoint_is_gone_and_its_parts_stay(stage: Stage) -> None:
    stage.aws.settings(endpoint_delete_seconds=10)
    stage.config(stage.model("a", times(2)))
    stage.endpoint("a")
    stage.sagemaker.delete_endpoint(EndpointName="answers")
    found = stage.describe()
    assert found["EndpointStatus"] == "Deleting"
    assert found["ProductionVariants"][0]["VariantStatus"][0]["Status"] == "Deleting"
    assert refused(stage.ask) == ("ValidationError", "Endpoint answers of account 123456789012 not found.")
    stage.aws.advance(10)
    stage.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="answers", WaiterConfig=QUICK_WAIT)
    absent = ("ValidationException", f'Could not find endpoint "{ARN}/answers".')
    assert refused(stage.describe) == absent
    assert refused(stage.sagemaker.delete_endpoint, EndpointName="answers") == absent
    stage.sagemaker.describe_endpoint_config(EndpointConfigName="a")
    stage.sagemaker.describe_model(ModelName="a")
    stage.endpoint("a")


def test_a_name_is_taken_once(stage: Stage) -> None:
    stage.config(stage.model("a", times(2)))
    stage.endpoint("a")
    assert refused(stage.sagemaker.create_endpoint, EndpointName="answers", EndpointConfigName="a") == (
        "ValidationException",
        f'Cannot create already existing endpoint "{ARN}/answers".',
    )


def test_models_and_configurations_in_use_may_be_deleted_but_an_update_needs_the_old_one(stage: Stage) -> None:
    for name in ("a", "b"):
        stage.config(stage.model(name, times(2)))
    stage.endpoint("a")
    stage.sagemaker.delete_model(ModelName="a")
    stage.sagemaker.delete_endpoint_config(EndpointConfigName="a")
    assert stage.ask("4")[0] == "8.0"
    config_arn = ARN.replace(":endpoint", ":endpoint-config")
    absent = f'Could not find endpoint configuration "{config_arn}/a".'
    assert refused(stage.update, config="b") == ("ValidationException", absent)


def test_a_process_that_ends_is_started_again(stage: Stage, tmp_path: Path) -> None:
    script = (
        "import os, pathlib, time\n"
        "def model_fn(model_dir):\n"
        f"    loaded = pathlib.Path({str(tmp_path / 'loaded')!r})\n"
        "    time.sleep(2 if loaded.exists() else 0)\n"
        "    loaded.touch()\n"
        "def transform_fn(model, body, content_type, accept):\n"
        "    return body if body != 'die' else os._exit(9), accept\n"
    )
    stage.config(stage.model("a", serving(script)))
    stage.endpoint("a")
    for body in ("die", "5"):
        code, message = refused(stage.ask, body=body)
        assert code == "ModelError"
        assert "The model's process ended; it is being started again." in message

    def answer() -> Any:
        try:
            return stage.ask("5")[0]
        except stage.runtime.exceptions.ModelError:
            return None

    assert eventually(answer, lambda found: found is not None) == "5"
    assert stage.status() == "InService"


def test_a_reset_ends_models_that_are_still_loading(stage: Stage) -> None:
    stage.config(stage.model("a", SLOW_START))
    stage.sagemaker.create_endpoint(EndpointName="answers", EndpointConfigName="a")
    stage.aws.reset()
    assert stage.sagemaker.list_endpoints()["Endpoints"] == []
    stage = Stage(stage.aws)
    stage.config(stage.model("a", times(3)))
    stage.endpoint("a")
    assert stage.ask("3")[0] == "9.0"


def test_what_models_print_is_in_cloudwatch_logs(stage: Stage) -> None:
    script = (
        "def model_fn(model_dir):\n    print('weights are loaded')\n"
        "def transform_fn(model, body, content_type, accept):\n    print(f'asked {body}')\n    return body, accept\n"
    )
    stage.config(stage.model("a", serving(script)))
    stage.endpoint("a")
    stage.ask("7")
    logs, group = stage.aws.client("logs"), "/aws/sagemaker/Endpoints/answers"

    def messages() -> list[str]:
        found = logs.describe_log_streams(logGroupName=group)["logStreams"] if _has(logs, group) else []
        return [
            event["message"]
            for stream in found
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
        ]

    eventually(messages, lambda found: found == ["weights are loaded", "asked 7"])
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert stream["logStreamName"].startswith("AllTraffic/i-")


def test_the_log_says_why_a_model_did_not_load(stage: Stage) -> None:
    stage.config(stage.model("a", serving("raise RuntimeError('no weights')")))
    stage.sagemaker.create_endpoint(EndpointName="answers", EndpointConfigName="a")
    stage.until("Failed")
    logs, group = stage.aws.client("logs"), "/aws/sagemaker/Endpoints/answers"
    found = logs.filter_log_events(logGroupName=group, filterPattern="RuntimeError")["events"]
    assert found[-1]["message"] == "RuntimeError: no weights"


def _has(logs: Any, group: str) -> bool:
    return bool(logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"])


def test_an_account_has_only_so_many_instances(stage: Stage) -> None:
    stage.aws.settings(max_endpoint_instances=2)
    stage.config(stage.model("a", times(2)))
    stage.endpoint("a")
    wishes = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 3}]
    change = stage.sagemaker.update_endpoint_weights_and_capacities
    too_many = refused(change, EndpointName="answers", DesiredWeightsAndCapacities=wishes)
    assert too_many[0] == "ResourceLimitExceeded"
    assert too_many[1].startswith(
        "The account-level service limit 'ml.m5.large for endpoint usage' is 2 Instances, with current utilization of "
        "1 Instances and a request delta of 2 Instances."
    )
    stage.endpoint("a", "more")
    assert refused(stage.endpoint, config="a", name="third")[0] == "ResourceLimitExceeded"
    assert refused(stage.update, config="a")[0] == "ResourceLimitExceeded"
    stage.sagemaker.delete_endpoint(EndpointName="more")
    eventually(lambda: stage.sagemaker.list_endpoints()["Endpoints"], lambda found: len(found) == 1)
    stage.update("a")
    stage.until("InService")


def test_a_new_endpoint_may_not_be_found_at_first(stage: Stage) -> None:
    stage.config(stage.model("a", times(2)))
    stage.aws.fault(kind="hidden", resource="endpoint", operation="DescribeEndpoint", count=2)
    stage.sagemaker.create_endpoint(EndpointName="answers", EndpointConfigName="a")
    for _ in range(2):
        assert refused(stage.describe)[1] == f'Could not find endpoint "{ARN}/answers".'
    stage.until("InService")
    stage.aws.settings(resource_visible_seconds=10)
    stage.sagemaker.create_endpoint(EndpointName="later", EndpointConfigName="a")
    assert "Could not find endpoint" in refused(stage.describe, name="later")[1]
    assert [one["EndpointName"] for one in stage.sagemaker.list_endpoints()["Endpoints"]] == ["answers"]
    stage.aws.advance(10)
    stage.until("InService", "later")


def test_a_lost_reply_leaves_one_endpoint(stage: Stage) -> None:
    stage.config(stage.model("a", times(2)))
    stage.aws.fault(kind="lost_reply", operation="CreateEndpoint")
    retrying = stage.aws.client("sagemaker")
    code, message = refused(retrying.create_endpoint, EndpointName="answers", EndpointConfigName="a")
    assert (code, "already existing" in message) == ("ValidationException", True)
    stage.until("InService")
