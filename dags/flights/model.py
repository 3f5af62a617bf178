"""The late-flight model as SageMaker sees it: its code and rows in S3, its jobs, and what they came to."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from machines.timetable import Slot

NAME = "late-flights"
PROJECT = "nyc"
"""Of the model package group and the endpoint."""

DATABASE = "sagemaker_featurestore"
TABLE = "late_flights"
"""Through which SQL sees the newest training set."""

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
"""AWS's container for scikit-learn in us-east-1; the local AWS runs the script with its own scikit-learn."""
INSTANCE = "ml.m5.large"
PATIENCE: dict[str, Any] = {"deferrable": True, "check_interval": 2, "max_attempts": 1800}
"""How the amazon provider's operators wait for a job: an hour, in the triggerer; without ``max_attempts`` they would
give up after 60 looks."""
METRICS = [
    {"Name": name, "Regex": rf"{name}=([0-9.]+);"}
    for name in ("test_log_loss", "naive_log_loss", "test_auc", "naive_auc")
]

EXAMPLE = {
    "flight_id": "UA1545-EWR-20131201T1015",
    "carrier": "UA",
    "due": "2013-12-01T15:15:00Z",
    "carrier_delay_24h_min": 12.5,
    "origin_delay_3h_min": 20.0,
    "distance_mi": 1400,
    "wind_mph": 15.0,
    "visibility_mi": 2.0,
}
"""A flight with some of what may be known of it: what is missing counts as unknown."""
ANSWER = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["late"],
        "properties": {"late": {"type": "number", "minimum": 0, "maximum": 1}},
    },
}
"""What a good answer looks like, in JSON Schema's words."""
INPUT, OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"


def upload_code(uri: str, folder: Path) -> str:
    """Pack the scripts of a folder as script mode wants them, upload them, and give the URI.

    The archive is the same for the same scripts.
    """
    import gzip
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


def upload_scripts(uri: str, folder: Path) -> str:
    """Upload the scripts of a folder one by one, as a processing job takes them, and give the URI."""
    for path in sorted(folder.glob("*.py")):
        _upload(path.read_bytes(), f"{uri}/{path.name}")
    return uri


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
        "Tags": [{"Key": "festaf:project", "Value": PROJECT}],
    }


def evaluation_job(
    name: str, *, rows: str, scripts: str, challenger: str, champion: str, output: str, role_arn: str
) -> dict[str, Any]:
    """Describe the processing job that measures two models on the same rows, as CreateProcessingJob takes it.

    :param rows: URI of the folder of Parquet files
    :param scripts: URI of the folder of scripts
    :param challenger: URI of one ``model.tar.gz``
    :param champion: URI of the other
    :param output: URI of the folder for ``challenger.json`` and ``champion.json``
    """
    inputs = {"rows": rows, "code": scripts, "challenger": challenger, "champion": champion}
    return {
        "ProcessingJobName": name,
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", f"{INPUT}/code/evaluate.py"],
            "ContainerArguments": ["--input", INPUT, "--output", OUTPUT, "--rows-uri", rows],
        },
        "ProcessingInputs": [
            {
                "InputName": what,
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": f"{INPUT}/{what}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for what, uri in inputs.items()
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "evaluations",
                    "S3Output": {"S3Uri": output, "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"},
                }
            ]
        },
        "ProcessingResources": {"ClusterConfig": {"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 10}},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "RoleArn": role_arn,
    }


def transform_job(name: str, *, model: str, rows: str, output: str) -> dict[str, Any]:
    """Describe a batch transform of JSON lines, as CreateTransformJob takes it."""
    lines = "application/jsonlines"
    return {
        "TransformJobName": name,
        "ModelName": model,
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": 6,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": rows}},
            "ContentType": lines,
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": output, "Accept": lines, "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": INSTANCE, "InstanceCount": 1},
    }


