"""Training jobs really run the user's script, by the contract of SageMaker's script mode."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import joblib
import pandas as pd
import pytest

from tests.local_aws.jobs.work import BUCKET, IMAGE, channel, members, packed

if TYPE_CHECKING:
    from tests.local_aws.jobs.work import Workshop

METRICS = {
    "TrainingImage": IMAGE,
    "TrainingInputMode": "File",
    "MetricDefinitions": [
        {"Name": "train:r2", "Regex": "train:r2=([0-9.]+);"},
        {"Name": "rows", "Regex": r"rows=(\d+)"},
        {"Name": "never", "Regex": "never=(.*)"},
    ],
}
LIGHT = """
import os, sys
print("rows=50; train:r2=0.5; train:r2=0.75;")
print("rows=100")
print("done", file=sys.stderr)
open(os.environ["SM_MODEL_DIR"] + "/model.txt", "w").write("light")
"""
SAY = """
import json, os, sys
print(json.dumps({"arguments": sys.argv[1:], "folder": os.getcwd(), "surroundings": dict(os.environ)}))
"""


def test_a_script_trains_a_model_that_predicts(shop: Workshop) -> None:
    found = shop.train("ridge", AlgorithmSpecification=METRICS)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Completed", "Completed")
    assert found["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/out/ridge/output/model.tar.gz"
    model = joblib.load(io.BytesIO(members(shop.get("out/ridge/output/model.tar.gz"))["model.joblib"]))
    assert model.predict(pd.DataFrame({"x": [1000.0]}))[0] == pytest.approx(2001, rel=1e-3)
    assert members(shop.get("out/ridge/output/output.tar.gz")) == {"report.txt": b"fine"}


def test_metrics_are_read_off_what_the_script_says(shop: Workshop) -> None:
    found = shop.train("light", LIGHT, AlgorithmSpecification=METRICS)
    metrics = {one["MetricName"]: one["Value"] for one in found["FinalMetricDataList"]}
    assert metrics == {"train:r2": 0.75, "rows": 100.0}
    listed = shop.aws.client("cloudwatch").list_metrics(Namespace="/aws/sagemaker/TrainingJobs")["Metrics"]
    assert {(one["MetricName"], one["Dimensions"][0]["Value"]) for one in listed} == {
        ("train:r2", "light/algo-1"),
        ("rows", "light/algo-1"),
    }


def test_what_the_script_says_stands_in_the_log(shop: Workshop) -> None:
    shop.train("light", LIGHT)
    assert shop.log("TrainingJobs", "light") == ["rows=50; train:r2=0.5; train:r2=0.75;", "rows=100", "done"]


def test_a_job_goes_through_its_statuses(shop: Workshop) -> None:
    found = shop.train("light", LIGHT)
    steps = found["SecondaryStatusTransitions"]
    assert [step["Status"] for step in steps] == [
        "Starting",
        "Pending",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert all(step["StartTime"] <= step["EndTime"] and step["StatusMessage"] for step in steps)
    assert found["CreationTime"] <= found["TrainingStartTime"] <= found["TrainingEndTime"] == found["LastModifiedTime"]
    assert found["TrainingTimeInSeconds"] >= 1


def test_a_script_gets_its_hyperparameters_as_arguments(shop: Workshop) -> None:
    given = {"n": "3", "alpha": "0.5", "name": '"two words"', "deep": "true", "plain": "text", "layers": "[1, 2]"}
    shop.train("say", SAY, HyperParameters=given)
    said = json.loads(shop.log("TrainingJobs", "say")[0])
    assert said["arguments"] == [
        *("--alpha", "0.5"),
        *("--deep", "True"),
        *("--layers", "[1, 2]"),
        *("-n", "3"),
        *("--name", "two words"),
        *("--plain", "text"),
    ]
    surroundings = said["surroundings"]
    assert json.loads(surroundings["SM_HPS"]) == {
        "n": 3,
        "alpha": 0.5,
        "name": "two words",
        "deep": True,
        "plain": "text",
        "layers": [1, 2],
    }
    assert (surroundings["SM_HP_ALPHA"], surroundings["SM_HP_NAME"]) == ("0.5", "two words")


def test_a_script_finds_its_folders_where_aws_has_them(shop: Workshop) -> None:
    shop.train("say", SAY)
    said = json.loads(shop.log("TrainingJobs", "say")[0])
    names = said["surroundings"]
    assert (names["SM_CHANNELS"], names["SM_CURRENT_HOST"], names["SM_NUM_GPUS"]) == ('["train"]', "algo-1", "0")
    assert int(names["SM_NUM_CPUS"]) >= 1
    assert names["SM_MODEL_DIR"].endswith("/ml/model")
    assert names["SM_CHANNEL_TRAIN"].endswith("/ml/input/data/train")
    assert names["TRAINING_JOB_NAME"] == "say"
    whole = json.loads(names["SM_TRAINING_ENV"])
    assert whole["channel_input_dirs"] == {"train": names["SM_CHANNEL_TRAIN"]}
    assert whole["job_name"] == "say"
    assert said["folder"] == names["SM_MODULE_DIR"]


def test_nothing_of_the_servers_surroundings_reaches_a_script(shop: Workshop) -> None:
    shop.train("say", SAY, Environment={"MINE": "/opt/ml/model"})
    surroundings = json.loads(shop.log("TrainingJobs", "say")[0])["surroundings"]
    assert surroundings["MINE"] == surroundings["SM_MODEL_DIR"]
    assert {name for name in surroundings if name.startswith("AWS_")} == {
        "AWS_REGION",
        "AWS_ACCOUNT_ID",
        "AWS_EC2_METADATA_DISABLED",
    }
    assert not [name for name in surroundings if name.startswith(("AIRFLOW", "PYTEST", "VIRTUAL_ENV"))]


def test_a_failing_script_says_why(shop: Workshop) -> None:
    script = "import os\nprint('starting')\nraise ValueError('no rows for ' + os.environ['SM_HP_CITY'])"
    found = shop.train("fails", script, HyperParameters={"city": '"Zürich"'})
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Failed", "Failed")
    reason = found["FailureReason"]
    assert reason.startswith('AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "Traceback')
    assert 'ValueError: no rows for Zürich"' in reason
    assert reason.endswith('Command "python train.py --city Zürich", exit code: 1')
    assert shop.keys("out/fails/") == []
    assert shop.log("TrainingJobs", "fails")[0] == "starting"


def test_a_script_may_leave_its_own_reason(shop: Workshop) -> None:
    script = (
        "import os, sys\nopen(os.environ['SM_OUTPUT_DIR'] + '/failure', 'w').write('The label is missing')\nsys.exit(3)"
    )
    reason = shop.train("fails", script)["FailureReason"]
    assert 'ErrorMessage "The label is missing"' in reason
    assert reason.endswith("exit code: 3")


def test_an_image_without_a_script_fails_and_says_what_runs_here(shop: Workshop) -> None:
    request = shop.training("image")
    del request["HyperParameters"]
    shop.sagemaker.create_training_job(**request)
    found = shop.ended("image")
    assert found["TrainingJobStatus"] == "Failed"
    assert "runs scripts, not images" in found["FailureReason"]
    assert "sagemaker_submit_directory" in found["FailureReason"]


def test_an_entrypoint_runs_without_the_toolkit(shop: Workshop) -> None:
    shop.put("tools/train.py", "import sys\nopen(sys.argv[1] + '/args', 'w').write(sys.argv[2])")
    request = shop.training(
        "entry",
        InputDataConfig=[channel("code", f"s3://{BUCKET}/tools/")],
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/train.py"],
            "ContainerArguments": ["/opt/ml/model", "--depth=3"],
        },
    )
    del request["HyperParameters"]
    shop.sagemaker.create_training_job(**request)
    assert shop.ended("entry")["TrainingJobStatus"] == "Completed"
    assert members(shop.get("out/entry/output/model.tar.gz")) == {"args": b"--depth=3"}


def test_the_log_says_that_requirements_are_not_installed(shop: Workshop) -> None:
    request = shop.training("needs", LIGHT)
    shop.put("code/needs.tar.gz", packed({"train.py": LIGHT, "requirements.txt": "xgboost==9"}))
    shop.sagemaker.create_training_job(**request)
    assert shop.ended("needs")["TrainingJobStatus"] == "Completed"
    assert shop.log("TrainingJobs", "needs")[0].startswith("requirements.txt is not installed")


def test_a_manifest_names_the_files_of_a_channel(shop: Workshop) -> None:
    manifest = [{"prefix": f"s3://{BUCKET}/data/train/"}, "part=1/rows.csv"]
    uri = shop.put("manifests/one.json", json.dumps(manifest))
    script = "import os\nfor where, _, files in os.walk(os.environ['SM_CHANNEL_TRAIN']):\n    print(where, files)"
    shop.train("manifest", script, InputDataConfig=[channel("train", uri, "ManifestFile")])
    lines = shop.log("TrainingJobs", "manifest")
    assert lines[-1].endswith("/ml/input/data/train/part=1 ['rows.csv']")
    assert not any("part=0" in line for line in lines)


def test_a_model_may_be_kept_unpacked(shop: Workshop) -> None:
    output = {"S3OutputPath": f"s3://{BUCKET}/out/", "CompressionType": "NONE"}
    found = shop.train("plain", LIGHT, OutputDataConfig=output)
    assert found["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/out/plain/output/model/"
    assert shop.keys("out/plain/") == ["out/plain/output/model/model.txt"]


def test_checkpoints_are_fetched_and_kept(shop: Workshop) -> None:
    shop.put("checkpoints/1", "one")
    script = "import os, shutil\nhome = os.environ['HERE']\nshutil.copy(f'{home}/1', f'{home}/2')"
    where = {
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints"},
        "Environment": {"HERE": "/opt/ml/checkpoints"},
    }
    shop.train("again", script, **where)
    assert shop.get("checkpoints/2") == b"one"


def test_an_ordered_failure_fails_the_job(shop: Workshop) -> None:
    shop.aws.fault(kind="fail_creation", resource="training-job", name="ri.*", reason="CapacityError: none left")
    found = shop.train("ridge", LIGHT)
    assert (found["TrainingJobStatus"], found["FailureReason"]) == ("Failed", "CapacityError: none left")
    assert "TrainingStartTime" not in found
    assert shop.train("ridge-2", LIGHT)["TrainingJobStatus"] == "Completed"


def test_what_cannot_be_uploaded_fails_the_job(shop: Workshop) -> None:
    found = shop.train("lost", LIGHT, OutputDataConfig={"S3OutputPath": "s3://nowhere-at-all/out"})
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("ClientError: Data upload failed:NoSuchBucket")


CREW = """
import json, os, sys, time
host, home = os.environ["SM_CURRENT_HOST"], os.environ["SM_MODEL_DIR"]
parts = sorted(os.listdir(os.environ["SM_CHANNEL_TRAIN"]))
print(host, os.environ["SM_HOSTS"], parts, flush=True)
open(f"{home}/{host}", "w").write(host)
open(f"{home}/same", "w").write(host)
if "fail" in sys.argv and host == "algo-2":
    raise ValueError("host two fell")
