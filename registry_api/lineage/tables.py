"""The events as they came: nothing is ever changed or removed here, and every other table can be built from it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from festaf.registry_api.table import Key, Table


class EventTable(Table):
    """One OpenLineage event."""

    __tablename__ = "event"
    # Equal events are of one time. By it, what is new lies together in the index; by the hash alone, everywhere.
    __table_args__ = (UniqueConstraint("event_time", "dedupe_key"), Index(None, "run_uuid"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(8))
    """``run``, ``job`` or ``dataset``."""
    run_uuid: Mapped[UUID | None]
    event_type: Mapped[str | None] = mapped_column(String(8))
    event_time: Mapped[datetime]
    received_at: Mapped[datetime]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    """The canonical JSON of the event, compressed by zlib."""


class GenerationTable(Table):
    """How often the tables that are derived from events were built; ids of another generation mean nothing."""

    __tablename__ = "generation"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
