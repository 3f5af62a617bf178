"""The SQL of nodes, edge sets and edges."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from festaf.registry_api.bulk import fetch
from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.graph.tables import NodeTable
from festaf.registry_api.listed import is_sqlite, one_of, write_values
from festaf.registry_api.table import as_utc
from festaf.registry_api.upsert import insert_missing

CHUNK = 400


class GraphRepository:
    """Nodes, edge sets and their edges."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def keep_nodes(self, seen: Mapping[NodeName, datetime]) -> None:
        """Store the nodes that are new; of the others keep the earliest time they were seen."""
        names = {node.key: node for node in seen}
        query = select(NodeTable.key, NodeTable.first_seen)
        known = {row[0]: row[1] for row in fetch(self.session, query, NodeTable.key, names)}
        rows = [
            {
                "key": key,
                "kind": node.kind,
                "namespace": node.namespace,
                "name": node.name,
                "field": node.field,
                "first_seen": seen[node],
            }
            for key, node in sorted(names.items())
            if key not in known or as_utc(seen[node]) < known[key]
        ]
        insert_missing(self.session, NodeTable, rows, ["key"], earliest="first_seen")

    def ids(self, nodes: Iterable[NodeName]) -> dict[NodeName, int]:
        """Give the ids of the nodes that are known."""
        return {node: node_id for node, (node_id, _) in self.met(nodes).items()}

    def met(self, nodes: Iterable[NodeName]) -> dict[NodeName, tuple[int, datetime]]:
        """Give the ids of the nodes that are known, and when they were first named."""
        names = {node.key: node for node in nodes}
        sqlite = is_sqlite(self.session)
        asked = {"keys": write_values(sorted(names))}
        rows = self.session.connection().execute(_ids(sqlite), asked) if names else ()
        return {names[key]: (node_id, first_seen) for key, node_id, first_seen in rows}

    def nodes(self, ids: Collection[int]) -> dict[int, NodeTable]:
        """Give nodes by id."""
        found: dict[int, NodeTable] = {}
        ordered = sorted(ids)
        for start in range(0, len(ordered), CHUNK):
            query = select(NodeTable).where(NodeTable.id.in_(ordered[start : start + CHUNK]))
            found |= {row.id: row for row in self.session.scalars(query)}
        return found


@cache
def _ids(sqlite: bool) -> Select[*tuple[Any, ...]]:
    named = one_of(NodeTable.key, "keys", sqlite=sqlite)
    return select(NodeTable.key, NodeTable.id, NodeTable.first_seen).where(named)
