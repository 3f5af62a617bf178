"""Build every derived table anew from the events, with the arrival of each event as the clock.

All of it is one transaction. Until it is done, reads answer from the old rows and writers wait or are sent away with
503; if it is broken off, nothing has happened.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import groupby

from sqlalchemy import text
from sqlalchemy.orm import Session

from festaf.registry_api.database import Database, lock_all
from festaf.registry_api.lineage.derived import derived_rows, idle_rows
from festaf.registry_api.lineage.repository import EventRepository
from festaf.registry_api.lineage.service import LineageService

CHUNK = 500
Progress = Callable[[int, int], None]
"""Is told how many events are done, and how many there are."""


def rebuild(database: Database, progress: Progress) -> int:
    """Empty the derived tables and replay the events in the order of their ids; give how many there were.

    Every answer is the same as before, byte for byte, but for the ids of what a caller may not see. Cursors hold.
    """
    with database.writing() as session:
        lock_all(session)
        connection = session.connection()
        for statement in derived_rows():
            connection.execute(statement)
        connection.execute(text("UPDATE generation SET number = number + 1"))
        done = _replay(session, progress)
        for statement in idle_rows():
            connection.execute(statement)
        return done


def _replay(session: Session, progress: Progress) -> int:
    events = EventRepository(session)
    total, done, last = events.count(), 0, 0
    progress(0, total)
    while chunk := events.after(last, CHUNK):
        for arrival, group in groupby(chunk, key=_arrival):
            LineageService(session, arrival).replay([(number, body) for number, _, body in group])
        done, last = done + len(chunk), chunk[-1][0]
        progress(done, total)
    return done


def _arrival(event: tuple[int, datetime, bytes]) -> datetime:
    return event[1]
