"""What a run had closed that failed after it completed stands again, though the previous release left it closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.schema import upgrade
from tests.registry_api.events import RICH, at, dataset, task_event, written

if TYPE_CHECKING:
    from festaf.registry_api.database import Database

SETS = text("SELECT id, current, last_stated FROM edge_set ORDER BY id")


@pytest.fixture
def older(empty_database: Database) -> Database:
    """Give a database of the previous release, with what taking events needs of later ones."""
    upgrade(empty_database, "0021")
    with empty_database.migrating() as connection:
        connection.execute(text("ALTER TABLE feature ADD COLUMN dag_namespace TEXT"))
        connection.execute(text("CREATE UNIQUE INDEX later ON event (event_time, dedupe_key)"))
    return empty_database


def test_edge_sets_that_nothing_closes_stand_again(older: Database) -> None:
    closed = task_event(inputs=(dataset("closed"),), outputs=(written(RICH),))
    closing = task_event(day=1, inputs=(dataset("a"),), outputs=(written(RICH),))
    late = task_event(task="other", inputs=(dataset("late"),), outputs=(written(RICH),))
    failed = task_event(task="other", day=1, inputs=(dataset("b"),), outputs=(written(RICH),))
    for event in (closed, closing, failed, late, task_event("FAIL", 20, task="other", day=1)):
        with older.writing() as session:
            LineageService(session, at(99)).take(event)
    right = _sets(older)
    assert [current for _, current, _ in right] == [False, True, True, True]
    with older.writing() as session:
        session.execute(text("UPDATE edge_set SET current = false WHERE id = 4"))

    upgrade(older, "0022")

    assert _sets(older) == right


def _sets(database: Database) -> list[tuple[int, bool, str]]:
    with database.engine.connect() as connection:
        return [(row[0], bool(row[1]), str(row[2])[:16]) for row in connection.execute(SETS)]
