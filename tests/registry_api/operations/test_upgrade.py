"""A database that the previous release made keeps every answer when it is brought to this release's schema.

The rows and answers in tests/fixtures/registry were made by that release's code (schema 0001): it was told the story in
batches of four, a minute apart from ``at(10_000)`` on.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from festaf.registry_api.cli import app
from festaf.registry_api.database import Database
from festaf.registry_api.lineage.rebuild import rebuild
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.schema import current, head, migrate, upgrade
from tests.registry_api.conftest import open_registry
from tests.registry_api.contents import contents, differences
from tests.registry_api.events import at
from tests.registry_api.story import story

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.registry_api.conftest import Registry

FIXTURES = Path(__file__).parents[2] / "fixtures" / "registry"
REFINED = {"lineage": ("lineage_facet", "column_lineage", "inputs_outputs")}
"""How this release says more exactly where an edge comes from."""
LISTS = ("feature_set_write", "feature_list", "listed_version")
LEARNED = ("definition", "declaration", "feature_set_write", "sighting")


def _value(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def load(connection: Connection, file: Path) -> None:
    """Insert rows as they were stored: times and documents are texts, which both databases read."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    statement, table, columns = "", "", []
    for line in map(json.loads, file.read_text().splitlines()):
        if isinstance(line, dict):
            table, columns = line["table"], line["columns"]
            names = ", ".join(f'"{name}"' for name in columns)
            statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join([mark] * len(columns))})"
        else:
            connection.exec_driver_sql(statement, tuple(_value(value) for value in line))
            if "id" in columns and connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")


@pytest.fixture
def previous(empty_database: Database) -> Database:
    """Give a database of the previous release, full."""
    upgrade(empty_database, "0001")
    with empty_database.migrating() as connection:
        load(connection, FIXTURES / "release_0001.jsonl")
    return empty_database


def lost(before: Any, after: Any, path: str = "") -> list[str]:
    """Give what an answer said before and no longer says; what it says besides is new."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [word for key in before for word in lost(before[key], after.get(key, "nothing"), f"{path}.{key}")]
    if isinstance(before, list) and isinstance(after, list):
        left = iter(after)
        missing = [one for one in before if not any(lost(one, other) == [] for other in left)]
        return [f"{path}: {missing!r} is not in {after!r} in this order"] if missing else []
    return (
        []
        if before == after or (path.endswith(".origin") and after in REFINED.get(str(before), ()))
        else [f"{path}: {before!r} became {after!r}"]
    )


def check_answers(registry: Registry, *, past: bool) -> None:
    """Ask again what the previous release was asked.

    :param past: with what is asked as of an earlier time
    """
    for line in map(json.loads, (FIXTURES / "release_0001_answers.jsonl").read_text().splitlines()):
        if "asOf" in line["path"] and not past:
            continue
        answer = registry.http.get(f"/api/v1{line['path']}")
        assert answer.status_code == 200, answer.text
        assert lost(line["answer"], answer.json(), line["path"]) == []


def test_an_upgrade_keeps_every_answer_and_a_rebuild_gives_the_same(previous: Database, tmp_path: Path) -> None:
    url = previous.url.render_as_string(hide_password=False)
    done = CliRunner().invoke(app, ["migrate", "--database-url", url])
    assert (done.exit_code, done.stdout) == (0, f"The schema is at version {head()} now.\n")
    assert done.stderr.startswith("0002: ")
    assert done.stderr.count("\n") == int(head())
    assert "festaf registry rebuild" in done.stderr.splitlines()[-1]

    with previous.reading() as session:
        for table in LEARNED:
            filled = text(f"SELECT count(*), count(recorded_at), count(superseded_at) FROM {table}")
            rows, recorded, superseded = session.execute(filled).one()
            assert rows == recorded > 0
            assert superseded == 0
    with open_registry(url) as registry:
        check_answers(registry, past=False)
        registry.post(story()[0])
        migrated = contents(registry.database)
        assert rebuild(registry.database, lambda *_: None) == len(story())
        rebuilt = contents(registry.database)
        assert [(migrated[name], rebuilt[name]) for name in LISTS if migrated[name] != rebuilt[name]] == []
        # What events said of DAGs at each time is kept since 0011, and is read from them once more.
        check_answers(registry, past=True)

    fresh, told = Database(f"sqlite:///{tmp_path / 'fresh.db'}"), story()
    migrate(fresh)
    for number, start in enumerate(range(0, len(told), 4)):
        with fresh.writing() as session:
            LineageService(session, at(10_000) + timedelta(minutes=number)).take_batch(told[start : start + 4])
    assert differences(contents(previous), contents(fresh)) == []
    fresh.close()


def test_a_newer_schema_is_not_touched(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    migrate(database)
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    done = CliRunner().invoke(app, ["migrate", "--database-url", sqlite_url])

    assert done.exit_code == 1
    assert "newer than this registry" in done.stderr
    assert current(database) == "9999"
    database.close()
