"""The SQL of events."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from festaf.registry_api.bulk import fetch
from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.upsert import insert_missing
from festaf.registry_api.viewpoint import AS_OF, KNOWN_AT, Viewpoint

CHUNK = 200


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

    def count(self) -> int:
        """Count the events."""
        return self.session.scalar(select(func.count()).select_from(EventTable)) or 0

    def after(self, number: int, limit: int) -> list[tuple[int, datetime, bytes]]:
        """Give id, arrival and body of the next events by id."""
        query = select(EventTable.id, EventTable.received_at, EventTable.body)
        rows = self.session.execute(query.where(EventTable.id > number).order_by(EventTable.id).limit(limit))
        return [(row[0], row[1], zlib.decompress(row[2])) for row in rows]

    def of_runs(self, runs: Collection[UUID], view: Viewpoint) -> Iterator[bytes]:
        """Give the bodies of the events of runs that count from a viewpoint."""
        seen = [*([EventTable.event_time <= AS_OF] if view.dated else [])]
        seen += [EventTable.received_at <= KNOWN_AT] if view.known else []
        ordered = sorted(runs)
        for start in range(0, len(ordered), CHUNK):
            query = select(EventTable.body).where(EventTable.run_uuid.in_(ordered[start : start + CHUNK]), *seen)
            yield from self.session.scalars(query.order_by(EventTable.id), view.asked)
