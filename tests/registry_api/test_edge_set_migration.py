"""What a run had closed that failed after it completed stands again, though the previous release left it closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from festaf.registry_api.database import Database
from festaf.registry_api.lineage.service import LineageService
from tests.registry_api.databases import upgrade_to
from tests.registry_api.events import RICH, at, dataset, task_event, written

if TYPE_CHECKING:
    from collections.abc import Iterator

SETS = text("SELECT id, current, last_stated FROM edge_set ORDER BY id")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(sqlite_url: str, empty_postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Give a database of the previous release, with what taking events needs of later ones."""
    found = Database(sqlite_url if request.param == "sqlite" else empty_postgres_url)
    upgrade_to(found, "0021")
    with found.migrating() as connection:
        connection.execute(text("ALTER TABLE feature ADD COLUMN dag_namespace TEXT"))
        connection.execute(text("CREATE UNIQUE INDEX later ON event (event_time, dedupe_key)"))
    yield found
    found.close()


def test_edge_sets_that_nothing_closes_stand_again(database: Database) -> None:
    closed = task_event(inputs=(dataset("closed"),), outputs=(written(RICH),))
    closing = task_event(day=1, inputs=(dataset("a"),), outputs=(written(RICH),))
    late = task_event(task="other", inputs=(dataset("late"),), outputs=(written(RICH),))
    failed = task_event(task="other", day=1, inputs=(dataset("b"),), outputs=(written(RICH),))
    for event in (closed, closing, failed, late, task_event("FAIL", 20, task="other", day=1)):
        with database.writing() as session:
            LineageService(session, at(99)).take(event)
    right = _sets(database)
    assert [current for _, current, _ in right] == [False, True, True, True]
    with database.writing() as session:
        session.execute(text("UPDATE edge_set SET current = false WHERE id = 4"))

    upgrade_to(database, "0022")

    assert _sets(database) == right


def _sets(database: Database) -> list[tuple[int, bool, str]]:
    with database.engine.connect() as connection:
        return [(row[0], bool(row[1]), str(row[2])[:16]) for row in connection.execute(SETS)]
