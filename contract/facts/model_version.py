"""A version of a model: what it was made from, and what was decided on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.contract import facets
from festaf.contract.facts.told import Told
from festaf.contract.model_version import MODEL_VERSION_FACET
from festaf.contract.names import artifact_dataset, artifact_uri

if TYPE_CHECKING:
    from festaf.contract.facts.told import Worker
    from festaf.contract.model_version import ModelVersionFact


def tell(fact: ModelVersionFact, worker: Worker) -> Told:
    """Tell what was registered, adopted, decided or retired; only the first two tell what it was made from."""
    about: dict[str, facets.Facet] = {}
    registered = fact.event == "registered"
    if registered:
        known = {
            "logic_sha256": worker.logic_sha256,
            "bundle_name": worker.bundle_name,
            "bundle_version": worker.bundle_version,
        }
        fact = fact.model_copy(update=known)
    about[MODEL_VERSION_FACET] = facets.own("model_version", "model_version", fact)
    if fact.version is not None:
        about["version"] = facets.dataset_version(str(fact.version))
    if fact.description:
        about["documentation"] = facets.dataset_documentation(fact.description)
    if fact.event == "deleted" and fact.version is None:
        about["lifecycleStateChange"] = facets.dropped()
    dataset = artifact_dataset("model", fact.project, fact.model)
    return Told(dataset, about, {}, _inputs(fact) if fact.event in {"registered", "onboarded"} else ())


def _inputs(fact: ModelVersionFact) -> tuple[str, ...]:
    """Name the training set, the feature sets and the model data."""
    training_set = (
        artifact_uri("training-set", fact.project, fact.training_set_name) if fact.training_set_name else None
    )
    return tuple(dict.fromkeys(uri for uri in (training_set, *fact.feature_sets, *fact.model_data) if uri))
