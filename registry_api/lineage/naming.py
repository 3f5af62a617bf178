"""Read what events say of the names of datasets, and of what happened to them. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from festaf.contract.openlineage import DatasetEvent, EventType, JobEvent, RunEvent
from festaf.registry_api.graph.names import NodeName, dataset_node
from festaf.registry_api.lineage.edges import DatasetFacets
from festaf.registry_api.lineage.folding import RunState, bodies

CHANGES = ("RENAME", "DROP", "TRUNCATE")


@dataclass(frozen=True)
class Change:
    """What happened to a dataset at a moment; ``previous`` is its older name."""

    node: NodeName
    change: str
    at: datetime
    previous: NodeName | None = None


def symlinks_of(event: RunEvent | JobEvent | DatasetEvent) -> set[tuple[NodeName, NodeName]]:
    """Read which names mean the same dataset: the one that the event uses, and another."""
    datasets = [event.dataset] if isinstance(event, DatasetEvent) else [*event.inputs, *event.outputs]
    found: set[tuple[NodeName, NodeName]] = set()
    for dataset in datasets:
        facet = dataset.facets.get("symlinks")
        identifiers = facet.get("identifiers") if facet and facet.get("_deleted") is not True else None
        for item in identifiers if isinstance(identifiers, list) else ():
            if other := _named(item):
                found.add((dataset_node(dataset.namespace, dataset.name), other))
    return {(one, other) for one, other in found if one != other}


def changes_of_run(state: RunState, ended_at: datetime | None) -> set[Change]:
    """Read what a run that completed did to datasets."""
    if state.state is None or state.state.event_type is not EventType.COMPLETE:
        return set()
    datasets = [*state.inputs.values(), *state.outputs.values()]
    facets = [DatasetFacets(item.namespace, item.name, bodies(item.facets)) for item in datasets]
    return set(_changes(facets, ended_at or state.last_event_at))


def changes_of_event(event: JobEvent | DatasetEvent) -> set[Change]:
    """Read what an event without a run says happened to datasets."""
    datasets = [event.dataset] if isinstance(event, DatasetEvent) else [*event.inputs, *event.outputs]
    return set(_changes([DatasetFacets(item.namespace, item.name, item.facets) for item in datasets], event.event_time))


def _changes(datasets: Iterable[DatasetFacets], at: datetime) -> Iterator[Change]:
    for dataset in datasets:
        facet = dataset.facets.get("lifecycleStateChange", {})
        change = facet.get("lifecycleStateChange")
        if change in CHANGES:
            previous = _named(facet.get("previousIdentifier")) if change == "RENAME" else None
            if previous != dataset.node:
                yield Change(dataset.node, change, at, previous)


def _named(value: Any) -> NodeName | None:
    if not isinstance(value, dict):
        return None
    namespace, name = value.get("namespace"), value.get("name")
    if not (isinstance(namespace, str) and isinstance(name, str) and namespace and name):
        return None
    return dataset_node(namespace, name)
