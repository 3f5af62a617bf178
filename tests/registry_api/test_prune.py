"""Old runs that say nothing new can go, and no answer changes: not at once, and not after a rebuild."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from festaf.contract.dag import Dag, DagVersion
from festaf.registry_api.access.tables import AuditTable
from festaf.registry_api.catalog.tables import JobRunTable
from festaf.registry_api.cli import app
from festaf.registry_api.dags.tables import DagSayingTable, RunTable
from festaf.registry_api.database import Database
from festaf.registry_api.lineage.pruning import Pruned, prune
from festaf.registry_api.lineage.rebuild import rebuild
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.viewpoint import Viewpoint
from tests.registry_api.contents import contents, differences
from tests.registry_api.databases import with_schema
from tests.registry_api.events import DAY, Json, at, dataset, facet, task_event
from tests.registry_api.story import story
from tests.registry_api.test_order import everything

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS = 30
LONG_AGO = DAY + timedelta(days=200)
EARLIER = (
    *(Viewpoint(at(24 * 60 * day + 15)) for day in (1, 4, 15)),
    *(Viewpoint(None, at(24 * 60 * day + 15)) for day in (1, 4, 15)),
)


def chore(day: int, *, event_type: str = "COMPLETE", minutes: float = 10, **said: Any) -> Json:
    """Tell of a task that touches no data."""
    return task_event(event_type, minutes, task="notify", dag_id="chores", day=day, **said)


def chores(**said: Any) -> list[Json]:
    return [
        chore(day, event_type=kind, minutes=at, **said)
        for day in range(DAYS)
        for kind, at in (("START", 5), ("COMPLETE", 10))
    ]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Give a registry that learned each day's chores on that day, and the story at its beginning."""
    database = with_schema(Database(database_url))
    tell(database, story(), at(0))
    for day in range(DAYS):
        tell(database, chores()[2 * day : 2 * day + 2], at(24 * 60 * day + 11))
    yield database
    database.close()


def tell(database: Database, events: list[Json], arrival: Any) -> None:
    with database.writing() as session:
        assert LineageService(session, arrival).take_batch(events) == []


def count(database: Database, table: Any) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def answers_of(database: Database) -> list[Any]:
    """Ask for everything, now and earlier, except when a DAG was seen last by an earlier time."""
    earlier = [
        item.model_dump_json(exclude={"items": {"__all__": {"last_seen"}}}) if _is_of_dags(item) else item
        for item in everything(database, EARLIER).said
    ]
    return [*everything(database, [Viewpoint(None)]).said, *earlier]


def _is_of_dags(answer: Any) -> bool:
    items = getattr(answer, "items", ())
    return bool(items) and isinstance(items[0], Dag | DagVersion)


def without_runs(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: rows for name, rows in found.items() if name != "run"}


@pytest.mark.long
def test_no_answer_changes_and_a_rebuild_gives_the_same(database: Database) -> None:
    answers, before = answers_of(database), contents(database, history=True)

    done = prune(database, LONG_AGO, LONG_AGO)

    after = contents(database, history=True)
    assert done.runs == DAYS - 1 - 10
    assert done.events == 2 * done.runs
    assert answers_of(database) == answers
    assert differences(without_runs(after), without_runs(before)) == []

    rebuild(database, lambda _done, _total: None)

    assert answers_of(database) == answers
    assert differences(contents(database, history=True), after) == []


def test_what_hangs_on_a_run_goes_with_it_and_only_once(database: Database) -> None:
    tables = (EventTable, RunTable, JobRunTable, DagSayingTable)
    before = [count(database, table) for table in tables]

    first = prune(database, LONG_AGO, LONG_AGO)
    second = prune(database, LONG_AGO, LONG_AGO)

    gone = [old - count(database, table) for old, table in zip(before, tables, strict=True)]
    assert gone == [first.events, first.runs, first.runs, first.events]
    assert (second.runs, second.events) == (0, 0)


def test_pruning_is_audited_and_a_rehearsal_changes_nothing(database: Database) -> None:
    before = contents(database, history=True)

    rehearsed = prune(database, LONG_AGO, LONG_AGO, dry_run=True)

    assert differences(contents(database, history=True), before) == []
    assert count(database, AuditTable) == 0

    done = prune(database, LONG_AGO, LONG_AGO)

    with database.reading() as session:
        rows = session.scalars(select(AuditTable)).all()
    assert done == rehearsed
    assert [(row.action, row.actor_kind, row.counts) for row in rows] == [
        ("events.prune", "operator", {"runs": done.runs, "events": done.events})
    ]


TOLD = {"documentation": facet(description="tells people")}


@pytest.mark.parametrize(
    ("odd", "others"),
    [
        (chore(12, inputs=(dataset("flights.parquet"),)), chores()),
        (chore(12, minutes=11, event_type="OTHER", outputs=(dataset("report.csv"),)), chores()),
        (chore(12, source="changed = True\n"), chores()),
        (chore(12, job_facets=TOLD), chores()),
        (chore(12), chores(job_facets=TOLD)),
    ],
    ids=["an input", "an output", "another source", "a facet that nobody repeats", "without a facet of the others"],
)
def test_a_run_that_says_something_of_its_own_stays(sqlite_url: str, odd: Json, others: list[Json]) -> None:
    database = with_schema(Database(sqlite_url))
    tell(database, [odd, *(event for event in others if event["eventTime"][:10] != odd["eventTime"][:10])], at(0))
    answers = answers_of(database)

    prune(database, LONG_AGO, LONG_AGO)

    with database.reading() as session:
        kept = set(session.scalars(select(RunTable.uuid)))
    assert odd["run"]["runId"] in {str(uuid) for uuid in kept}
    pruned = contents(database, history=True)
    assert answers_of(database) == answers
    rebuild(database, lambda _done, _total: None)
    assert differences(contents(database, history=True), pruned) == []
    database.close()


def test_runs_of_late_and_of_unfinished_days_stay(database: Database) -> None:
    assert prune(database, at(0), LONG_AGO) == Pruned(looked_at=count(database, RunTable))

    early = prune(database, at(24 * 60 * 5), LONG_AGO)

    assert early.runs == 4


def test_the_command_reports_what_it_did(sqlite_url: str) -> None:
    database = with_schema(Database(sqlite_url))
    tell(database, chores(), at(0))
    database.close()
    command = ["prune", "--older-than", "30", "--database-url", sqlite_url, "--json"]

    rehearsed = CliRunner().invoke(app, [*command, "--dry-run"])
    done = CliRunner().invoke(app, command)

    assert (rehearsed.exit_code, done.exit_code) == (0, 0)
    assert json.loads(done.stdout) == json.loads(rehearsed.stdout) | {"dry_run": False}
    assert json.loads(done.stdout)["runs"] == DAYS - 1 - 10