if "fail" in sys.argv:
    time.sleep(600)
"""


def crew(distribution: str) -> dict[str, object]:
    """Give the changes for a job on two machines."""
    data = channel("train", f"s3://{BUCKET}/data/train")
    data["DataSource"]["S3DataSource"]["S3DataDistributionType"] = distribution
    return {
        "InputDataConfig": [data],
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
    }


def test_a_job_on_two_machines_runs_the_script_for_each(shop: Workshop) -> None:
    found = shop.train("two", CREW, **crew("ShardedByS3Key"))
    assert found["TrainingJobStatus"] == "Completed"
    made = members(shop.get("out/two/output/model.tar.gz"))
    assert made == {"algo-1": b"algo-1", "algo-2": b"algo-2", "same": b"algo-1"}
    assert sorted(shop.logs("TrainingJobs", "two")) == [
        ['algo-1 ["algo-1", "algo-2"] [\'part=0\']'],
        ['algo-2 ["algo-1", "algo-2"] [\'part=1\']'],
    ]


def test_a_job_fails_with_the_reason_of_the_machine_that_failed(shop: Workshop) -> None:
    found = shop.train("two", CREW, HyperParameters={"mode": "fail"}, **crew("FullyReplicated"))
    assert found["TrainingJobStatus"] == "Failed"
    assert "ValueError: host two fell" in found["FailureReason"]
    # The other machine is stopped at once, perhaps before it has said anything.
    assert {lines[0][-20:] for lines in shop.logs("TrainingJobs", "two")} == {"['part=0', 'part=1']"[-20:]}
