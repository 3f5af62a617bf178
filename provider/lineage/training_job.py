"""A training run as the amazon provider's operator has it when its task ends: the record of an experiment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from festaf.contract.experiment import TrainedModel, TrainingCode, TrainingData, TrainingRecord
from festaf.contract.names import DEFAULT_PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.contract.openlineage import TaskRun

STATES = frozenset({"Completed", "Failed", "Stopped"})
PROJECT_TAG = "festaf:project"
SCRIPT = "sagemaker_program"
CODE = "sagemaker_submit_directory"
MAX_VALUE = 2_500
"""The longest value of a hyperparameter that AWS takes."""


def training_record(task: Any, run: TaskRun, error: str | None) -> TrainingRecord | None:
    """Tell what a training task was given and what came of it; None for any other task.

    :param task: the operator; ``SageMakerTrainingOperator`` keeps DescribeTrainingJob's answer when the job is done
    :param error: why the task failed, with secrets masked
    """
    asked = getattr(task, "config", None)
    if not isinstance(asked, dict) or "AlgorithmSpecification" not in asked or "TrainingJobName" not in asked:
        return None
    job: Mapping[str, Any] = getattr(task, "serialized_training_data", None) or asked
    state = job.get("TrainingJobStatus")
    tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags") or ()}
    given = {name: str(value)[:MAX_VALUE] for name, value in (job.get("HyperParameters") or {}).items()}
    return TrainingRecord(
        project=tags.pop(PROJECT_TAG, DEFAULT_PROJECT),
        experiment=(job.get("ExperimentConfig") or {}).get("ExperimentName") or run.dag_id,
        run=job["TrainingJobName"],
        state=state if state in STATES else "Failed" if error is not None else None,
        reason=job.get("FailureReason") or (None if error is None else error[:1000]),
        started_at=run.started_at,
        ended_at=run.ended_at,
        parameters={name: value for name, value in given.items() if not name.startswith("sagemaker_")},
        metrics={item["MetricName"]: float(item["Value"]) for item in job.get("FinalMetricDataList") or ()},
        data=tuple(_data(channel) for channel in job.get("InputDataConfig") or ()),
        code=_code(job, given, run),
        model=TrainedModel(data=(data,))
        if (data := (job.get("ModelArtifacts") or {}).get("S3ModelArtifacts"))
        else None,
        training_job=job.get("TrainingJobArn"),
        tags=tags,
        dag_id=run.dag_id,
        run_id=run.run_id,
        task_id=run.task_id,
        map_index=run.map_index if run.map_index >= 0 else None,
        try_number=run.try_number,
    )


def _data(channel: Mapping[str, Any]) -> TrainingData:
    source = channel.get("DataSource") or {}
    uri = (source.get("S3DataSource") or {}).get("S3Uri")
    if uri is None:
        place = source.get("FileSystemDataSource") or {}
        uri = f"{place.get('FileSystemType', 'file').lower()}://{place.get('FileSystemId', '')}"
        uri += place.get("DirectoryPath", "")
    return TrainingData(name=channel["ChannelName"], uri=uri)


def _code(job: Mapping[str, Any], given: Mapping[str, str], run: TaskRun) -> TrainingCode:
    algorithm = job["AlgorithmSpecification"]
    return TrainingCode(
        image=algorithm.get("TrainingImage") or algorithm.get("AlgorithmName"),
        uri=_plain(given.get(CODE)),
        entry_point=_plain(given.get(SCRIPT)),
        bundle_name=run.bundle_name,
        bundle_version=run.bundle_version,
    )


def _plain(value: str | None) -> str | None:
    """Read a hyperparameter of script mode, which is JSON."""
    if value is None:
        return None
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if isinstance(found, str) else value
