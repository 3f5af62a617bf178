"""A part of the lineage graph: nodes and the edges between them, in the direction of the data."""

from __future__ import annotations

from typing import Literal

from festaf.contract.feature import Access, Origin
from festaf.contract.model import Model, Moment

NodeKind = Literal["feature", "feature_set", "dataset", "field", "job"]
Direction = Literal["upstream", "downstream", "both"]
"""Upstream is where the data comes from."""


class Node(Model):
    """One thing in the graph; ``id`` is ``<kind>:<namespace>:<name>`` or ``<kind>:<namespace>:<name>:<field>``."""

    id: str
    """Opaque, and always the same, if the caller may not see the node."""
    kind: NodeKind
    namespace: str | None
    name: str | None
    """None, as the namespace, if the caller may not see the node."""
    field: str | None = None
    distance: int
    """Steps from the node that was asked for; negative upstream."""
    access: Access = "accessible"


class Edge(Model):
    """``source`` goes into ``target``."""

    source: str
    target: str
    origin: Origin
    last_run: str | None = None
    """Airflow's run id of the run that last showed this edge."""
    since: Moment
    transformation: str | None = None


class Graph(Model):
    """What was asked for, bounded by depth and by nodes."""

    root: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    truncated: bool = False
    """True when a bound cut the graph."""
