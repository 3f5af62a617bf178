"""The graph that events said, seen from one viewpoint: a ground to walk on, from any dataset or job."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.graph.service import GraphService, Neighbour, Side
from festaf.registry_api.viewpoint import NOW, Viewpoint


class EventGraph:
    """Gives neighbours as events said them; what authors declared of features is not in it."""

    def __init__(self, session: Session, view: Viewpoint = NOW) -> None:
        self.graph = GraphService(session)
        self.view = view

    def foresee(self, start: Collection[NodeName], side: Side, depth: int, most: int) -> None:
        """Read nothing ahead."""

    def neighbours(self, nodes: Collection[NodeName], side: Side) -> dict[NodeName, list[Neighbour]]:
        """Give by node what goes into it (``source``) or comes out of it (``target``)."""
        return self.graph.neighbours(nodes, side, self.view)

    def first_seen(self, nodes: Collection[NodeName]) -> dict[NodeName, datetime]:
        """Give when nodes were first named."""
        return self.graph.first_seen(nodes)

    def deleted(self, nodes: Collection[NodeName]) -> set[NodeName]:
        """Give the datasets that were dropped."""
        return self.graph.deleted(nodes, self.view)

    def opaque_ids(self, nodes: Collection[NodeName]) -> dict[NodeName, str]:
        """Give ids for nodes that the caller may not see."""
        return self.graph.opaque_ids(nodes)
