"""Experiments and the entries of their chains: no row of an entry is ever changed or removed; triggers see to it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from festaf.registry_api.table import Key, Table


class ExperimentTable(Table):
    """An experiment, with the end of its chain."""

    __tablename__ = "experiment"
    __table_args__ = (UniqueConstraint("project", "name"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(256))
    entries: Mapped[int] = mapped_column(Integer)
    runs: Mapped[int] = mapped_column(Integer)
    head_sha256: Mapped[str] = mapped_column(String(64))
    last_recorded: Mapped[datetime]


class EntryTable(Table):
    """One entry of a chain. It is primary data: a rebuild of what is derived from events leaves it alone."""

    __tablename__ = "experiment_entry"
    __table_args__ = (
        UniqueConstraint("experiment_id", "number"),
        UniqueConstraint("experiment_id", "content_sha256"),
        Index(None, "experiment_id", "run", "number"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiment.id"))
    number: Mapped[int] = mapped_column(Integer)
    run: Mapped[str] = mapped_column(String(256))
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(String(500))
    content: Mapped[str] = mapped_column(Text)
    """The record as canonical JSON: what is hashed is what is kept."""
    content_sha256: Mapped[str] = mapped_column(String(64))
    previous_sha256: Mapped[str | None] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
