"""Nodes as subjects of answers: a field or feature is of the same subject as the dataset that it is a part of."""

from __future__ import annotations

from collections.abc import Iterable

from festaf.registry_api.changes import subject
from festaf.registry_api.graph.names import NodeName


def subjects_of(nodes: Iterable[NodeName]) -> set[int]:
    """Give the subjects of nodes."""
    return {subject("job" if node.kind == "job" else "dataset", node.namespace, node.name) for node in nodes}
