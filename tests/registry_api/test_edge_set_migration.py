"""Edge sets of which the previous release did not write until when they stood are told of as if it had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from festaf.registry_api.database import Database
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.schema import migrate
from tests.registry_api.databases import upgrade_to
from tests.registry_api.events import RICH, at, dataset, task_event, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_api.events import Json

SETS = text("SELECT id, current, valid_to FROM edge_set ORDER BY id")
LATE = 2
"""The set that was told late, and was closed already: the second one of inputs and outputs."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(sqlite_url: str, empty_postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    found = Database(sqlite_url if request.param == "sqlite" else empty_postgres_url)
    upgrade_to(found, "0021")
    yield found
    found.close()


def tell(database: Database, *events: Json) -> None:
    for event in events:
        with database.writing() as session:
            LineageService(session, at(99)).take(event)


def sets(database: Database) -> list[tuple[int, bool, str | None]]:
    with database.engine.connect() as connection:
        return [(row[0], bool(row[1]), row[2] and str(row[2])[:16]) for row in connection.execute(SETS)]


def test_what_nothing_has_closed_stands_and_the_rest_says_until_when(database: Database) -> None:
    now = task_event(day=1, inputs=(dataset("a"),), outputs=(written(RICH),))
    late = task_event(inputs=(dataset("late"),), outputs=(written(RICH),))
    tell(database, now, late)
    right = sets(database)
    with database.writing() as session:
        session.execute(text("UPDATE edge_set SET valid_to = NULL"))

    migrate(database)

    assert sets(database) == right
    assert (LATE, False, "2026-03-02 00:10") in right


def test_what_a_run_had_closed_that_failed_after_all_stands_again(database: Database) -> None:
    now = task_event(day=1, inputs=(dataset("a"),), outputs=(written(RICH),))
    late = task_event(inputs=(dataset("late"),), outputs=(written(RICH),))
    tell(database, now, late, task_event("FAIL", 20, day=1))
    right = sets(database)
    with database.writing() as session:
        session.execute(text("UPDATE edge_set SET current = false WHERE id = :id"), {"id": LATE})

    migrate(database)

    assert sets(database) == right
    assert (LATE, True, None) in right
