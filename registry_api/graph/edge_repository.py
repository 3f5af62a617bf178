"""The SQL of reading edges: a whole level of a walk in one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select
from sqlalchemy.orm import Session

from festaf.contract.graph import NodeKind
from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.graph.precedence import FoundEdge, Word
from festaf.registry_api.graph.standing import ENDS, completed_query, edges_query, exact_query, reachable_query
from festaf.registry_api.listed import is_sqlite, write_values
from festaf.registry_api.viewpoint import NOW, Viewpoint


class EdgeRepository:
    """Standing edges, as they are seen from a viewpoint."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.sqlite = is_sqlite(session)

    def found(
        self, ends: Mapping[int, NodeName], side: Literal["source", "target"], view: Viewpoint
    ) -> list[FoundEdge]:
        """Give the edges from (``source``) or to (``target``) the nodes at the other side of some nodes."""
        into = side == "source"
        query = edges_query("target" if into else "source", view.dated, view.known, self.sqlite)
        return [_edge(row, into, ends[row[0]].kind) for row in self._rows(query, ends, view)]

    def exact(self, targets: Collection[int], view: Viewpoint) -> list[Word]:
        """Give what speaks exactly of targets."""
        return [Word(*row) for row in self._rows(exact_query(view.dated, view.known, self.sqlite), targets, view)]

    def completed(self, targets: Collection[int], view: Viewpoint) -> list[Word]:
        """Give when targets were last spoken of by what had completed."""
        return [Word(*row) for row in self._rows(completed_query(view.dated, view.known, self.sqlite), targets, view)]

    def reachable(
        self, ends: Collection[int], side: Literal["source", "target"], depth: int, most: int
    ) -> dict[NodeName, tuple[int, datetime]]:
        """Give what lies before (``source``) or behind (``target``) some nodes now: ids, and when first named.

        :param depth: steps at most
        :param most: ways at most; the shortest are followed first
        """
        query = reachable_query("target" if side == "source" else "source", self.sqlite)
        rows = self._rows(query, ends, NOW, depth=depth, most=most)
        return {NodeName(*row[1:5]): (row[0], row[5]) for row in rows}

    def _rows(
        self, query: Select[*tuple[Any, ...]], ends: Iterable[int], view: Viewpoint, **asked: int
    ) -> Sequence[Sequence[Any]]:
        given = {ENDS: write_values(sorted(ends), sqlite=self.sqlite), **view.asked, **asked}
        return self.session.connection().execute(query, given).all()


def _edge(row: Any, into: bool, here_kind: NodeKind) -> FoundEdge:
    here, other, asserter, origin, since, last_stated, last_run, transformation, kind, namespace, name, field = row[:12]
    node = NodeName(kind, namespace, name, field)
    return FoundEdge(
        here=here,
        other=node,
        source=other if into else here,
        target=here if into else other,
        target_kind=here_kind if into else kind,
        asserter=asserter,
        origin=origin,
        since=since,
        last_stated=last_stated,
        last_run=last_run,
        transformation=transformation,
        first_seen=row.first_seen,
    )
