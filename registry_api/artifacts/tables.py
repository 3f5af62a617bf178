"""What tasks said of training sets, models, endpoints and monitors, in the contract's words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from festaf.registry_api.table import Key, Learned, Table


class ArtifactFactTable(Learned, Table):
    """One run, or one event without a run, said this of an artifact."""

    __tablename__ = "artifact_fact"
    __table_args__ = (Index(None, "kind", "project", "name", "said_at"), Index(None, "run_id"), Index(None, "event_id"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    """``training-set``, ``model``, ``endpoint`` or ``monitor``."""
    project: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Text)
    version: Mapped[int | None] = mapped_column(Integer)
    """Of a model."""
    said_at: Mapped[datetime]
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
