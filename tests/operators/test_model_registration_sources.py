"""A registration takes what training jobs and training sets tell of a model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from festaf.contract.training_set import (
    EntitySource,
    FeatureSetUse,
    Statement,
    TrainingSetColumn,
    TrainingSetManifest,
    TrainingSetWritten,
)
from festaf.operators.model import CreateModelOperator, RegisterModelVersionOperator
from festaf.provider import errors
from festaf.provider.artifacts import Model
from festaf.provider.models import metadata as keys
from tests.feature_store import BUCKET
from tests.local_aws.jobs.work import IMAGE, Workshop
from tests.models import ROLE, hooked, model_data, new_run, register

if TYPE_CHECKING:
    from festaf.provider.hooks.model import ModelHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

pytestmark = pytest.mark.usefixtures("hurried")


SCRIPT = """
import os
from pathlib import Path
print("mae=9.5;")
(Path(os.environ["SM_MODEL_DIR"]) / "model.txt").write_text("ten minutes")
"""
METRICS = {
    "TrainingImage": IMAGE,
    "TrainingInputMode": "File",
    "MetricDefinitions": [{"Name": "validation:mae", "Regex": "mae=([0-9.]+);"}],
}
MANIFEST = f"s3://{BUCKET}/sets/delays/manifest.json"
NOW = datetime(2013, 2, 1, tzinfo=UTC)


def parts() -> dict[str, Any]:
    """Give what a manifest and a task's answer have in common."""
    use = FeatureSetUse(
        project="nyc",
        feature_set="weather",
        arn="arn:aws:sagemaker:us-east-1:123456789012:feature-group/weather",
        created_at=NOW,
        version="a" * 64,
        table="sagemaker_featurestore.weather",
        record_identifier="origin",
        event_time="hour",
        entity_column="origin",
        point_in_time=True,
        features=("wind",),
        rows_matched=7,
        rows_unmatched=0,
    )
    columns = (
        TrainingSetColumn(name="origin", type="string", role="entity"),
        TrainingSetColumn(name="weather_wind", type="double", role="feature", feature_set="weather", feature="wind"),
        TrainingSetColumn(name="delay", type="double", role="label"),
    )
    return {
        "project": "nyc",
        "training_set": "delays",
        "build": "b1",
        "uri": f"s3://{BUCKET}/sets/delays/data/",
        "snapshot": NOW,
        "rows": 7,
        "entities": EntitySource(kind="table", text="nyc.flights"),
        "columns": columns,
        "feature_sets": (use,),
    }


def written() -> dict[str, Any]:
    """Give what BuildTrainingSetOperator returns."""
    return TrainingSetWritten(**parts(), manifest=MANIFEST, manifest_sha256="b" * 64).model_dump(mode="json")


def manifest() -> bytes:
    """Give a manifest as it lies in S3."""
    statement = Statement(step="training set", text="SELECT 1", query_execution_id="q")
    made = TrainingSetManifest(
        **parts(), specification="c" * 64, created_at=NOW, files=(), statements=(statement,), rows_entities=7
    )
    return made.model_dump_json().encode()


def task(**parameters: Any) -> RegisterModelVersionOperator:
    asked: dict[str, Any] = {"task_id": "register", "model": "delay", "poll_interval": 0.1, "timeout": 30}
    return hooked(RegisterModelVersionOperator(**(asked | parameters)))


def test_a_training_job_brings_image_data_and_metrics(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    job = Workshop(aws).train("trees", SCRIPT, AlgorithmSpecification=METRICS)
    made = task(training_job="trees").execute(task_run.context)
    assert made["images"] == [IMAGE]
    assert made["model_data"] == [job["ModelArtifacts"]["S3ModelArtifacts"]]
    assert made["metrics"] == {"validation:mae": 9.5}
    assert made["training_job"] == job["TrainingJobArn"]
    found = Model.load("delay", hook=models)
    assert found is not None
    assert found.version is not None
    assert found.version.generated_by == found.training_job == job["TrainingJobArn"]
    assert found.evaluation.metrics == {"validation:mae": 9.5}


def test_a_job_that_failed_is_not_registered(aws: LocalAws, task_run: Run) -> None:
    Workshop(aws).train("trees", "raise SystemExit('no rows')")
    with pytest.raises(errors.InputError, match=r"Training job trees is Failed, not Completed: .*"):
        task(training_job="trees").execute(task_run.context)
    assert "CreateModelPackageGroup" not in aws.stats()


@pytest.mark.parametrize("given", ["returned", "text", "manifest"])
def test_a_training_set_brings_its_features(aws: LocalAws, models: ModelHook, task_run: Run, given: str) -> None:
    aws.client("s3").put_object(Bucket=BUCKET, Key="sets/delays/manifest.json", Body=manifest())
    training_set = {"returned": written(), "text": str(written()), "manifest": MANIFEST}[given]
    made = task(image_uri="sklearn:1.5", model_data_url=model_data(aws), training_set=training_set).execute(
        task_run.context
    )
    assert (made["training_set"], made["training_set_name"]) == (MANIFEST, "delays")
    assert made["features"] == ["weather.wind"]
    assert made["feature_sets"] == ["x-festaf://nyc/weather"]
    found = Model.load("delay", hook=models)
    assert found is not None
    assert (found.training_set, found.features) == (MANIFEST, ("weather.wind",))
    assert "training set" not in found.unknown


def test_a_training_set_may_be_what_was_held_out(aws: LocalAws, task_run: Run) -> None:
    made = task(
        image_uri="sklearn:1.5", model_data_url=model_data(aws), metrics={"mae": 9.5}, held_out=written()
    ).execute(task_run.context)
    assert made["held_out"] == {"uri": MANIFEST, "sha256": "b" * 64, "rows": 7}


def test_what_no_operator_registered_is_read_from_its_metadata(aws: LocalAws, models: ModelHook) -> None:
    """Delete the record, as a bucket's life cycle may do."""
    register(aws, features=["weather.wind"])
    found = Model.load("delay", hook=models)
    assert found is not None
    assert found.version is not None
    bucket, _, key = found.version.metadata[keys.RECORD].removeprefix("s3://").partition("/")
    aws.client("s3").delete_object(Bucket=bucket, Key=key)
    bare = Model.load("delay", hook=models)
    assert bare is not None
    assert (bare.record, bare.features) == (None, ("weather.wind",))
    assert bare.evaluation.metrics == {"mae": 9.5}


def test_from_training_to_a_model_that_can_serve(aws: LocalAws, models: ModelHook, task_run: Run) -> None:
    Workshop(aws).train("trees", SCRIPT, AlgorithmSpecification=METRICS)
    made = task(training_job="trees", approval_status="Approved").execute(task_run.context)
    create = CreateModelOperator(task_id="create", model="delay-1", model_package=made["arn"], role_arn=ROLE)
    assert hooked(create).execute(new_run().context)["version"] == "delay:1"  # type: ignore[arg-type]
