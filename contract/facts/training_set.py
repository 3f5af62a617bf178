"""A training set: its rows, and from which feature each of its columns came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.contract import facets
from festaf.contract.facts.told import Told
from festaf.contract.names import artifact_dataset, dataset_name
from festaf.contract.training_set import TRAINING_SET_FACET

if TYPE_CHECKING:
    from festaf.contract.facts.told import Worker
    from festaf.contract.training_set import TrainingSetColumn, TrainingSetWritten


def tell(written: TrainingSetWritten, worker: Worker) -> Told:
    """Tell what was built: its columns, each with the feature it came from, its rows, and what was read."""
    entities = (written.entities.uri,) if written.entities.uri else ()
    columns = [
        facets.Column(column.name, column.type, None, tuple(_origins(column, written))) for column in written.columns
    ]
    return Told(
        artifact_dataset("training-set", written.project, written.training_set),
        facets.described(columns, whole=_deciding(written)),
        {
            TRAINING_SET_FACET: facets.own("training_set", "training_set", written),
            "outputStatistics": facets.output_statistics(written.rows, written.bytes or None, written.files or None),
        },
        (*entities, *dict.fromkeys(use.uri for use in written.feature_sets)),
    )


def _origins(column: TrainingSetColumn, written: TrainingSetWritten) -> list[facets.Origin]:
    how = "as it stood at the row's event time" if column.feature_set else ""
    if any(use.feature_set == column.feature_set and not use.point_in_time for use in written.feature_sets):
        how = "the latest value"
    return [facets.Origin(dataset_name(uri), "DIRECT", "IDENTITY", how) for uri in column.sources]


def _deciding(written: TrainingSetWritten) -> list[facets.Origin]:
    """Name the columns that decide which record a row's features come from, and so bear on every column."""
    uris: dict[str, None] = {}
    for use in written.feature_sets:
        uris[f"{use.uri}#{use.record_identifier}"] = None
        uris[f"{use.uri}#{use.event_time}"] = None
    for column in written.columns:
        if column.role in {"entity", "event_time"}:
            uris |= dict.fromkeys(column.sources)
    return [facets.Origin(dataset_name(uri), "INDIRECT", "JOIN") for uri in uris]
