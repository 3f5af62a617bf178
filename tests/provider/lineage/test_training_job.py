"""A training task's own process tells what it was given and what came of it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from festaf.contract.openlineage import TaskRun
from festaf.provider.lineage.training_job import training_record

RUN = TaskRun(
    dag_id="flights_training",
    task_id="train",
    run_id="manual__1",
    try_number=2,
    state="success",
    bundle_name="dags",
    bundle_version="abc",
)
CONFIG: dict[str, Any] = {
    "TrainingJobName": "late-flights-1",
    "AlgorithmSpecification": {"TrainingImage": "sklearn:1", "TrainingInputMode": "File"},
    "HyperParameters": {
        "depth": "6",
        "sagemaker_program": json.dumps("train.py"),
        "sagemaker_submit_directory": json.dumps("s3://lake/code.tar.gz"),
    },
    "InputDataConfig": [
        {"ChannelName": "training", "DataSource": {"S3DataSource": {"S3Uri": "s3://lake/rows"}}},
        {
            "ChannelName": "more",
            "DataSource": {
                "FileSystemDataSource": {"FileSystemType": "EFS", "FileSystemId": "fs-1", "DirectoryPath": "/x"}
            },
        },
    ],
    "Tags": [{"Key": "festaf:project", "Value": "nyc"}, {"Key": "team", "Value": "sky"}],
}
ANSWER = CONFIG | {
    "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/late-flights-1",
    "TrainingJobStatus": "Completed",
    "FinalMetricDataList": [{"MetricName": "auc", "Value": 0.75, "Timestamp": "2026-01-01"}],
    "ModelArtifacts": {"S3ModelArtifacts": "s3://lake/models/model.tar.gz"},
}


def told(error: str | None = None, **task: Any) -> Any:
    record = training_record(SimpleNamespace(config=CONFIG, **task), RUN, error)
    assert record is not None
    return record.model_dump(mode="json")


def test_a_job_that_is_done_is_told_with_what_it_was_given_and_what_came_of_it() -> None:
    record = told(serialized_training_data=ANSWER)
    assert (record["project"], record["experiment"], record["run"]) == ("nyc", "flights_training", "late-flights-1")
    assert (record["state"], record["parameters"], record["metrics"]) == ("Completed", {"depth": "6"}, {"auc": 0.75})
    assert [(item["name"], item["uri"]) for item in record["data"]] == [
        ("training", "s3://lake/rows"),
        ("more", "efs://fs-1/x"),
    ]
    code = record["code"]
    assert (code["image"], code["uri"], code["entry_point"]) == ("sklearn:1", "s3://lake/code.tar.gz", "train.py")
    assert code["bundle_version"] == "abc"
    assert record["model"]["data"] == ["s3://lake/models/model.tar.gz"]
    assert (record["tags"], record["try_number"], record["map_index"]) == ({"team": "sky"}, 2, None)


def test_sagemakers_own_experiment_names_it() -> None:
    job = ANSWER | {"ExperimentConfig": {"ExperimentName": "trees"}}
    assert told(serialized_training_data=job)["experiment"] == "trees"


def test_a_job_that_failed_is_told_with_the_reason() -> None:
    record = told("AlgorithmError: no rows")
    assert (record["state"], record["reason"], record["parameters"]) == (
        "Failed",
        "AlgorithmError: no rows",
        {"depth": "6"},
    )


@pytest.mark.parametrize("config", [None, {}, {"TrainingJobName": "x"}, {"TransformJobName": "x"}, "text"])
def test_any_other_task_is_none(config: Any) -> None:
    assert training_record(SimpleNamespace(config=config), RUN, None) is None
