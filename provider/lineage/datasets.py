"""The datasets of a task: what its inlets and outlets name, and what it attached to its asset events."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from festaf.contract.feature_set import DEFINITION_FACET, EXTRA_KEY, WRITE_FACET, FeatureSetDefinition, FeatureWrite
from festaf.contract.names import SCHEME, DatasetName, dataset_name, feature_set_dataset
from festaf.contract.openlineage import InputDataset, OutputDataset
from festaf.provider.lineage import facets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from festaf.contract.feature_set import FeatureDeclaration

log = logging.getLogger(__name__)

ASSET_NAMESPACE = "airflow"
"""For an asset whose URI is only a name."""


@dataclass(frozen=True)
class Worker:
    """What only the process that ran the task knows of the code it ran."""

    logic_sha256: str | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None


@dataclass
class Attached:
    """What a task attached to its asset events, by dataset."""

    definitions: dict[DatasetName, FeatureSetDefinition] = field(default_factory=dict)
    writes: dict[DatasetName, FeatureWrite] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    """URIs of assets that became outlets through an alias, while the task ran."""


def inputs(inlets: Iterable[object], attached: Attached) -> tuple[InputDataset, ...]:
    """Name what a task read: its inlets, and the sources of the rows that it wrote into feature sets."""
    uris = [uri for asset in inlets if (uri := _uri(asset))]
    uris += [write.source for write in attached.writes.values() if write.source]
    return input_datasets(uris)


def input_datasets(uris: Iterable[str]) -> tuple[InputDataset, ...]:
    """Name datasets by their URIs, each once; the definition of a feature set is none."""
    names = {name: None for uri in uris if (name := _dataset(uri))}
    return tuple(InputDataset(namespace=name.namespace, name=name.name) for name in names)


def outputs(outlets: Iterable[object], attached: Attached, worker: Worker) -> tuple[OutputDataset, ...]:
    """Name what a task wrote, each with what was said about it."""
    names: dict[DatasetName, None] = dict.fromkeys([*attached.definitions, *attached.writes])
    uris = [uri for asset in outlets if (uri := _uri(asset))] + attached.others
    names |= {name: None for uri in uris if (name := _dataset(uri))}
    return tuple(_output(name, attached, worker) for name in names)


def attached_to(outlet_events: Mapping[Any, Any]) -> Attached:
    """Collect what a task attached, through assets and through aliases."""
    attached = Attached()
    for uri, extra in _events(outlet_events):
        content = extra.get(EXTRA_KEY)
        if isinstance(content, dict):
            _read(content, attached, uri)
        elif uri:
            attached.others.append(uri)
    return attached


def _events(outlet_events: Mapping[Any, Any]) -> Iterator[tuple[str | None, dict[str, Any]]]:
    for asset in outlet_events:
        accessor = outlet_events[asset]
        if uri := getattr(asset, "uri", None):
            yield uri, accessor.extra
        for event in accessor.asset_alias_events:
            yield getattr(event.dest_asset_key, "uri", None), event.extra


def _read(content: dict[str, Any], attached: Attached, uri: str | None) -> None:
    try:
        if content.get("kind") == "definition":
            definition = FeatureSetDefinition.model_validate(content)
            attached.definitions[feature_set_dataset(definition.project, definition.feature_set)] = definition
        else:
            write = FeatureWrite.model_validate(content)
            attached.writes[feature_set_dataset(write.project, write.feature_set)] = write
    except ValidationError as error:
        log.warning("What the task attached to %s under %r is not understood: %s", uri, EXTRA_KEY, error)


def _output(name: DatasetName, attached: Attached, worker: Worker) -> OutputDataset:
    about: dict[str, facets.Facet] = {}
    measured: dict[str, facets.Facet] = {}
    definition = attached.definitions.get(name)
    write = attached.writes.get(name)
    if definition:
        about[DEFINITION_FACET] = facets.own("feature_set", "definition", definition)
        if definition.owner:
            about["ownership"] = facets.dataset_ownership(definition.owner)
        if definition.description:
            about["documentation"] = facets.dataset_documentation(definition.description)
        if definition.deleted:
            about["lifecycleStateChange"] = facets.dropped()
    if write:
        known = {
            "logic_sha256": worker.logic_sha256,
            "bundle_name": worker.bundle_name,
            "bundle_version": worker.bundle_version,
        }
        measured[WRITE_FACET] = facets.own("feature_set", "write", write.model_copy(update=known))
        measured["outputStatistics"] = facets.output_statistics(write.rows_accepted - write.rows_resumed)
    about |= _columns((write.features if write else ()) or (definition.features if definition else ()))
    return OutputDataset(namespace=name.namespace, name=name.name, facets=about, output_facets=measured)


def _columns(features: tuple[FeatureDeclaration, ...]) -> dict[str, facets.Facet]:
    if not features:
        return {}
    described = {"schema": facets.schema(features)}
    sources = {feature.name: _sources(feature) for feature in features if feature.sources}
    if sources:
        technique = {feature.name: feature.technique for feature in features}
        described["columnLineage"] = facets.column_lineage(sources, technique)
    return described


def _sources(feature: FeatureDeclaration) -> list[DatasetName]:
    names = []
    for uri in feature.sources:
        try:
            names.append(dataset_name(uri))
        except ValueError as error:
            log.warning("A source of feature %s is left out: %s", feature.name, error)
    return names


def _uri(asset: object) -> str | None:
    """Give the URI of an asset or of a reference by URI; a reference by name and an alias have none."""
    uri = getattr(asset, "uri", None)
    return uri if isinstance(uri, str) and uri else None


def _dataset(uri: str) -> DatasetName | None:
    try:
        name = dataset_name(uri)
    except ValueError:
        return DatasetName(ASSET_NAMESPACE, uri)
    if name.namespace.startswith(f"{SCHEME}://") and name.name.endswith("/definition"):
        return None
    return DatasetName(name.namespace, name.name)
