"""The course of jobs: statuses by the clock, stopping, time-outs, limits, deletion, lists."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.jobs.work import BUCKET, channel, members

if TYPE_CHECKING:
    from tests.local_aws.jobs.work import Workshop

SLEEP = "import time\nprint('asleep', flush=True)\ntime.sleep(600)"
QUICK = "print('here')"
GRACEFUL = """
import os, signal, sys, time

def end(*_):
    open(os.environ["SM_MODEL_DIR"] + "/half", "w").write("half a model")
    print("saved", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
print("asleep", flush=True)
time.sleep(600)
"""
STUBBORN = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('asleep', flush=True)\ntime.sleep(600)"
)


def asleep(shop: Workshop, name: str, script: str = SLEEP, **changes: Any) -> None:
    """Start a training job and wait until its script sleeps."""
    shop.sagemaker.create_training_job(**shop.training(name, script, **changes))
    shop.until(name, "Training")
    latest = time.monotonic() + 30
    while time.monotonic() < latest:
        if shop.said("TrainingJobs", name, "asleep"):
            return
        time.sleep(0.02)
    raise AssertionError(f"{name} does not sleep")


def refused(code: str, call: Any, **request: Any) -> str:
    """Give the message of a refusal with this code."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == code
    return str(caught.value.response["Error"]["Message"])


def test_a_job_starts_and_ends_by_the_clock(shop: Workshop) -> None:
    shop.aws.settings(job_start_seconds=1000, job_end_seconds=500)
    shop.sagemaker.create_training_job(**shop.training("slow", QUICK))
    assert shop.until("slow", "Starting")["TrainingJobStatus"] == "InProgress"
    shop.aws.advance(600)
    assert "TrainingStartTime" not in shop.until("slow", "Pending")
    shop.aws.advance(600)
    assert shop.until("slow", "Uploading")["TrainingJobStatus"] == "InProgress"
    shop.aws.advance(500)
    found = shop.ended("slow")
    assert (found["TrainingJobStatus"], found["TrainingTimeInSeconds"] >= 500) == ("Completed", True)


def test_a_new_job_is_not_found_at_once(shop: Workshop) -> None:
    shop.aws.settings(resource_visible_seconds=100)
    request = shop.training("hidden", QUICK)
    shop.sagemaker.create_training_job(**request)
    message = refused("ValidationException", shop.sagemaker.describe_training_job, TrainingJobName="hidden")
    assert message == "Requested resource not found."
    assert shop.sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    refused("ResourceInUse", shop.sagemaker.create_training_job, **request)
    shop.aws.advance(100)
    assert shop.ended("hidden")["TrainingJobStatus"] == "Completed"


def test_a_stopped_job_keeps_what_its_script_saves(shop: Workshop) -> None:
    asleep(shop, "stop", GRACEFUL)
    shop.sagemaker.stop_training_job(TrainingJobName="stop")
    found = shop.ended("stop")
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert [one["Status"] for one in found["SecondaryStatusTransitions"]][-2:] == ["Stopping", "Stopped"]
    assert members(shop.get("out/stop/output/model.tar.gz")) == {"half": b"half a model"}
    assert shop.log("TrainingJobs", "stop")[-1] == "saved"


def test_a_stopped_job_comes_to_its_end_also_when_the_local_aws_fails_to_keep_what_it_made(shop: Workshop) -> None:
    unnameable = GRACEFUL.replace('os.environ["SM_MODEL_DIR"] + "/half"', 'os.environb[b"SM_MODEL_DIR"] + b"/\\xff"')
    output = {"S3OutputPath": f"s3://{BUCKET}/out/", "CompressionType": "NONE"}
    asleep(shop, "unnameable", unnameable, OutputDataConfig=output)
    shop.sagemaker.stop_training_job(TrainingJobName="unnameable")
    found = shop.ended("unnameable")
    assert (found["TrainingJobStatus"], found["FailureReason"][:19]) == ("Failed", "InternalServerError")


def test_a_script_that_does_not_end_is_killed_after_two_minutes(shop: Workshop) -> None:
    asleep(shop, "stubborn", STUBBORN)
    shop.sagemaker.stop_training_job(TrainingJobName="stubborn")
    time.sleep(0.3)
    found = shop.sagemaker.describe_training_job(TrainingJobName="stubborn")
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopping", "Stopping")
    shop.sagemaker.stop_training_job(TrainingJobName="stubborn")
    shop.aws.advance(121)
    assert shop.ended("stubborn")["TrainingJobStatus"] == "Stopped"


def test_a_job_may_be_stopped_before_it_starts(shop: Workshop) -> None:
    shop.aws.settings(job_start_seconds=1000)
    shop.sagemaker.create_training_job(**shop.training("early", QUICK))
    shop.sagemaker.stop_training_job(TrainingJobName="early")
    found = shop.ended("early")
    assert found["TrainingJobStatus"] == "Stopped"
    assert "TrainingStartTime" not in found
    assert "BillableTimeInSeconds" not in found


def test_a_job_that_has_ended_cannot_be_stopped(shop: Workshop) -> None:
    shop.train("done", QUICK)
    message = refused("ValidationException", shop.sagemaker.stop_training_job, TrainingJobName="done")
    assert message == "The request was rejected because the training job is in status Completed."
    refused("ValidationException", shop.sagemaker.stop_training_job, TrainingJobName="none")


def test_a_job_ends_at_its_longest_runtime(shop: Workshop) -> None:
    asleep(shop, "long", StoppingCondition={"MaxRuntimeInSeconds": 3600})
    shop.aws.advance(3600)
    found = shop.ended("long")
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "FailureReason" not in found


def test_a_job_on_spot_machines_waits_only_so_long(shop: Workshop) -> None:
    shop.aws.settings(job_start_seconds=10_000)
    condition = {"MaxRuntimeInSeconds": 100, "MaxWaitTimeInSeconds": 200}
    spot = shop.training("spot", QUICK, EnableManagedSpotTraining=True, StoppingCondition=condition)
    shop.sagemaker.create_training_job(**spot)
    shop.aws.advance(200)
    found = shop.ended("spot")
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    condition["MaxWaitTimeInSeconds"] = 50
    refused("ValidationException", shop.sagemaker.create_training_job, **{**spot, "TrainingJobName": "wrong"})


def test_a_name_is_used_once(shop: Workshop) -> None:
    request = shop.training("once", QUICK)
    arn = shop.sagemaker.create_training_job(**request)["TrainingJobArn"]
    message = refused("ResourceInUse", shop.sagemaker.create_training_job, **request)
    assert message.endswith(f"a training job with this name already exists ({arn})")
    shop.ended("once")
    refused("ResourceInUse", shop.sagemaker.create_training_job, **request)


def test_only_so_many_jobs_run_at_once(shop: Workshop) -> None:
    shop.aws.settings(max_concurrent_jobs=1)
    asleep(shop, "first")
    second = shop.training("second", QUICK)
    message = refused("ResourceLimitExceeded", shop.sagemaker.create_training_job, **second)
    assert "is 1 Instances, with current utilization of 1 Instances and a request delta of 1 Instances" in message
    shop.sagemaker.stop_training_job(TrainingJobName="first")
    shop.ended("first")
    shop.sagemaker.create_training_job(**second)
    assert shop.ended("second")["TrainingJobStatus"] == "Completed"


def test_a_job_is_deleted_once_it_has_ended(shop: Workshop) -> None:
    shop.aws.settings(job_delete_seconds=100)
    asleep(shop, "gone")
    refused("ResourceInUse", shop.sagemaker.delete_training_job, TrainingJobName="gone")
    shop.sagemaker.stop_training_job(TrainingJobName="gone")
    shop.ended("gone")
    shop.sagemaker.delete_training_job(TrainingJobName="gone")
    assert shop.sagemaker.describe_training_job(TrainingJobName="gone")["TrainingJobStatus"] == "Deleting"
    shop.aws.advance(100)
    refused("ValidationException", shop.sagemaker.describe_training_job, TrainingJobName="gone")
    assert shop.train("gone", QUICK)["TrainingJobStatus"] == "Completed"


def test_jobs_are_listed_by_status_and_name(shop: Workshop) -> None:
    for name in ("b-good", "a-good"):
        shop.train(name, QUICK)
    shop.train("a-bad", "raise SystemExit(2)")
    listing = shop.sagemaker.list_training_jobs
    found = listing(SortBy="Name", SortOrder="Ascending")["TrainingJobSummaries"]
    assert [(one["TrainingJobName"], one["TrainingJobStatus"], one["SecondaryStatus"]) for one in found] == [
        ("a-bad", "Failed", "Failed"),
        ("a-good", "Completed", "Completed"),
        ("b-good", "Completed", "Completed"),
    ]
    assert [one["TrainingJobName"] for one in listing()["TrainingJobSummaries"]] == ["a-bad", "a-good", "b-good"]
    failed = listing(StatusEquals="Failed")["TrainingJobSummaries"]
    assert [one["TrainingJobName"] for one in failed] == ["a-bad"]
    first = listing(NameContains="good", MaxResults=1)
    second = listing(NameContains="good", MaxResults=1, NextToken=first["NextToken"])
    assert [
        first["TrainingJobSummaries"][0]["TrainingJobName"],
        second["TrainingJobSummaries"][0]["TrainingJobName"],
    ] == [
        "a-good",
        "b-good",
    ]


def test_tags_of_a_job_are_kept(shop: Workshop) -> None:
    request = shop.training("tagged", QUICK, Tags=[{"Key": "team", "Value": "delays"}])
    arn = shop.sagemaker.create_training_job(**request)["TrainingJobArn"]
    assert shop.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "delays"}]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"RoleArn": "arn:aws:iam::12:role/x-xxxxxx"}, "Value 'arn:aws:iam::12:role/x-xxxxxx' at 'roleArn' failed"),
        ({"OutputDataConfig": {"S3OutputPath": "/home/me"}}, "at 'outputDataConfig.s3OutputPath' failed"),
        (
            {"InputDataConfig": [channel("train", f"s3://{BUCKET}/nothing/here")]},
            f'No S3 objects found under S3 URL "s3://{BUCKET}/nothing/here" given in input data source. Please ensure',
        ),
        ({"InputDataConfig": [channel("train", "s3://no-such-bucket/x")]}, "No S3 objects found under S3 URL"),
        ({"InputDataConfig": [channel("t", f"s3://{BUCKET}/data")] * 2}, "Channel names must be unique"),
        (
            {"InputDataConfig": [{**channel("train", f"s3://{BUCKET}/data"), "InputMode": "Pipe"}]},
            "The local AWS cannot fill channel train in Pipe mode",
        ),
        (
            {"InputDataConfig": [channel("train", f"s3://{BUCKET}/data", "AugmentedManifestFile")]},
            "The local AWS cannot read channel train as AugmentedManifestFile",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 9, "VolumeSizeInGB": 1}},
            "The local AWS cannot run this job on 9 instances, only on 1 to 8",
        ),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "one of TrainingImage and AlgorithmName"),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "x",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "loss", "Regex": "loss=("}],
                }
            },
            "Regex for metric definition loss is invalid",
        ),
    ],
)
def test_what_cannot_be_run_is_refused(shop: Workshop, changes: dict[str, Any], said: str) -> None:
    message = refused(
        "ValidationException", shop.sagemaker.create_training_job, **shop.training("no", QUICK, **changes)
    )
    assert said in message
    assert shop.sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