def judged_batch(output: str, athena_output: str, *, since: str) -> dict[str, float]:
    """Measure scored flights by what came of them, beside the share of late flights by carrier and hour until then.

    :param output: folder of the transform's answers, JSON lines
    :param athena_output: where Athena puts results
    :param since: flights due from then on were scored, those before are remembered
    :raises ValueError: a flight was not scored, or twice
    """
    import pandas as pd

    answered = pd.concat(pd.read_json(io.BytesIO(content), lines=True) for content in _objects(output))
    memory = f"""
        WITH flights AS (
            SELECT flight_id, carrier, dep_delay_min > 15 AS late, due >= '{since}' AS scored,
                hour(from_iso8601_timestamp(due)) AS hour
            FROM {TABLE}
        ), shares AS (
            SELECT carrier, hour, avg(if(late, 1e0, 0e0)) AS share FROM flights WHERE NOT scored GROUP BY carrier, hour
        )
        SELECT flight_id, late, coalesce(share, 0.2e0) AS share
        FROM flights LEFT JOIN shares USING (carrier, hour)
        WHERE scored
    """
    truth = _answered(memory, athena_output)
    both = truth.merge(answered, on="flight_id", how="outer", validate="one_to_one", suffixes=("_came", ""))
    if both.isna().any(axis=None):
        raise ValueError(f"{int(both.isna().any(axis=1).sum())} flights were not scored, or are unknown")
    came = both["late_came"] == "true"
    scored = _score(came, both["late"])
    naive = _score(came, both["share"].astype(float).clip(0.01, 0.99))
    return {"flights": len(both), **scored, **{f"naive_{name}": value for name, value in naive.items()}}


def _score(came: pd.Series[bool], chance: pd.Series[float]) -> dict[str, float]:
    """Measure chances: log loss, and the area under the ROC curve by ranks."""
    import numpy as np

    given = np.where(came, chance, 1 - chance)
    late, early = int(came.sum()), int((~came).sum())
    ranks = float(chance.rank()[came].sum())
    return {"log_loss": float(-np.log(given).mean()), "auc": (ranks - late * (late + 1) / 2) / (late * early)}


def champion_data(challenger: str) -> str:
    """Find the model data of the newest approved version; the challenger's own when none is approved."""
    from festaf.provider.artifacts import Model

    found = Model.load(NAME)
    serves = Model.load(found.champion.arn) if found and found.champion else None
    if serves is None or serves.version is None:
        return challenger
    return serves.version.containers[0].model_data or challenger


def some_flights(uri: str, *, since: str = "2013-12-01", count: int = 200) -> dict[str, Any]:
    """Take flights of a training set, half of them late, with what was known of them and how late they left.

    :param uri: folder of the training set's Parquet files
    :param since: flights due from then on
    """
    import pandas as pd

    parts = [pd.read_parquet(io.BytesIO(content)) for content in _objects(uri) if content[:4] == b"PAR1"]
    rows = pd.concat(part[part["due"] >= since] for part in parts).sort_values("flight_id")
    late = rows["dep_delay_min"] > 15
    chosen = pd.concat([rows[late].sample(count // 2, random_state=7), rows[~late].sample(count // 2, random_state=7)])
    truth = dict(zip(chosen["flight_id"], chosen["dep_delay_min"].astype(float), strict=True))
    return {"flights": json.loads(chosen.drop(columns=["dep_delay_min"]).to_json(orient="records")), "truth": truth}


def judged(truth: Mapping[str, float], answers: list[dict[str, Any]]) -> dict[str, float]:
    """Compare answered chances with how late flights left: mean chances, and how often the order is right.

    :param truth: minutes late by flight
    """
    chances = {one["flight_id"]: one["late"] for one in answers}
    late = [chances[flight] for flight, minutes in truth.items() if minutes > 15]
    early = [chances[flight] for flight, minutes in truth.items() if minutes <= 15]
    right = sum((one > other) + (one == other) / 2 for one in late for other in early)
    return {
        "late_flights": sum(late) / len(late),
        "flights_in_time": sum(early) / len(early),
        "auc": right / (len(late) * len(early)),
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


def _objects(uri: str) -> Iterator[bytes]:
    """Read every object of a folder in S3."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    hook = S3Hook()
    bucket, prefix = S3Hook.parse_s3_url(uri)
    for key in hook.list_keys(bucket, prefix.rstrip("/") + "/"):
        yield hook.get_key(key, bucket).get()["Body"].read()


def _answered(query: str, output: str) -> pd.DataFrame:
    """Ask Athena, and read the result that it leaves in S3.

    :param output: folder in S3 for the result
    """
    import pandas as pd
    from airflow.providers.amazon.aws.hooks.athena import AthenaHook
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    athena = AthenaHook(log_query=False)
    execution = athena.run_query(query, {"Database": DATABASE}, {"OutputLocation": output})
    state = athena.poll_query_status(execution, sleep_time=1)
    if state != "SUCCEEDED":
        raise RuntimeError(f"Athena did not answer: {athena.get_state_change_reason(execution)}")
    bucket, key = S3Hook.parse_s3_url(f"{output}/{execution}.csv")
    return pd.read_csv(io.BytesIO(S3Hook().get_key(key, bucket).get()["Body"].read()), dtype=str)
