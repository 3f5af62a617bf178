"""The SQL of events."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from festaf.registry_api.bulk import fetch
from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.upsert import insert_missing
from festaf.registry_api.viewpoint import AS_OF, KNOWN_AT, Viewpoint

CHUNK = 200
WHICH = (EventTable.event_time, EventTable.dedupe_key)


class EventRepository:
    """Events, append-only."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Store events, each once; give the ids of those that were not known, by their keys."""
        known = self._ids(rows)
        fresh = [row for row in rows if row["dedupe_key"] not in known]
        insert_missing(self.session, EventTable, fresh, [column.key for column in WHICH])
        return self._ids(fresh)

    def _ids(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        which = {tuple(row[column.key] for column in WHICH) for row in rows}
        found = fetch(self.session, select(EventTable.dedupe_key, EventTable.id), tuple_(*WHICH), which)
        return {row[0]: row[1] for row in found}

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
