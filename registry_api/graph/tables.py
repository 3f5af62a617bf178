"""Nodes and edges. Edges come in sets: what one job said at one time stands and falls together.

The edges from declared sources to features are not here: they belong to the features' versions.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from festaf.contract.graph import NodeKind
from festaf.registry_api.table import CHANGING, Key, Learned, Table

OF_EVENT = text("event_id IS NOT NULL")
"""Said by an event without a run."""


class NodeTable(Table):
    """A job, dataset, field, feature set or feature."""

    __tablename__ = "node"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """``natural_key(kind, namespace, name, field)``."""
    kind: Mapped[NodeKind] = mapped_column(String(16))
    namespace: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    field: Mapped[str | None] = mapped_column(Text)
    first_seen: Mapped[datetime]


class EdgeSetTable(Table):
    """A set of edges that one asserter stated from one origin; equal sets are one row."""

    __tablename__ = "edge_set"
    __table_args__ = (
        UniqueConstraint("asserter_id", "origin", "sha256"),
        Index(None, "asserter_id", "origin", "last_stated"),
        Index(
            "ix_edge_set_current",
            "asserter_id",
            sqlite_where=text("current IS 1"),
            postgresql_where=text("current IS true"),
        ),
        CHANGING,
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    asserter_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    """The job whose runs stated it; the dataset for events without a job."""
    origin: Mapped[str] = mapped_column(String(16))
    sha256: Mapped[str] = mapped_column(String(64))
    valid_from: Mapped[datetime | None]
    """When it was first stated."""
    last_stated: Mapped[datetime | None]
    last_run: Mapped[str | None] = mapped_column(Text)
    """Airflow's run id of the run that stated it last."""
    current: Mapped[bool] = mapped_column(Boolean)
    """Whether it stands: no COMPLETE of the same job and origin has stated another set since."""


class EdgeTable(Table):
    """One edge, in the direction of the data."""

    __tablename__ = "edge"
    __table_args__ = (Index(None, "target_id", "edge_set_id"), Index(None, "source_id", "edge_set_id"))

    edge_set_id: Mapped[int] = mapped_column(ForeignKey("edge_set.id"), primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True)
    transformation: Mapped[str | None] = mapped_column(Text)


class SightingTable(Learned, Table):
    """A run or an event stated an edge set; ``closing`` when it also ends what it does not state."""

    __tablename__ = "sighting"
    __table_args__ = (
        Index(None, "asserter_id", "origin", "closing", "stated_at"),
        Index(None, "edge_set_id", "stated_at"),
        Index(None, "run_id"),
        Index(
            "ix_sighting_mapped",
            "asserter_id",
            "mapped_in",
            sqlite_where=text("mapped_in IS NOT NULL"),
            postgresql_where=text("mapped_in IS NOT NULL"),
        ),
        Index("ix_sighting_event_id", "event_id", sqlite_where=OF_EVENT, postgresql_where=OF_EVENT),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    asserter_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    origin: Mapped[str] = mapped_column(String(16))
    edge_set_id: Mapped[int] = mapped_column(ForeignKey("edge_set.id"))
    stated_at: Mapped[datetime]
    closing: Mapped[bool] = mapped_column(Boolean)
    last_run: Mapped[str | None] = mapped_column(Text)
    mapped_in: Mapped[str | None] = mapped_column(Text)
    """Airflow's run id, when the run is one of several instances of a mapped task."""
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))


class AliasTable(Table):
    """Two names mean the same dataset, for all time; an event that used the one said so of the other."""

    __tablename__ = "alias"
    __table_args__ = (UniqueConstraint("node_id", "other_id"), Index(None, "other_id"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    recorded_at: Mapped[datetime]
    """When the registry learned it first."""


class LifecycleTable(Learned, Table):
    """A run that completed, or an event without a run, did something to a dataset."""

    __tablename__ = "lifecycle"
    __table_args__ = (
        Index(None, "node_id", "change"),
        Index(None, "other_id"),
        Index(None, "run_id"),
        Index("ix_lifecycle_event_id", "event_id", sqlite_where=OF_EVENT, postgresql_where=OF_EVENT),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    change: Mapped[str] = mapped_column(String(8))
    """``RENAME``, ``DROP`` or ``TRUNCATE``."""
    other_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"))
    """The older name, of a rename."""
    said_at: Mapped[datetime]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
