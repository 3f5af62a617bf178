"""What is known of a registered version, as the contract's fact: by its record, else by its metadata."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydantic import ValidationError

from festaf.contract.model_version import HeldOut, ModelVersionFact
from festaf.contract.names import DEFAULT_PROJECT
from festaf.provider.models import metadata as keys
from festaf.provider.models.evaluation import known_evaluation
from festaf.provider.models.registration import feature_sets_of, standing

if TYPE_CHECKING:
    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.models.record import ModelVersion

log = logging.getLogger(__name__)


def read_record(hook: ModelHook, version: ModelVersion) -> ModelVersionFact | None:
    """Read what the registering task noted; None when that is nothing, gone, or not to be understood."""
    uri = version.metadata.get(keys.RECORD)
    content = hook.read_json(uri) if uri else None
    if content is None:
        return None
    try:
        return ModelVersionFact.model_validate(content)
    except ValidationError as error:
        log.warning("The record %s of model %s is not understood: %s", uri, version.name, error)
        return None


def fact_of(hook: ModelHook, version: ModelVersion, project: str) -> ModelVersionFact:
    """Tell of a version as it stands now."""
    noted = read_record(hook, version) or _from_metadata(hook, version)
    return noted.model_copy(update={"project": project, "model": version.group, **standing(version)})


def _from_metadata(hook: ModelHook, version: ModelVersion) -> ModelVersionFact:
    evaluation = known_evaluation(hook, version)
    features = tuple((version.metadata.get(keys.FEATURES) or "").split())
    index = version.metadata.get(keys.MAP_INDEX) or ""
    return ModelVersionFact(
        model=version.group,
        description=version.description,
        images=tuple(item.image for item in version.containers if item.image),
        model_data=tuple(item.model_data for item in version.containers if item.model_data),
        metrics=dict(evaluation.metrics),
        held_out=HeldOut(uri=evaluation.held_out) if evaluation.held_out else None,
        features=features,
        feature_sets=feature_sets_of(features, version.metadata.get(keys.PROJECT) or DEFAULT_PROJECT),
        training_set=version.metadata.get(keys.TRAINING_SET),
        training_job=version.metadata.get(keys.TRAINING_JOB) or version.generated_by,
        dag_id=version.metadata.get(keys.DAG),
        run_id=version.metadata.get(keys.RUN),
        task_id=version.metadata.get(keys.TASK),
        map_index=int(index) if index.isdigit() else None,
    )
