"""The SQL of events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from festaf.registry_api.bulk import fetch
from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.upsert import insert_missing


class EventRepository:
    """Events, append-only."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
        """Store events by their keys; give the ids of those that were not known."""
        query = select(EventTable.dedupe_key, EventTable.id)
        known = {row[0] for row in fetch(self.session, query, EventTable.dedupe_key, rows)}
        fresh = [row for key, row in rows.items() if key not in known]
        if not fresh:
            return {}
        insert_missing(self.session, EventTable, fresh, ["dedupe_key"])
        keys = [str(row["dedupe_key"]) for row in fresh]
        return {row[0]: row[1] for row in fetch(self.session, query, EventTable.dedupe_key, keys)}

    def last_arrival(self) -> datetime | None:
        """Give when the newest event arrived."""
        return self.session.scalar(select(EventTable.received_at).order_by(EventTable.id.desc()).limit(1))
