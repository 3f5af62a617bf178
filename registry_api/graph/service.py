"""Keep edges with their validity, and walk the graph within bounds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from festaf.contract.feature import Origin
from festaf.registry_api.graph.names import EdgeStatement, NodeName
from festaf.registry_api.graph.repository import EdgeRow, GraphRepository
from festaf.registry_api.graph.tables import NodeTable, SightingTable

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


class GraphService:
    """Keeps nodes and edges."""

    def __init__(self, session: Session, now: datetime | None = None) -> None:
        self.graph = GraphRepository(session)
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
        return self.graph.ids(nodes)

    def names(self, ids: Collection[int]) -> dict[int, NodeName]:
        """Give the names of nodes."""
        return {node_id: name_of(row) for node_id, row in self.graph.nodes(ids).items()}

    def neighbours(
        self, nodes: Collection[NodeName], side: Side, as_of: datetime | None = None
    ) -> dict[NodeName, list[Neighbour]]:
        """Give by node what goes into it (``source``) or comes out of it (``target``), as events said it."""
        ids = self.graph.ids(nodes)
        names = {node_id: name for name, node_id in ids.items()}
        rows = self.graph.edges(list(names), "target" if side == "source" else "source", as_of)
        others = self.names({_other(row, side) for row in rows})
        found: dict[NodeName, list[Neighbour]] = {name: [] for name in names.values()}
        for row in rows:
            _, _, origin, since, last_stated, last_run, transformation = row
            asked = row[1] if side == "source" else row[0]
            other = others[_other(row, side)]
            item = Neighbour(other, origin_of(origin), since, last_stated, last_run, transformation)
            found[names[asked]].append(item)
        return {name: _joined(items) for name, items in found.items()}

    def first_seen(self, node: NodeName) -> datetime | None:
        """Give when a node was first named."""
        ids = self.graph.ids([node])
        return self.graph.nodes(ids.values())[ids[node]].first_seen if ids else None


def _joined(items: Iterable[Neighbour]) -> list[Neighbour]:
    """Make one of what several standing sets say of the same edge: since the first, as the last said it."""
    found: dict[tuple[NodeName, Origin], Neighbour] = {}
    for item in sorted(items, key=lambda item: (item.last_stated, item.last_run or "", item.transformation or "")):
        known = found.get((item.node, item.origin), item)
        found[item.node, item.origin] = replace(item, since=min(item.since, known.since))
    return list(found.values())


def _other(row: EdgeRow, side: Side) -> int:
    return row[0] if side == "source" else row[1]


def name_of(row: NodeTable) -> NodeName:
    """Give the name of a node's row."""
    return NodeName(row.kind, row.namespace, row.name, row.field)


def origin_of(text: str) -> Origin:
    """Read an origin that was stored."""
    return "declared" if text == "declared" else "lineage"
