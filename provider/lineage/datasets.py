"""The datasets of a task: what its inlets and outlets name, and what it attached to its asset events."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from festaf.contract.feature_set import EXTRA_KEY
from festaf.contract.names import SCHEME, DatasetName, dataset_name
from festaf.contract.openlineage import InputDataset, OutputDataset
from festaf.provider.lineage.facts.kinds import KINDS
from festaf.provider.lineage.facts.told import Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from festaf.provider.lineage.facts.told import Worker

log = logging.getLogger(__name__)

ASSET_NAMESPACE = "airflow"
"""For an asset whose URI is only a name."""


@dataclass
class Attached:
    """What a task attached to its asset events."""

    told: dict[DatasetName, Told] = field(default_factory=dict)
    """What it said, by the dataset that it is about."""
    others: list[str] = field(default_factory=list)
    """URIs of assets of which nothing was said that is understood; some became outlets through an alias."""


def inputs(inlets: Iterable[object], attached: Attached) -> tuple[InputDataset, ...]:
    """Name what a task read: its inlets, and what it says that it made its outputs from."""
    uris = [uri for asset in inlets if (uri := _uri(asset))]
    uris += [uri for told in attached.told.values() for uri in told.inputs]
    return input_datasets(uris)


def input_datasets(uris: Iterable[str]) -> tuple[InputDataset, ...]:
    """Name datasets by their URIs, each once; the definition of a feature set is none."""
    names = {name: None for uri in uris if (name := _dataset(uri))}
    return tuple(InputDataset(namespace=name.namespace, name=name.name) for name in names)


def outputs(outlets: Iterable[object], attached: Attached) -> tuple[OutputDataset, ...]:
    """Name what a task wrote, each with what was said about it."""
    uris = [uri for asset in outlets if (uri := _uri(asset))] + attached.others
    every = dict(attached.told)
    for uri in uris:
        if name := _dataset(uri):
            every.setdefault(name, Told(name))
    return tuple(
        OutputDataset(namespace=name.namespace, name=name.name, facets=told.facets, output_facets=told.output_facets)
        for name, told in every.items()
    )


def attached_to(outlet_events: Mapping[Any, Any], worker: Worker) -> Attached:
    """Collect what a task attached, through assets and through aliases; what is about one dataset goes together."""
    attached = Attached()
    facts: list[tuple[str, dict[str, Any], str | None]] = []
    for uri, extra in _events(outlet_events):
        content = extra.get(EXTRA_KEY)
        if isinstance(content, dict):
            facts.append((str(content.get("kind", "write")), content, uri))
        elif uri:
            attached.others.append(uri)
    order = {kind: number for number, kind in enumerate(KINDS)}
    for kind, content, uri in sorted(facts, key=lambda fact: order.get(fact[0], -1)):
        if told := _told(kind, content, uri, worker):
            old = attached.told.get(told.dataset)
            attached.told[told.dataset] = old.joined_by(told) if old else told
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


def _told(kind: str, content: dict[str, Any], uri: str | None, worker: Worker) -> Told | None:
    """Put a fact into words; None, with a warning, when it is not understood."""
    if kind not in KINDS:
        log.warning("What the task attached to %s under %r is of the unknown kind %r", uri, EXTRA_KEY, kind)
        return None
    try:
        return KINDS[kind].read(content, worker)
    except ValidationError as error:
        log.warning("What the task attached to %s under %r is not understood: %s", uri, EXTRA_KEY, error)
        return None


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
