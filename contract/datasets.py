"""The datasets of a task's run: what its inlets and outlets name, and what it attached to its asset events.

Both the listener, which stands beside the task, and the registry's sync, which reads the asset events of Airflow,
tell a run by these functions, so that the same task is told in the same words.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from festaf.contract.facts.kinds import KINDS
from festaf.contract.facts.told import Told, Worker
from festaf.contract.feature_set import EXTRA_KEY
from festaf.contract.names import SCHEME, DatasetName, dataset_name
from festaf.contract.openlineage import InputDataset, OutputDataset

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


def attached(events: Iterable[tuple[str | None, dict[str, Any]]], worker: Worker) -> Attached:
    """Collect what a task attached to its asset events; what is about one dataset goes together.

    :param events: URI and ``extra`` of each
    """
    found = Attached()
    facts: list[tuple[str, dict[str, Any], str | None]] = []
    for uri, extra in events:
        content = extra.get(EXTRA_KEY)
        if isinstance(content, dict):
            facts.append((str(content.get("kind", "write")), content, uri))
        elif uri:
            found.others.append(uri)
    order = {kind: number for number, kind in enumerate(KINDS)}
    for kind, content, uri in sorted(facts, key=lambda fact: order.get(fact[0], -1)):
        if told := _told(kind, content, uri, worker):
            old = found.told.get(told.dataset)
            found.told[told.dataset] = old.joined_by(told) if old else told
        elif uri:
            found.others.append(uri)
    return found


def inputs(inlets: Iterable[str], said: Attached) -> tuple[InputDataset, ...]:
    """Name what a task read: its inlets by their URIs, and what it says that it made its outputs from."""
    return input_datasets([*inlets, *(uri for told in said.told.values() for uri in told.inputs)])


def input_datasets(uris: Iterable[str]) -> tuple[InputDataset, ...]:
    """Name datasets by their URIs, each once; the definition of a feature set is none."""
    names = {name: None for uri in uris if (name := asset_dataset(uri))}
    return tuple(InputDataset(namespace=name.namespace, name=name.name) for name in names)


def outputs(outlets: Iterable[str], said: Attached) -> tuple[OutputDataset, ...]:
    """Name what a task wrote, each with what was said about it."""
    every = dict(said.told)
    for uri in [*outlets, *said.others]:
        if name := asset_dataset(uri):
            every.setdefault(name, Told(name))
    return tuple(
        OutputDataset(namespace=name.namespace, name=name.name, facets=told.facets, output_facets=told.output_facets)
        for name, told in every.items()
    )


def asset_dataset(uri: str) -> DatasetName | None:
    """Name an asset as a dataset; None for the definition of a feature set, which is no data."""
    try:
        name = dataset_name(uri)
    except ValueError:
        return DatasetName(ASSET_NAMESPACE, uri)
    if name.namespace.startswith(f"{SCHEME}://") and name.name.endswith("/definition"):
        return None
    # A whole bucket has no key; OpenLineage's datasets have names.
    return DatasetName(name.namespace, name.name or "/")


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
