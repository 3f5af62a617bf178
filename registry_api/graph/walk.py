"""Walk the graph from one node, level by level, bounded by depth and by nodes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from operator import itemgetter
from typing import Any, Protocol

from festaf.contract.feature import Access
from festaf.contract.graph import Direction, Graph
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.graph.service import Neighbour, Side
from festaf.registry_api.graph.visibility import visibility

PART_OF = "PART_OF"
"""The transformation of an edge between a feature and its feature set, or a field and its dataset."""
FORESEEN_FROM = 3
"""Steps from which on it is cheaper to read everything around a node at once."""


class Ground(Protocol):
    """What is walked on, as it is seen from one viewpoint; nodes with several names appear by one of them."""

    def foresee(self, start: Collection[NodeName], side: Side, depth: int, most: int) -> None:
        """Read at once what ``neighbours`` will be asked for on a walk of so many steps to so many nodes."""

    def neighbours(self, nodes: Collection[NodeName], side: Side) -> Mapping[NodeName, Sequence[Neighbour]]:
        """Give by node what goes into it (``source``) or comes out of it (``target``)."""

    def first_seen(self, nodes: Collection[NodeName]) -> Mapping[NodeName, datetime]:
        """Give when nodes were first named."""

    def deleted(self, nodes: Collection[NodeName]) -> AbstractSet[NodeName]:
        """Give those of the nodes that are no more."""

    def opaque_ids(self, nodes: Collection[NodeName]) -> Mapping[NodeName, str]:
        """Give ids that are always the same and say nothing."""


class Walk:
    """One walk; it gathers nodes with their distance, and edges.

    A node that the caller may not see is a stub: it is counted and shown without its name, and not walked through.
    """

    def __init__(self, graph: Ground, root: NodeName, limit: int, sight: Sight) -> None:
        self.graph = graph
        self.root = root
        self.limit = limit
        self.sight = sight
        self.distances: dict[NodeName, int] = {root: 0}
        self.edges: dict[tuple[NodeName, NodeName], tuple[Neighbour, str | None]] = {}
        self.aside: dict[tuple[NodeName, NodeName], Neighbour] = {}
        """Edges that are no passage; they are shown if both ends were reached by another way."""
        self.bystanders: set[NodeName] = set()
        self.truncated = False

    def go(self, direction: Direction, depth: int) -> Graph:
        """Walk and give what was found, in a fixed order."""
        if direction != "downstream":
            self._levels("source", depth)
        if direction != "upstream":
            self._levels("target", depth)
        self._show_aside()
        return self._drawn()

    def _levels(self, side: Side, depth: int) -> None:
        if depth >= FORESEEN_FROM:
            self.graph.foresee({node for node in (self.root, self.root.whole) if node}, side, depth, self.limit)
        seen = {self.root}
        level = {self.root}
        for distance in range(1, depth + 1):
            reached = self._next(level, side, distance if side == "target" else -distance)
            level = {name for name in reached - seen if self.sight.sees_namespace(name.namespace)}
            seen |= reached
            if not level:
                return
        self.truncated = self.truncated or self._continues(level, seen, side)

    def _continues(self, level: set[NodeName], seen: set[NodeName], side: Side) -> bool:
        further = {
            item.node
            for items in self.graph.neighbours(level, side).values()
            for item in items
            if item.passage or side == "source"
        }
        return bool((further | {whole for name in level if (whole := name.whole)}) - seen - self.bystanders)

    def _next(self, level: set[NodeName], side: Side, distance: int) -> set[NodeName]:
        found: set[NodeName] = set()
        neighbours = self.graph.neighbours(level, side)
        for name in sorted(neighbours):
            for item in neighbours[name]:
                other = item.node
                ends = (other, name) if side == "source" else (name, other)
                if not item.passage and side == "target" and name != self.root:
                    self.aside[ends] = item
                elif self._reach(other, distance):
                    self.edges[ends] = (item, item.transformation)
                    if item.passage or side == "target":
                        found.add(other)
                    else:
                        self.bystanders.add(other)
        return found | self._wholes(level, side, distance)

    def _wholes(self, level: set[NodeName], side: Side, distance: int) -> set[NodeName]:
        """Step from a feature to its set and from a field to its dataset: what is known of the whole concerns it."""
        parts = sorted(name for name in level if name.field is not None)
        since = self.graph.first_seen(parts) if parts else {}
        found: set[NodeName] = set()
        for name in parts:
            whole = name.whole
            if whole is None or name not in since or not self._reach(whole, distance):
                continue
            found.add(whole)
            ends = (whole, name) if side == "source" else (name, whole)
            contained = Neighbour(whole, "lineage", since[name], since[name], None, PART_OF)
            self.edges.setdefault(ends, (contained, PART_OF))
        return found

    def _reach(self, name: NodeName, distance: int) -> bool:
        if name in self.distances:
            return True
        if len(self.distances) >= self.limit:
            self.truncated = True
            return False
        self.distances[name] = distance
        return True

    def _show_aside(self) -> None:
        """Add the edges that were not walked but join nodes which were reached."""
        bystanders = {name for name in self.bystanders if self.sight.sees_namespace(name.namespace)}
        for name, items in self.graph.neighbours(bystanders, "source").items() if bystanders else ():
            for item in items:
                self.aside.setdefault((item.node, name), item)
        for ends, item in self.aside.items():
            if ends[0] in self.distances and ends[1] in self.distances:
                self.edges.setdefault(ends, (item, item.transformation))

    def _drawn(self) -> Graph:
        declared = {ends[0] for ends, (item, _) in self.edges.items() if item.origin == "declared"}
        access = visibility(self.distances, self.sight, self.graph.deleted, declared)
        hidden = {name for name, shown in access.items() if shown == "restricted"}
        ids = {name: name.id for name in self.distances} | (dict(self.graph.opaque_ids(hidden)) if hidden else {})
        ordered = sorted(self.distances.items(), key=lambda item: (abs(item[1]), item[1], ids[item[0]]))
        edges = [
            _edge(ids, ends, item, transformation, hidden=not hidden.isdisjoint(ends))
            for ends, (item, transformation) in self.edges.items()
        ]
        edges.sort(key=itemgetter("source", "target"))
        nodes = [
            _stub(ids[name], name, distance) if name in hidden else _node(ids[name], name, distance, access[name])
            for name, distance in ordered
        ]
        drawn = {"root": ids[self.root], "nodes": nodes, "edges": edges, "truncated": self.truncated}
        return Graph.model_validate(drawn)  # All at once: faster than a call for each, even one that checks nothing.


def _edge(
    ids: Mapping[NodeName, str],
    ends: tuple[NodeName, NodeName],
    item: Neighbour,
    transformation: str | None,
    *,
    hidden: bool,
) -> dict[str, Any]:
    """Draw an edge."""
    return {
        "source": ids[ends[0]],
        "target": ids[ends[1]],
        "origin": item.origin,
        "last_run": None if hidden else item.last_run,
        "since": item.since,
        "transformation": None if hidden else transformation,
    }


def _node(node_id: str, name: NodeName, distance: int, access: Access) -> dict[str, Any]:
    return {**name._asdict(), "id": node_id, "distance": distance, "access": access}


def _stub(stub_id: str, name: NodeName, distance: int) -> dict[str, Any]:
    hidden = {"namespace": None, "name": None, "access": "restricted"}
    return {"id": stub_id, "kind": name.kind, "distance": distance, **hidden}
