"""Data, scripts and requests for the tests of jobs."""

from __future__ import annotations

import io
import tarfile
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

ROLE = "arn:aws:iam::123456789012:role/sagemaker"
BUCKET = "machines"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
PATIENCE = 60.0

TRAIN = """
import argparse, os, sys
from pathlib import Path
import joblib
import pandas as pd
from sklearn.linear_model import Ridge

parser = argparse.ArgumentParser()
parser.add_argument("--alpha", type=float)
parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
given = parser.parse_args()
rows = pd.concat(pd.read_csv(file) for file in sorted(Path(given.train).glob("**/*.csv")))
model = Ridge(alpha=given.alpha).fit(rows[["x"]], rows["y"])
print(f"rows={len(rows)}; train:r2={model.score(rows[['x']], rows['y']):.4f};")
print("done", file=sys.stderr)
joblib.dump(model, Path(given.model_dir) / "model.joblib")
(Path(os.environ["SM_OUTPUT_DATA_DIR"]) / "report.txt").write_text("fine")
"""


class Workshop:
    """A bucket with training data, and what makes jobs of scripts."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.s3 = aws.client("s3")
        self.sagemaker = aws.client("sagemaker")
        self.s3.create_bucket(Bucket=BUCKET)
        for part in range(2):
            rows = "".join(f"{x},{2 * x + 1}\n" for x in range(part * 50, part * 50 + 50))
            self.put(f"data/train/part={part}/rows.csv", f"x,y\n{rows}")

    def put(self, key: str, body: str | bytes) -> str:
        """Write an object, and give its URI."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def get(self, key: str) -> bytes:
        """Read an object."""
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def keys(self, prefix: str) -> list[str]:
        """List the objects below a prefix."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [one["Key"] for one in found]

    def archive(self, key: str, **files: str) -> str:
        """Write a tar.gz of Python files, by their names without the ending, and give its URI."""
        return self.put(key, packed({f"{name}.py": text for name, text in files.items()}))

    def training(self, name: str, script: str = TRAIN, **changes: Any) -> dict[str, Any]:
        """Give the request of a training job in script mode."""
        hyperparameters = {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": f'"{self.archive(f"code/{name}.tar.gz", train=script)}"',
            **changes.pop("HyperParameters", {"alpha": "0.5"}),
        }
        return {
            "TrainingJobName": name,
            "HyperParameters": hyperparameters,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "InputDataConfig": [channel("train", f"s3://{BUCKET}/data/train")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            **changes,
        }

    def train(self, name: str, script: str = TRAIN, **changes: Any) -> dict[str, Any]:
        """Run a training job to its end, and describe it."""
        self.sagemaker.create_training_job(**self.training(name, script, **changes))
        return self.ended(name)

    def ended(self, name: str, *, longest: float = PATIENCE) -> dict[str, Any]:
        """Describe a training job at its end."""
        return self.until(name, "Completed", "Failed", "Stopped", longest=longest)

    def until(self, name: str, *statuses: str, longest: float = PATIENCE) -> dict[str, Any]:
        """Describe a training job once its status, or secondary status, is one of these."""
        latest = time.monotonic() + longest
        while time.monotonic() < latest:
            found: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
            if {found["TrainingJobStatus"], found["SecondaryStatus"]} & set(statuses):
                return found
            time.sleep(0.02)
        raise AssertionError(f"{name} is {found['TrainingJobStatus']}/{found['SecondaryStatus']}, not {statuses}")

    def log(self, group: str, name: str) -> list[str]:
        """Give the lines of a job's log, by the last part of its group's name."""
        found = self.logs(group, name)
        assert len(found) == 1
        return found[0]

    def said(self, group: str, name: str, line: str) -> bool:
        """Say whether a job has written this line by now."""
        return any(line in lines for lines in self.logs(group, name))

    def logs(self, group: str, name: str) -> list[list[str]]:
        """Give the lines of every machine of a job."""
        logs = self.aws.client("logs")
        where = f"/aws/sagemaker/{group}"
        if not logs.describe_log_groups(logGroupNamePrefix=where)["logGroups"]:
            return []
        streams = logs.describe_log_streams(logGroupName=where, logStreamNamePrefix=f"{name}/")["logStreams"]
        found = []
        for stream in streams:
            events = logs.get_log_events(logGroupName=where, logStreamName=stream["logStreamName"], startFromHead=True)[
                "events"
            ]
            found.append([one["message"] for one in events])
        return found


def channel(name: str, uri: str, kind: str = "S3Prefix") -> dict[str, Any]:
    """Give a channel that is filled from S3."""
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": uri}}}


def packed(files: dict[str, str | bytes]) -> bytes:
    """Make a tar.gz."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        for name, text in files.items():
            content = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return written.getvalue()


def members(content: bytes) -> dict[str, bytes]:
    """Give the files of a tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive if one.isfile()}  # type: ignore[union-attr]  # It is a file.
