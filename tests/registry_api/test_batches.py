"""What a batch costs does not grow with its events, and the index of the search is whole after a rebuild."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, text

from festaf.registry_api.database import Database
from festaf.registry_api.lineage.rebuild import rebuild
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.schema import migrate
from tests.registry_api.contents import contents, differences
from tests.registry_api.events import Json, at, dataset, declaration, task_event, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Note the statements that the database is sent, but for the sweep after each fiftieth transaction of a server."""
    statements: list[str] = []

    def heard(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("DELETE FROM change"):
            statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", heard)
    yield statements
    event.remove(database.engine, "before_cursor_execute", heard)


def told(first: int, count: int, turn: int) -> list[Json]:
    """Tell of each of some tasks that it wrote its feature set."""
    return [
        task_event(
            task=f"write_{number}",
            day=turn,
            inputs=(dataset(f"raw_{number}.parquet"),),
            outputs=(written(declaration(f"f_{number}", owner="ann", description="a mean"), name=f"set_{number}"),),
        )
        for number in range(first, first + count)
    ]


def take(database: Database, events: list[Json], turn: int) -> int:
    """Give how many statements a batch takes."""
    with counted(database) as statements, database.writing() as session:
        assert LineageService(session, at(1_000 + turn)).take_batch(events) == []
    return len(statements)


def test_a_batch_of_known_tasks_takes_as_many_statements_whatever_its_size(database: Database) -> None:
    take(database, told(0, 200, 0), 0)

    few, many = take(database, told(0, 50, 1), 1), take(database, told(0, 200, 2), 2)

    assert few == many < 60


def test_a_batch_of_new_tasks_takes_no_statement_for_each(database: Database) -> None:
    few, many = take(database, told(0, 50, 0), 0), take(database, told(50, 200, 0), 1)

    assert many - few < 30


def rounds() -> list[list[Json]]:
    """Tell of four tasks, day after day: what they say is the same, but for what somebody changed meanwhile."""
    days = [told(0, 4, day) for day in range(5)]
    days[2][1] = changed(2, 1, declaration("f_1", owner="bob"))
    days[2][2] = changed(2, 2, declaration("f_2", owner="ann", description="a mean"), dag_id="moved")
    days[3][0] = changed(3, 0, {"name": "f_0", "type": "Integral"})
    days[3] += [
        changed(3, 3, declaration("f_3", owner="ann", description="a mean"), minutes=minutes) for minutes in (10, 7)
    ]
    days[4] += told(0, 2, 6) + told(0, 2, 5)
    return days


def changed(day: int, number: int, *features: Json, **said: Any) -> Json:
    """Tell of a run of a task that is not like its others."""
    return task_event(
        task=f"write_{number}",
        day=day,
        try_number=2,
        inputs=(dataset(f"raw_{number}.parquet"),),
        outputs=(written(*features, name=f"set_{number}"),),
        **said,
    )


def test_what_follows_from_a_batch_is_what_the_tables_say(database: Database, tmp_path: Path) -> None:
    for turn, events in enumerate(rounds()):
        take(database, events, turn)
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    migrate(other)

    every = [event for events in rounds() for event in events]
    for turn, item in enumerate(random.Random(5).sample(every, len(every))):
        take(other, [item], turn)

    assert differences(contents(database), contents(other)) == []
    before = contents(database, history=True)
    rebuild(database, lambda _done, _total: None)
    assert differences(contents(database, history=True), before) == []
    other.close()


def test_the_full_text_of_sqlite_says_what_the_documents_say_after_a_rebuild(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    migrate(database)
    for turn in range(2):
        take(database, told(turn, 3, turn), turn)

    rebuild(database, lambda _done, _total: None)

    with database.writing() as session:
        session.execute(text("INSERT INTO search_text(search_text, rank) VALUES ('integrity-check', 1)"))
        found = session.execute(text("SELECT rowid FROM search_text WHERE search_text MATCH 'lann'")).all()
        documents = session.execute(text("SELECT feature_id FROM search_document")).all()
    database.close()
    assert sorted(found) == sorted(documents)
    assert len(documents) == 4
