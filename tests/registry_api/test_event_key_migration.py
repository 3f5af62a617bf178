"""Events that were taken before are known afterwards, and are found by their time and key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import inspect, text

from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.schema import migrate, upgrade
from tests.registry_api.events import RICH, at, task_event, written

if TYPE_CHECKING:
    from festaf.registry_api.database import Database

EVENTS = text("SELECT id, event_time, dedupe_key, body FROM event ORDER BY id")
TOLD = [task_event(day=day, outputs=(written(RICH),)) for day in (3, 1, 2)]


@pytest.fixture
def older(empty_database: Database) -> Database:
    """Give a database of the previous release in which events are."""
    upgrade(empty_database, "0023")
    with empty_database.migrating() as connection:
        connection.execute(text("CREATE UNIQUE INDEX later ON event (event_time, dedupe_key)"))
    _tell(empty_database, TOLD)
    with empty_database.migrating() as connection:
        connection.execute(text("DROP INDEX later"))
    return empty_database


def test_events_of_the_previous_release_are_known(older: Database) -> None:
    before = _events(older)

    migrate(older)
    _tell(older, TOLD)

    assert _events(older) == before
    assert len(before) == len(TOLD)
    found = inspect(older.engine)
    assert [item["column_names"] for item in found.get_unique_constraints("event")] == [["event_time", "dedupe_key"]]
    assert {item["name"] for item in found.get_indexes("event")} >= {"ix_event_run_uuid"}


def _tell(database: Database, events: list[dict[str, Any]]) -> None:
    for event in events:
        with database.writing() as session:
            LineageService(session, at(9_999)).take(event)


def _events(database: Database) -> list[tuple[Any, ...]]:
    with database.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(EVENTS)]
