"""Keep edges with their validity, and walk the graph within bounds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from festaf.contract.feature import Origin
from festaf.registry_api.graph.edge_repository import EdgeRepository
from festaf.registry_api.graph.names import EdgeStatement, NodeName
from festaf.registry_api.graph.precedence import FoundEdge, Word, contested, weigh
from festaf.registry_api.graph.repository import GraphRepository
from festaf.registry_api.graph.tables import NodeTable, SightingTable
from festaf.registry_api.table import natural_key
from festaf.registry_api.viewpoint import NOW, Viewpoint

Side = Literal["source", "target"]


@dataclass(frozen=True)
class Neighbour:
    """A node at the other end of a standing edge."""

    node: NodeName
    origin: Origin
    since: datetime
    last_stated: datetime
    last_run: str | None
    transformation: str | None
    passage: bool = True
    """False from a job to a dataset when it is known exactly what goes into that: the job's other inputs do not."""


class GraphService:
    """Keeps nodes and edges."""

    def __init__(self, session: Session, now: datetime | None = None) -> None:
        self.graph = GraphRepository(session)
        self.edges = EdgeRepository(session)
        self.met: dict[NodeName, int] = {}
        """The ids of nodes that were met while reading."""
        self.now = now

    def keep_nodes(self, nodes: Iterable[NodeName], at: datetime) -> None:
        """Keep nodes that an event names, with the datasets that fields are parts of."""
        named = set(nodes)
        self.graph.keep_nodes(named | {whole for node in named if (whole := node.whole)}, at)

    def record(
        self, statements: Sequence[EdgeStatement], *, run_id: int | None = None, event_id: int | None = None
    ) -> None:
        """Keep what a run (instead of what it said before) or an event said about edges.

        A statement without any edge says nothing and closes nothing: most tasks report no dataset at all.
        """
        touched = set(self.graph.forget_run(run_id)) if run_id is not None else set()
        for statement in statements:
            if statement.edges:
                touched.add((self._record(statement, run_id, event_id), statement.origin))
        for asserter_id, origin in sorted(touched):
            self.graph.refresh(asserter_id, origin)

    def _record(self, statement: EdgeStatement, run_id: int | None, event_id: int | None) -> int:
        asserter = self.graph.ids([statement.asserter])[statement.asserter]
        edge_set = self.graph.ensure_edge_set(asserter, statement.origin, statement.sha256, statement.edges)
        self.graph.add_sighting(
            SightingTable(
                asserter_id=asserter,
                origin=statement.origin,
                edge_set_id=edge_set.id,
                stated_at=statement.stated_at,
                closing=statement.closing,
                last_run=statement.last_run,
                mapped_in=statement.mapped_in,
                run_id=run_id,
                event_id=event_id,
                recorded_at=self.now,
            )
        )
        return asserter

    def ids(self, nodes: Iterable[NodeName]) -> dict[NodeName, int]:
        """Give the ids of the nodes that are known."""
        asked = set(nodes)
        if strange := asked - self.met.keys():
            self.met |= self.graph.ids(strange)
        return {node: self.met[node] for node in asked if node in self.met}

    def names(self, ids: Collection[int]) -> dict[int, NodeName]:
        """Give the names of nodes."""
        return {node_id: name_of(row) for node_id, row in self.graph.nodes(ids).items()}

    def neighbours(
        self, nodes: Collection[NodeName], side: Side, view: Viewpoint = NOW
    ) -> dict[NodeName, list[Neighbour]]:
        """Give by node what goes into it (``source``) or comes out of it (``target``), as events said it.

        Of what contradicts each other, the most exact is given; see ``precedence``.
        """
        names = {node_id: name for name, node_id in self.ids(nodes).items()}
        edges = self.edges.found(names, side, view)
        self.met |= {edge.other: edge.target if side == "target" else edge.source for edge in edges}
        words = self._words(edges, side, view)
        completed = self.edges.completed(contested(edges, words), view)
        found: dict[NodeName, list[Neighbour]] = {name: [] for name in names.values()}
        for edge in weigh(edges, words, completed):
            found[names[edge.here]].append(
                Neighbour(
                    edge.other,
                    edge.origin,
                    edge.since,
                    edge.last_stated,
                    edge.last_run,
                    edge.transformation,
                    edge.passage,
                )
            )
        return found

    def _words(self, edges: list[FoundEdge], side: Side, view: Viewpoint) -> list[Word]:
        """Give what speaks exactly of the targets: of targets that were asked for, all their edges are at hand."""
        if side == "source":
            return [Word(edge.target, edge.asserter, edge.origin, edge.last_stated) for edge in edges]
        targets = {edge.target for edge in edges if edge.target_kind != "job" and edge.origin != "lineage_facet"}
        return self.edges.exact(targets, view)

    def first_seen(self, nodes: Collection[NodeName]) -> dict[NodeName, datetime]:
        """Give when nodes were first named."""
        names = {node_id: name for name, node_id in self.ids(nodes).items()}
        return {names[node_id]: row.first_seen for node_id, row in self.graph.nodes(names).items()}

    def opaque_ids(self, nodes: Collection[NodeName]) -> dict[NodeName, str]:
        """Give ids for nodes that the caller may not see: nobody can tell from one which name it hides."""
        return {
            name: f"restricted:{natural_key('node', str(node_id))[:20]}" for name, node_id in self.ids(nodes).items()
        }


def name_of(row: NodeTable) -> NodeName:
    """Give the name of a node's row."""
    return NodeName(row.kind, row.namespace, row.name, row.field)
