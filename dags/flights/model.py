"""The late-flight model as SageMaker sees it: its code and rows in S3, its jobs, and what they came to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from machines.timetable import Slot

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
"""AWS's container for scikit-learn in us-east-1; the local AWS runs the script with its own scikit-learn."""
INSTANCE = "ml.m5.large"
METRICS = [
    {"Name": name, "Regex": rf"{name}=([0-9.]+);"}
    for name in ("test_log_loss", "naive_log_loss", "test_auc", "naive_auc")
]


def upload_code(uri: str, folder: Path) -> str:
    """Pack the scripts of a folder as script mode wants them, upload them, and give the URI.

    The archive is the same for the same scripts.
    """
    import gzip
    import io
    import tarfile

    content = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=content, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path in sorted(folder.glob("*.py")):
            entry = tarfile.TarInfo(path.name)
            entry.size = path.stat().st_size
            with path.open("rb") as script:
                archive.addfile(entry, script)
    return _upload(content.getvalue(), uri)


def upload_rows(uri: str) -> str:
    """Write flights with what was known when they were due, and give the URI: all in memory, for a first look.

    ``flights_training`` has the feature store join the same, as of each moment and at any size.
    """
    from datetime import UTC, datetime

    import pandas as pd

    from flights.delays import flight_delays
    from flights.planes import plane_facts
    from flights.weather import airport_weather

    rows = flight_delays()
    rows = rows[rows["cancelled"] == 0].rename(columns={"scheduled_at": "due"})
    rows["observed_at"] = pd.to_datetime(rows["due"], utc=True).dt.strftime("%Y-%m-%dT%H:00:00Z")
    rows = rows.merge(airport_weather(), on=["origin", "observed_at"], how="left")
    rows = rows.merge(plane_facts(datetime.now(UTC)), on="tailnum", how="left")
    _upload(rows.to_parquet(index=False), f"{uri}/flights.parquet")
    return uri


def training_job(
    name: str,
    *,
    rows: str,
    code: str,
    output: str,
    role_arn: str,
    instances: int = 1,
    hyperparameters: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Describe a training job in script mode, as CreateTrainingJob takes it.

    :param rows: URI of the folder of Parquet files to learn from
    :param code: URI of the packed scripts
    :param output: URI under which SageMaker puts ``<job>/output/model.tar.gz``
    """
    given = {"sagemaker_program": "train.py", "sagemaker_submit_directory": code, **(hyperparameters or {})}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": METRICS,
        },
        "HyperParameters": {key: json.dumps(value) for key, value in given.items()},
        "InputDataConfig": [
            {
                "ChannelName": "training",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": rows}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": output},
        "ResourceConfig": {"InstanceType": INSTANCE, "InstanceCount": instances, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "RoleArn": role_arn,
    }


def measured(names: Mapping[str, str]) -> dict[str, Slot]:
    """Read when jobs ran, in seconds since the first started; a job that never started is left out.

    :param names: training jobs by team
    """
    from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook

    from machines.timetable import Slot

    sagemaker = SageMakerHook().get_conn()  # type: ignore[no-untyped-call]  # The provider leaves it untyped.
    jobs = {team: sagemaker.describe_training_job(TrainingJobName=name) for team, name in names.items()}
    ran = {team: job for team, job in jobs.items() if "TrainingEndTime" in job}
    first = min(job["TrainingStartTime"] for job in ran.values())
    return {
        team: Slot((job["TrainingStartTime"] - first).total_seconds(), (job["TrainingEndTime"] - first).total_seconds())
        for team, job in ran.items()
    }


def _upload(content: bytes, uri: str) -> str:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    bucket, key = S3Hook.parse_s3_url(uri)
    S3Hook().load_bytes(content, key, bucket, replace=True)
    return uri
