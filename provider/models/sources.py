"""What users hand to a registration: metrics, held-out data, a training set, a training job; in each of their forms."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from festaf.contract.training_set import TrainingSetManifest, TrainingSetWritten
from festaf.provider.errors import InputError
from festaf.provider.models.evaluation import Evaluation, read_evaluation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.contract.training_set import FeatureSetUse, TrainingSetColumn
    from festaf.provider.hooks.model import ModelHook


@dataclass(frozen=True)
class TrainingSource:
    """The training set that a model was trained on."""

    manifest: str | None = None
    """URI."""
    name: str | None = None
    features: tuple[str, ...] = ()
    """``feature_set.feature``."""
    feature_sets: tuple[str, ...] = ()
    """URIs."""


@dataclass(frozen=True)
class TrainedBy:
    """What a training job tells of its model."""

    arn: str
    image: str | None = None
    model_data: str | None = None
    experiment: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


def training_source(value: Any, hook: ModelHook) -> TrainingSource:
    """Read a training set: the URI of its manifest, or what BuildTrainingSetOperator returned.

    :raises InputError: it is neither, or there is no manifest
    """
    given = spelled(value, "training_set")
    if not given:
        return TrainingSource()
    try:
        if isinstance(given, str):
            content = hook.read_json(given)
            if content is None:
                raise InputError(f"There is no training-set manifest {given}")
            manifest = TrainingSetManifest.model_validate(content)
            return TrainingSource(
                given, manifest.training_set, _features(manifest.columns), _feature_sets(manifest.feature_sets)
            )
        written = TrainingSetWritten.model_validate(given)
    except ValidationError as error:
        raise InputError(
            f"training_set is no training set of festaf ({error.error_count()} errors, first: {_first(error)}): give "
            "the URI of its manifest, or what BuildTrainingSetOperator returned"
        ) from error
    return TrainingSource(
        written.manifest, written.training_set, _features(written.columns), _feature_sets(written.feature_sets)
    )


def evaluation_of(metrics: Any, held_out: Any, hook: ModelHook) -> Evaluation:
    """Read metrics (by name, or the S3 URI of an evaluation) and lay over them the data that they were measured on.

    :param held_out: a URI, ``{"uri": ..., "sha256": ..., "rows": ...}``, or what BuildTrainingSetOperator returned
    :raises InputError: one of them is not to be read
    """
    given = spelled(metrics, "metrics")
    if isinstance(given, str) and given:
        content = hook.read_json(given)
        if content is None:
            raise InputError(f"There is no evaluation {given}")
        found = read_evaluation(content, given)
    else:
        found = read_evaluation(given, "metrics") if given else Evaluation()
    data = spelled(held_out, "held_out")
    if not data:
        return found
    if isinstance(data, str):
        return replace(found, held_out=data)
    if "manifest" in data:
        data = {"uri": data["manifest"], "sha256": data.get("manifest_sha256"), "rows": data.get("rows")}
    if unknown := sorted(data.keys() - {"uri", "sha256", "rows"}):
        raise InputError(f"held_out has {', '.join(unknown)}: write uri, sha256 and rows")
    return replace(found, held_out=data.get("uri"), sha256=data.get("sha256"), rows=data.get("rows"))


def trained_by(name: str, hook: ModelHook) -> TrainedBy:
    """Read a training job that has ended.

    :raises InputError: there is none, or it did not complete
    """
    short = name.rpartition("/")[2]
    job = hook.training_job(short)
    if job is None:
        raise InputError(f"There is no training job {short} in {hook.place}")
    if job["TrainingJobStatus"] != "Completed":
        reason = f": {job['FailureReason']}" if job.get("FailureReason") else ""
        raise InputError(f"Training job {short} is {job['TrainingJobStatus']}, not Completed{reason}")
    return TrainedBy(
        arn=job["TrainingJobArn"],
        image=job.get("AlgorithmSpecification", {}).get("TrainingImage"),
        model_data=(job.get("ModelArtifacts") or {}).get("S3ModelArtifacts"),
        experiment=(job.get("ExperimentConfig") or {}).get("ExperimentName"),
        metrics={item["MetricName"]: float(item["Value"]) for item in job.get("FinalMetricDataList") or ()},
    )


def spelled(value: Any, what: str) -> Any:
    """Read what a template made of a mapping: text in JSON or Python; other text is left as it is.

    :raises InputError: it is neither text nor a mapping
    """
    if value is None or isinstance(value, dict):
        return value
    if not isinstance(value, str):
        raise InputError(f"{what} is {type(value).__name__}: give a text or a mapping")
    text = value.strip()
    if text in {"", "None"}:
        return None
    if not text.startswith("{"):
        return text
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    raise InputError(f"{what} is neither JSON nor a Python mapping: {text[:80]}")


def _features(columns: tuple[TrainingSetColumn, ...]) -> tuple[str, ...]:
    return tuple(
        f"{column.feature_set}.{column.feature or column.name}" if column.feature_set else column.name
        for column in columns
        if column.role == "feature"
    )


def _feature_sets(uses: tuple[FeatureSetUse, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(use.uri for use in uses))


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
