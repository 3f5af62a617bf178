"""Processing jobs really run a command on files from S3."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.local_aws.jobs.test_course import refused
from tests.local_aws.jobs.work import BUCKET, IMAGE, PATIENCE, ROLE

if TYPE_CHECKING:
    from tests.local_aws.jobs.work import Workshop

HOME = "/opt/ml/processing"
SPLIT = """
import argparse
from pathlib import Path
import pandas as pd

parser = argparse.ArgumentParser()
parser.add_argument("--input")
parser.add_argument("--output")
given = parser.parse_args()
rows = pd.concat(pd.read_csv(file) for file in sorted(Path(given.input).glob("**/*.csv")))
for name, part in (("low", rows[rows["x"] < 50]), ("high", rows[rows["x"] >= 50])):
    folder = Path(given.output) / name
    folder.mkdir()
    part.to_csv(folder / "rows.csv", index=False)
print(f"split {len(rows)} rows")
"""


def processing(shop: Workshop, name: str, script: str = SPLIT, **changes: Any) -> dict[str, Any]:
    """Give the request of a processing job."""
    inputs = {"code": (shop.put("scripts/job.py", script), "input/code"), "rows": (f"s3://{BUCKET}/data", "input/rows")}
    output = {"S3Uri": f"s3://{BUCKET}/parts", "LocalPath": f"{HOME}/output", "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "ProcessingInputs": [
            {
                "InputName": key,
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": f"{HOME}/{path}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for key, (uri, path) in inputs.items()
        ],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "parts", "S3Output": output}]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", f"{HOME}/input/code/job.py"],
            "ContainerArguments": ["--input", f"{HOME}/input/rows", "--output", f"{HOME}/output"],
        },
        **changes,
    }


def ended(shop: Workshop, name: str) -> dict[str, Any]:
    """Describe a processing job at its end."""
    latest = time.monotonic() + PATIENCE
    while time.monotonic() < latest:
        found: dict[str, Any] = shop.sagemaker.describe_processing_job(ProcessingJobName=name)
        if found["ProcessingJobStatus"] not in ("InProgress", "Stopping"):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{name} is {found['ProcessingJobStatus']}")


def process(shop: Workshop, name: str, script: str = SPLIT, **changes: Any) -> dict[str, Any]:
    """Run a processing job to its end, and describe it."""
    shop.sagemaker.create_processing_job(**processing(shop, name, script, **changes))
    return ended(shop, name)


def test_a_command_turns_inputs_into_outputs(shop: Workshop) -> None:
    found = process(shop, "split")
    assert found["ProcessingJobStatus"] == "Completed"
    assert found["CreationTime"] <= found["ProcessingStartTime"] <= found["ProcessingEndTime"]
    assert shop.keys("parts/") == ["parts/high/rows.csv", "parts/low/rows.csv"]
    assert shop.get("parts/high/rows.csv").decode().splitlines()[1] == "50,101"
    assert shop.log("ProcessingJobs", "split") == ["split 100 rows"]


def test_a_command_may_read_its_paths_from_its_environment_and_its_configuration(shop: Workshop) -> None:
    script = """
import json, os
from pathlib import Path
home = Path(os.environ["HERE"])
config = json.loads((home.parent / "config" / "processingjobconfig.json").read_text())
hosts = json.loads((home.parent / "config" / "resourceconfig.json").read_text())
found = {"job": config["ProcessingJobName"], "hosts": hosts["hosts"], "arn": os.environ["PROCESSING_JOB_ARN"]}
(home / "output" / "found.json").write_text(json.dumps(found))
"""
    found = process(shop, "paths", script, Environment={"HERE": HOME})
    assert json.loads(shop.get("parts/found.json")) == {
        "job": "paths",
        "hosts": ["algo-1"],
        "arn": found["ProcessingJobArn"],
    }


def test_a_failing_command_says_why(shop: Workshop) -> None:
    found = process(shop, "fails", "raise KeyError('departed')")
    assert found["ProcessingJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("AlgorithmError: Traceback (most recent call last)")
    assert found["FailureReason"].endswith("KeyError: 'departed', exit code: 1")
    assert shop.keys("parts/") == []


def test_a_command_that_is_not_there_fails(shop: Workshop) -> None:
    application = {"ImageUri": IMAGE, "ContainerEntrypoint": ["spark-submit", "x.py"]}
    found = process(shop, "spark", AppSpecification=application)
    assert found["FailureReason"] == (
        "ClientError: spark-submit cannot be run: No such file or directory, exit code: 127"
    )


def test_an_image_without_a_command_fails_and_says_what_runs_here(shop: Workshop) -> None:
    found = process(shop, "image", AppSpecification={"ImageUri": IMAGE})
    assert found["ProcessingJobStatus"] == "Failed"
    assert "The local AWS runs commands, not images" in found["FailureReason"]


def test_a_command_leaves_a_message(shop: Workshop) -> None:
    script = "import os\nopen(os.environ['OUT'] + '/message', 'w').write('2 drifted')"
    found = process(shop, "says", script, Environment={"OUT": "/opt/ml/output"})
    assert found["ExitMessage"] == "2 drifted"
    assert shop.sagemaker.list_processing_jobs()["ProcessingJobSummaries"][0]["ExitMessage"] == "2 drifted"


def test_a_processing_job_is_stopped_and_timed_out(shop: Workshop) -> None:
    for name in ("stop", "long"):
        shop.sagemaker.create_processing_job(
            **processing(shop, name, "import time\ntime.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 3600})
        )
    shop.sagemaker.stop_processing_job(ProcessingJobName="stop")
    assert ended(shop, "stop")["ProcessingJobStatus"] == "Stopped"
    shop.aws.advance(3700)
    assert ended(shop, "long")["ProcessingJobStatus"] == "Stopped"
    shop.sagemaker.delete_processing_job(ProcessingJobName="stop")
    message = refused("ValidationException", shop.sagemaker.describe_processing_job, ProcessingJobName="stop")
    assert message == "Could not find requested job with name: stop"


def test_an_ordered_failure_fails_the_job(shop: Workshop) -> None:
    shop.aws.fault(kind="fail_creation", resource="processing-job", reason="ClientError: The role is wrong")
    assert process(shop, "ordered")["FailureReason"] == "ClientError: The role is wrong"


@pytest.mark.parametrize(
    ("where", "change", "said"),
    [
        ("S3Input", {"LocalPath": "/tmp/rows"}, "must be an absolute path that begins with /opt/ml/processing/"),
        ("S3Input", {"LocalPath": f"{HOME}/../../x"}, "must be an absolute path that begins with /opt/ml/processing/"),
        ("S3Input", {"S3Uri": f"s3://{BUCKET}/none"}, "No S3 objects found under S3 URL"),
        ("S3Input", {"S3InputMode": "Pipe"}, "The local AWS cannot fill input rows in Pipe mode"),
        ("S3Output", {"S3UploadMode": "Continuous"}, "The local AWS cannot upload output parts while the job runs"),
    ],
)
def test_what_cannot_be_run_is_refused(shop: Workshop, where: str, change: dict[str, Any], said: str) -> None:
    request = processing(shop, "no")
    changed = request["ProcessingInputs"][1] if where == "S3Input" else request["ProcessingOutputConfig"]["Outputs"][0]
    changed[where] |= change
    assert said in refused("ValidationException", shop.sagemaker.create_processing_job, **request)
