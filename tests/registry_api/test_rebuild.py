"""Every derived table can be built anew from the events, with all that was known at earlier times."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from festaf.registry_api.cli import app
from festaf.registry_api.database import Database
from festaf.registry_api.lineage.derived import DERIVED, SOURCES
from festaf.registry_api.lineage.rebuild import rebuild
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.schema import migrate
from festaf.registry_api.table import Table
from tests.registry_api.contents import contents, differences
from tests.registry_api.events import at
from tests.registry_api.story import story
from tests.registry_api.test_order import everything

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def told(database_url: str) -> Iterator[Database]:
    """Give a database that was told the story out of order, in batches that arrived at different times."""
    database = Database(database_url)
    migrate(database)
    events = random.Random(3).sample(story(), len(story()))
    for number, start in enumerate(range(0, len(events), 4)):
        with database.writing() as session:
            arrival = at(10_000) + timedelta(minutes=number)
            assert LineageService(session, arrival).take_batch(events[start : start + 4]) == []
    yield database
    database.close()


def test_a_rebuild_gives_the_same_answers_and_the_same_past(told: Database) -> None:
    answers, before = everything(told), contents(told, history=True)
    steps: list[tuple[int, int]] = []

    assert rebuild(told, lambda done, total: steps.append((done, total))) == len(story())

    assert differences(contents(told, history=True), before) == []
    assert everything(told).differences(answers) == []
    assert steps[-1] == (len(story()), len(story()))
    assert any('"superseded_at": "' in row for row in before["sighting"])


def test_a_rebuild_that_is_broken_off_changes_nothing(told: Database) -> None:
    answers, before = everything(told), contents(told, history=True)

    def break_off(done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(told, break_off)
    with told.writing() as session:
        assert LineageService(session, at(20_000)).take_batch(story()) == []

    assert differences(contents(told, history=True), before) == []
    assert everything(told).differences(answers) == []


def test_the_command_says_how_many_events_there_were(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    migrate(database)
    with database.writing() as session:
        LineageService(session, at(0)).take_batch(story()[:3])
    database.close()

    done = CliRunner().invoke(app, ["rebuild", "--database-url", sqlite_url, "--json"])

    assert (done.exit_code, done.stdout.strip()) == (0, '{"events": 3}')


def test_every_table_is_known_to_be_derived_or_not(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    migrate(database)
    database.close()

    assert set(Table.metadata.tables) <= DERIVED | SOURCES
    assert not DERIVED & SOURCES
