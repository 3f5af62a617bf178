"""Record what events say of training runs and of the versions that were registered from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from festaf.contract.experiment import EXPERIMENT_FACET, TrainedModel, TrainingData, TrainingRecord
from festaf.contract.model_version import MODEL_VERSION_FACET, ModelVersionFact
from festaf.registry_api.access.sight import EVERYTHING
from festaf.registry_api.experiments.service import ExperimentService, wrong_names
from festaf.registry_api.lineage.folding import bodies
from festaf.registry_api.lineage.recording import Batch, FoldedRun

Known = TypeVar("Known", bound=BaseModel)
AUTHOR = "openlineage"
"""Who recorded what came by an event."""


class ExperimentRecorder:
    """Appends the records that runs carry.

    A run that ends is told once; one that is told again with more is another entry. Entries are never taken back: a
    chain keeps in which order the registry learned things.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    def record(self, batch: Batch) -> None:
        """Append what the batch's runs say of training."""
        found = [record for run in batch.runs for record in _records(run)]
        if found:
            ExperimentService(self.session, EVERYTHING).append(found, batch.now, AUTHOR)


def _records(run: FoldedRun) -> Iterator[TrainingRecord]:
    if run.facts.state is None or not run.facts.state.terminal:
        return
    facet = bodies(run.state.run_facets).get(EXPERIMENT_FACET)
    told = _read(TrainingRecord, facet.get("experiment")) if facet else None
    if told is not None and not wrong_names(told):
        own = {"namespace": run.state.job.namespace, "openlineage_run_id": run.state.run_id}
        yield told.model_copy(update=own)
    for output in run.state.outputs.values():
        facet = bodies(output.facets).get(MODEL_VERSION_FACET)
        fact = _read(ModelVersionFact, facet.get("model_version")) if facet else None
        if fact is not None and (record := _registered(fact, run)):
            yield record


def _registered(fact: ModelVersionFact, run: FoldedRun) -> TrainingRecord | None:
    """Tell which version of a model a training run became, and how good it is."""
    if fact.event != "registered" or not fact.training_job or fact.version is None:
        return None
    manifest = fact.training_set
    return _read(
        TrainingRecord,
        {
            "project": fact.project,
            "experiment": fact.experiment or fact.dag_id or fact.model,
            "run": fact.training_job.rpartition("/")[2],
            "metrics": fact.metrics,
            "data": [TrainingData(name="training set", uri=manifest, manifest=manifest)] if manifest else [],
            "model": TrainedModel(name=fact.model, version=fact.version, arn=fact.arn, data=fact.model_data),
            "training_job": fact.training_job if fact.training_job.startswith("arn:") else None,
        },
    )


def _read(model: type[Known], value: Any) -> Known | None:
    """Read what a facet carries; what is no record is kept in the run's facets and recorded nowhere."""
    try:
        return model.model_validate(value)
    except ValidationError:
        return None
