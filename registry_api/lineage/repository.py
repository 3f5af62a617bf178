"""The SQL of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.upsert import insert_missing


class EventRepository:
    """Events, append-only."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, row: Mapping[str, Any]) -> int | None:
        """Store an event; give its id, or None when it is known."""
        if not insert_missing(self.session, EventTable, [row], ["dedupe_key"]):
            return None
        query = select(EventTable.id).where(EventTable.dedupe_key == row["dedupe_key"])
        return self.session.scalars(query).one()
