"""Name what an event speaks of: the nodes of the graph, and what must not be changed by two transactions at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from festaf.contract.feature_set import WRITE_FACET
from festaf.contract.openlineage import DatasetEvent, RunEvent
from festaf.registry_api.graph.names import NodeName, dataset_node, feature_node, job_node, source_node
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.edges import DatasetFacets, edges_of
from festaf.registry_api.lineage.folding import LINEAGE_FACET
from festaf.registry_api.lineage.incoming import Incoming
from festaf.registry_api.lineage.recording import AnyEvent
from festaf.registry_api.memo import Memo, digest

BEGINNING = datetime.min.replace(tzinfo=UTC)
COUNTS = frozenset({"outputStatistics", "inputStatistics", "dataQualityMetrics", "dataQualityAssertions", "version"})
"""Facets that are others in each run and name no node."""


@dataclass(frozen=True)
class Nodes:
    """The nodes that an event names, with the datasets that fields are parts of."""

    names: frozenset[NodeName]
    locks: frozenset[str]
    """What of them must not be changed by two transactions at once."""
    digest: bytes | None
    """Equal where the same nodes are named; None when that cannot be told."""


@dataclass(frozen=True)
class Speaker:
    """Who says something of which datasets."""

    asserter: NodeName
    inputs: list[DatasetFacets]
    outputs: list[DatasetFacets]
    explicit: list[dict[str, Any]]


NODES: Memo[tuple[frozenset[NodeName], frozenset[str]]] = Memo()


def nodes_of(event: AnyEvent) -> Nodes:
    """Name everything that the event names."""
    speaker = _speaker(event)
    key = digest(_spoken(speaker))
    names, locks = NODES.of(key, lambda: _named(speaker))
    return Nodes(names, locks, key)


def _speaker(event: AnyEvent) -> Speaker:
    if isinstance(event, DatasetEvent):
        dataset = event.dataset
        outputs = [DatasetFacets(dataset.namespace, dataset.name, dataset.facets)]
        return Speaker(dataset_node(dataset.namespace, dataset.name), [], outputs, [])
    explicit = [body for name, body in event.job.facets.items() if name == LINEAGE_FACET]
    inputs = [DatasetFacets(item.namespace, item.name, item.facets) for item in event.inputs]
    if isinstance(event, RunEvent):
        outputs = [
            DatasetFacets(item.namespace, item.name, {**item.facets, **item.output_facets}) for item in event.outputs
        ]
    else:
        outputs = [DatasetFacets(item.namespace, item.name, item.facets) for item in event.outputs]
    return Speaker(job_node(event.job.namespace, event.job.name), inputs, outputs, explicit)


def _spoken(speaker: Speaker) -> Any:
    """Give all that nodes are read from: where it is the same, so are they."""
    asserter = speaker.asserter
    return [
        [asserter.kind, asserter.namespace, asserter.name],
        [[item.namespace, item.name] for item in speaker.inputs],
        [[item.namespace, item.name, _lasting(item.facets)] for item in speaker.outputs],
        speaker.explicit,
    ]


def _lasting(facets: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: body for name, body in facets.items() if name not in COUNTS}
    write = reading.write(facets)
    if write:
        inner = found[WRITE_FACET]["write"]
        found[WRITE_FACET] = [write.project, write.feature_set, write.source, inner.get("features")]
    return found


def _named(speaker: Speaker) -> tuple[frozenset[NodeName], frozenset[str]]:
    statements = edges_of(
        speaker.asserter, speaker.inputs, speaker.outputs, speaker.explicit, stated_at=BEGINNING, closing=False
    )
    nodes = {end for said in statements for edge in said.edges for end in (edge.source, edge.target)}
    nodes |= {speaker.asserter} | {node for output in speaker.outputs for node in _feature_nodes(output)}
    nodes |= {whole for node in nodes if (whole := node.whole)}
    locks = {f"{node.kind}:{node.key}" for node in nodes if node.kind in {"job", "feature_set"}}
    return frozenset(nodes), frozenset(locks)


def _feature_nodes(dataset: DatasetFacets) -> set[NodeName]:
    nodes: set[NodeName] = set()
    for said in reading.declaring(dataset.facets):
        for feature in said.features:
            nodes.add(feature_node(said.project, said.feature_set, feature.name))
            nodes |= {source_node(uri) for uri in feature.sources}
    if dataset_node(dataset.namespace, dataset.name).kind == "feature_set":
        fields = reading.schema_fields(dataset.facets) or {}
        nodes |= {dataset_node(dataset.namespace, dataset.name, name) for name in fields}
    return nodes


def locks_of(incoming: Incoming, nodes: Nodes) -> set[str]:
    """Name what the event changes, so that two transactions never change it at once."""
    names = set(nodes.locks)
    if incoming.run_id:
        names.add(f"run:{incoming.run_id}")
    event = incoming.event
    found = reading.seen_dag(event)
    if found and not isinstance(event, DatasetEvent):
        names.add(f"dag:{event.job.namespace}:{found[0].dag_id}")
    return names
