"""The SQL of reading edges: a whole level of a walk in one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select
from sqlalchemy.orm import Session

from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.graph.precedence import FoundEdge, Word
from festaf.registry_api.graph.standing import (
    ENDS,
    WHOLE_STEP,
    completed_query,
    edges_query,
    exact_query,
    reachable_query,
)
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
        return _edges(self._rows(query, ends, view), into, ends)

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

        :param depth: steps from feature to feature at most
        :param most: ways at most; the shortest are followed first
        """
        query = reachable_query("target" if side == "source" else "source", self.sqlite)
        rows = self._rows(query, ends, NOW, half_steps=WHOLE_STEP * depth, most=most)
        return {NodeName(*row[1:5]): (row[0], row[5]) for row in rows}

    def _rows(
        self, query: Select[*tuple[Any, ...]], ends: Iterable[int], view: Viewpoint, **asked: int
    ) -> Sequence[Sequence[Any]]:
        given = {ENDS: write_values(sorted(ends)), **view.asked, **asked}
        return self.session.connection().execute(query, given).all()


def _edges(rows: Iterable[Sequence[Any]], into: bool, ends: Mapping[int, NodeName]) -> list[FoundEdge]:
    """Read edges from rows of ``edges_query``."""
    found: list[FoundEdge] = []
    names: dict[int, NodeName] = {}
    for here, far, asserter, origin, since, last, run, how, kind, namespace, name, field, first in rows:
        other = names.get(far)
        if other is None:
            other = names[far] = NodeName(kind, namespace, name, field)
        near = ends[here]
        source, target, target_kind = (far, here, near.kind) if into else (here, far, kind)
        edge = FoundEdge(near, other, source, target, target_kind, asserter, origin, since, last, run, how, far, first)
        found.append(edge)
    return found
