"""Walk the graph from one node, level by level, bounded by depth and by nodes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from festaf.contract.graph import Edge, Graph, Node
from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.graph.service import Neighbour, Side

Direction = Literal["upstream", "downstream", "both"]
PART_OF = "PART_OF"
"""The transformation of an edge between a feature and its feature set, or a field and its dataset."""


class Ground(Protocol):
    """What is walked on."""

    def neighbours(self, nodes: Collection[NodeName], side: Side) -> Mapping[NodeName, Sequence[Neighbour]]:
        """Give by node what goes into it (``source``) or comes out of it (``target``)."""

    def first_seen(self, node: NodeName) -> datetime | None:
        """Give when a node was first named."""


class Walk:
    """One walk; it gathers nodes with their distance, and edges."""

    def __init__(self, graph: Ground, root: NodeName, limit: int) -> None:
        self.graph = graph
        self.root = root
        self.limit = limit
        self.distances: dict[NodeName, int] = {root: 0}
        self.edges: dict[tuple[str, str, str], Edge] = {}
        self.truncated = False

    def go(self, direction: Direction, depth: int) -> Graph:
        """Walk and give what was found, in a fixed order."""
        if direction != "downstream":
            self._levels("source", depth)
        if direction != "upstream":
            self._levels("target", depth)
        ordered = sorted(self.distances.items(), key=lambda item: (abs(item[1]), item[1], item[0].id))
        known = {name.id for name in self.distances}
        return Graph(
            root=self.root.id,
            nodes=tuple(_node(name, distance) for name, distance in ordered),
            edges=tuple(
                edge for _, edge in sorted(self.edges.items()) if edge.source in known and edge.target in known
            ),
            truncated=self.truncated,
        )

    def _levels(self, side: Side, depth: int) -> None:
        seen = {self.root}
        level = {self.root}
        for distance in range(1, depth + 1):
            level = self._next(level, side, distance if side == "target" else -distance) - seen
            seen |= level
            if not level:
                return
        self.truncated = self.truncated or self._continues(level, seen, side)

    def _continues(self, level: set[NodeName], seen: set[NodeName], side: Side) -> bool:
        further = {item.node for items in self.graph.neighbours(level, side).values() for item in items}
        return bool((further | {whole for name in level if (whole := name.whole)}) - seen)

    def _next(self, level: set[NodeName], side: Side, distance: int) -> set[NodeName]:
        found: set[NodeName] = set()
        for name, items in sorted(self.graph.neighbours(level, side).items()):
            for item in items:
                other = item.node
                if not self._reach(other, distance):
                    continue
                found.add(other)
                ends = (other, name) if side == "source" else (name, other)
                self._add(
                    Edge(
                        source=ends[0].id,
                        target=ends[1].id,
                        origin=item.origin,
                        last_run=item.last_run,
                        since=item.since,
                        transformation=item.transformation,
                    )
                )
        return found | self._wholes(level, side, distance)

    def _wholes(self, level: set[NodeName], side: Side, distance: int) -> set[NodeName]:
        """Step from a feature to its set and from a field to its dataset: what is known of the whole concerns it."""
        found: set[NodeName] = set()
        for name in sorted(name for name in level if name.field is not None):
            whole = name.whole
            since = self.graph.first_seen(name)
            if whole is None or since is None or not self._reach(whole, distance):
                continue
            found.add(whole)
            ends = (whole, name) if side == "source" else (name, whole)
            self._add(Edge(source=ends[0].id, target=ends[1].id, origin="lineage", since=since, transformation=PART_OF))
        return found

    def _reach(self, name: NodeName, distance: int) -> bool:
        if name in self.distances:
            return True
        if len(self.distances) >= self.limit:
            self.truncated = True
            return False
        self.distances[name] = distance
        return True

    def _add(self, edge: Edge) -> None:
        key = (edge.source, edge.target, edge.origin)
        known = self.edges.get(key)
        if known is None or (edge.since, edge.transformation or "") < (known.since, known.transformation or ""):
            self.edges[key] = edge


def _node(name: NodeName, distance: int) -> Node:
    return Node(
        id=name.id, kind=name.kind, namespace=name.namespace, name=name.name, field=name.field, distance=distance
    )
