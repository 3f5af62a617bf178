"""The SQL of nodes, edge sets and edges."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cache

from sqlalchemy import Select, bindparam, delete, func, select
from sqlalchemy.orm import Session

from festaf.registry_api.graph.names import EdgeName, NodeName
from festaf.registry_api.graph.standing import stands
from festaf.registry_api.graph.tables import EdgeSetTable, EdgeTable, NodeTable, SightingTable
from festaf.registry_api.upsert import insert_missing

CHUNK = 400


class GraphRepository:
    """Nodes, edge sets and their edges."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def keep_nodes(self, nodes: Iterable[NodeName], at: datetime) -> None:
        """Store the nodes that are new; of the others keep the earliest time they were seen."""
        rows = [
            {
                "key": node.key,
                "kind": node.kind,
                "namespace": node.namespace,
                "name": node.name,
                "field": node.field,
                "first_seen": at,
            }
            for node in set(nodes)
        ]
        rows.sort(key=lambda row: str(row["key"]))
        insert_missing(self.session, NodeTable, rows, ["key"], earliest="first_seen")

    def ids(self, nodes: Iterable[NodeName]) -> dict[NodeName, int]:
        """Give the ids of the nodes that are known."""
        names = {node.key: node for node in nodes}
        keys = sorted(names)
        found: dict[NodeName, int] = {}
        for start in range(0, len(keys), CHUNK):
            query = select(NodeTable.key, NodeTable.id).where(NodeTable.key.in_(keys[start : start + CHUNK]))
            found |= {names[key]: node_id for key, node_id in self.session.execute(query)}
        return found

    def nodes(self, ids: Collection[int]) -> dict[int, NodeTable]:
        """Give nodes by id."""
        found: dict[int, NodeTable] = {}
        ordered = sorted(ids)
        for start in range(0, len(ordered), CHUNK):
            query = select(NodeTable).where(NodeTable.id.in_(ordered[start : start + CHUNK]))
            found |= {row.id: row for row in self.session.scalars(query)}
        return found

    def ensure_edge_set(self, asserter_id: int, origin: str, sha256: str, edges: Collection[EdgeName]) -> EdgeSetTable:
        """Give the set of these edges, made if it is new."""
        query = select(EdgeSetTable).where(
            EdgeSetTable.asserter_id == asserter_id, EdgeSetTable.origin == origin, EdgeSetTable.sha256 == sha256
        )
        if known := self.session.scalars(query).first():
            return known
        made = EdgeSetTable(asserter_id=asserter_id, origin=origin, sha256=sha256, current=False)
        self.session.add(made)
        self.session.flush()
        ids = self.ids({end for edge in edges for end in (edge.source, edge.target)})
        rows = {
            (ids[edge.source], ids[edge.target]): {
                "edge_set_id": made.id,
                "source_id": ids[edge.source],
                "target_id": ids[edge.target],
                "transformation": edge.transformation,
            }
            for edge in sorted(edges, key=lambda edge: edge.transformation or "")
        }
        if rows:
            insert_missing(self.session, EdgeTable, list(rows.values()), ["edge_set_id", "source_id", "target_id"])
        return made

    def add_sighting(self, sighting: SightingTable) -> None:
        """Store that a set was stated."""
        self.session.add(sighting)
        self.session.flush()

    def forget_run(self, run_id: int) -> list[tuple[int, str]]:
        """Remove what a run stated before it is stated anew; give the asserters and origins that it touched."""
        query = select(SightingTable.asserter_id, SightingTable.origin).where(SightingTable.run_id == run_id)
        touched = [(asserter, origin) for asserter, origin in self.session.execute(query)]
        if touched:
            self.session.execute(delete(SightingTable).where(SightingTable.run_id == run_id))
        return touched

    def refresh(self, asserter_id: int, origin: str) -> None:
        """Write on the asserter's sets which of them stand, since when and until when."""
        asked = {"asserter": asserter_id, "asserted": origin}
        for edge_set, standing in self.session.execute(_asserted(), asked).all():
            first, last = self.session.execute(
                select(func.min(SightingTable.stated_at), func.max(SightingTable.stated_at)).where(
                    SightingTable.edge_set_id == edge_set.id
                )
            ).one()
            edge_set.valid_from, edge_set.last_stated = first, last
            edge_set.last_run = self._last_run(edge_set.id) if last else None
            edge_set.current = bool(standing)
            edge_set.valid_to = None if standing or last is None else self._closed_at(asserter_id, origin, last)
        self.session.flush()

    def _closed_at(self, asserter_id: int, origin: str, after: datetime) -> datetime | None:
        return self.session.scalar(
            select(func.min(SightingTable.stated_at)).where(
                SightingTable.asserter_id == asserter_id,
                SightingTable.origin == origin,
                SightingTable.closing.is_(True),
                SightingTable.stated_at > after,
            )
        )

    def _last_run(self, edge_set_id: int) -> str | None:
        return self.session.scalar(
            select(SightingTable.last_run)
            .where(SightingTable.edge_set_id == edge_set_id)
            .order_by(SightingTable.stated_at.desc(), SightingTable.last_run.desc().nulls_last())
            .limit(1)
        )


@cache
def _asserted() -> Select[EdgeSetTable, bool]:
    """Build the query for the sets of one asserter and origin, with whether each stands."""
    return select(EdgeSetTable, stands(dated=False, known=False)).where(
        EdgeSetTable.asserter_id == bindparam("asserter"), EdgeSetTable.origin == bindparam("asserted")
    )