RESUMED = """
import os, time
home = os.environ["HERE"]
seen = os.listdir(home)
print("seen", sorted(seen), flush=True)
if not seen:
    open(home + "/half", "w").write("half")
    print("asleep", flush=True)
    time.sleep(600)
"""


def with_checkpoints(**changes: Any) -> dict[str, Any]:
    """Give the changes for a job that goes on where its checkpoint is."""
    where = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/kept"}, "Environment": {"HERE": "/opt/ml/checkpoints"}}
    return where | changes


def test_a_spot_job_goes_on_from_its_checkpoint_when_its_machines_were_taken(shop: Workshop) -> None:
    condition = {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    spot = with_checkpoints(EnableManagedSpotTraining=True, StoppingCondition=condition)
    asleep(shop, "spot", RESUMED, **spot)
    shop.aws.fault(kind="set_status", resource="training-job", name="spot", to="Interrupted")
    assert shop.until("spot", "Interrupted")["TrainingJobStatus"] == "InProgress"
    assert shop.get("kept/half") == b"half"
    shop.aws.clear_faults()
    found = shop.ended("spot")
    assert found["TrainingJobStatus"] == "Completed"
    assert [one["Status"] for one in found["SecondaryStatusTransitions"]] == [
        *("Starting", "Pending", "Downloading", "Training", "Interrupted"),
        *("Starting", "Downloading", "Training", "Uploading", "Completed"),
    ]
    assert shop.log("TrainingJobs", "spot") == ["seen []", "asleep", "seen ['half']"]


def test_a_spot_job_waits_for_machines_only_so_long(shop: Workshop) -> None:
    condition = {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    asleep(shop, "spot", EnableManagedSpotTraining=True, StoppingCondition=condition)
    shop.aws.fault(kind="set_status", resource="training-job", to="Interrupted")
    shop.until("spot", "Interrupted")
    shop.aws.advance(7200)
    assert shop.ended("spot")["SecondaryStatus"] == "MaxWaitTimeExceeded"


def test_a_job_with_a_retry_strategy_restarts_so_often(shop: Workshop) -> None:
    for name, script, expected in (("once", RESUMED, "Completed"), ("often", SLEEP, "Failed")):
        asleep(shop, name, script, **with_checkpoints(RetryStrategy={"MaximumRetryAttempts": 1}))
        shop.aws.fault(kind="set_status", resource="training-job", name=name, to="Restarting")
        assert shop.until(name, "Restarting")["TrainingJobStatus"] == "InProgress"
        shop.aws.clear_faults()
        shop.until(name, "Training", "Completed")
        shop.aws.fault(kind="set_status", resource="training-job", name="often", to="Restarting")
        found = shop.ended(name)
        assert found["TrainingJobStatus"] == expected
        shop.aws.clear_faults()
    assert found["FailureReason"].startswith("InternalServerError: We encountered an internal error.")


def test_other_jobs_are_not_interrupted(shop: Workshop) -> None:
    shop.aws.fault(kind="set_status", resource="training-job", to="Interrupted")
    assert shop.train("steady", QUICK)["TrainingJobStatus"] == "Completed"


def test_a_running_job_is_updated(shop: Workshop) -> None:
    asleep(shop, "change")
    shop.sagemaker.update_training_job(TrainingJobName="change", RemoteDebugConfig={"EnableRemoteDebug": True})
    found = shop.sagemaker.describe_training_job(TrainingJobName="change")
    assert found["RemoteDebugConfig"] == {"EnableRemoteDebug": True}
    statuses = [one["Status"] for one in found["SecondaryStatusTransitions"]]
    assert statuses[-3:] == ["Training", "Updating", "Training"]
    shop.sagemaker.stop_training_job(TrainingJobName="change")
    shop.ended("change")
    refused("ValidationException", shop.sagemaker.update_training_job, TrainingJobName="change")
