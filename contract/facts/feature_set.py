"""The definition of a feature set, and what was written into one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from festaf.contract import facets
from festaf.contract.facts.told import Told
from festaf.contract.feature_set import DEFINITION_FACET, WRITE_FACET
from festaf.contract.names import dataset_name, feature_set_dataset

if TYPE_CHECKING:
    from festaf.contract.facts.told import Worker
    from festaf.contract.feature_set import FeatureDeclaration, FeatureSetDefinition, FeatureWrite
    from festaf.contract.names import DatasetName

log = logging.getLogger(__name__)


def tell_definition(definition: FeatureSetDefinition, worker: Worker) -> Told:
    """Tell that a feature set was defined or retired."""
    about = {DEFINITION_FACET: facets.own("feature_set", "definition", definition)}
    if definition.owner:
        about["ownership"] = facets.dataset_ownership(definition.owner)
    if definition.description:
        about["documentation"] = facets.dataset_documentation(definition.description)
    if definition.deleted:
        about["lifecycleStateChange"] = facets.dropped()
    about |= facets.described(_columns(definition.features))
    return Told(feature_set_dataset(definition.project, definition.feature_set), about)


def tell_write(write: FeatureWrite, worker: Worker) -> Told:
    """Tell what was written, and by which code."""
    known = {
        "logic_sha256": worker.logic_sha256,
        "bundle_name": worker.bundle_name,
        "bundle_version": worker.bundle_version,
    }
    measured = {WRITE_FACET: facets.own("feature_set", "write", write.model_copy(update=known))}
    if write.rows_accepted is not None:
        measured["outputStatistics"] = facets.output_statistics(max(write.rows_accepted - write.rows_resumed, 0))
    return Told(
        feature_set_dataset(write.project, write.feature_set),
        facets.described(_columns(write.features)),
        measured,
        tuple(uri for uri in (write.source, *write.inputs) if uri),
    )


def _columns(features: tuple[FeatureDeclaration, ...]) -> list[facets.Column]:
    return [
        facets.Column(
            feature.name,
            f"{feature.collection}<{feature.type}>" if feature.collection else feature.type,
            feature.description,
            tuple(facets.Origin(name, description=feature.technique or "") for name in _sources(feature)),
        )
        for feature in features
    ]


def _sources(feature: FeatureDeclaration) -> list[DatasetName]:
    names = []
    for uri in feature.sources:
        try:
            names.append(dataset_name(uri))
        except ValueError as error:
            log.warning("A source of feature %s is left out: %s", feature.name, error)
    return names
