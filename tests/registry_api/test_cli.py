"""The command line: a real process on a real port."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from typer.testing import CliRunner

from festaf.registry_api.cli import app
from festaf.registry_api.settings import default_database_url
from tests.registry_api.events import RICH, task_event, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FEATURE = "/api/v1/features/nyc/delays/dep_delay"
EVENT = task_event(outputs=(written(RICH),))


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "festaf.registry_api", *arguments]


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve on a free port; give the URL and the process."""
    process = subprocess.Popen(command("serve", "--port", "0", *arguments), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Registry is ready on http://127.0.0.1:"), line
        yield line.split()[-1], process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.long
def test_a_served_registry_answers_stops_at_a_signal_and_remembers(sqlite_url: str) -> None:
    with serving("--demo", "--database-url", sqlite_url) as (url, process):
        assert httpx.get(f"{url}/ready").status_code == 200
        assert httpx.post(f"{url}/api/v1/lineage", json=EVENT).status_code == 201
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0

    with serving("--demo", "--database-url", sqlite_url) as (url, process):
        assert httpx.get(url + FEATURE).json()["who"]["owner"] == "ann"
        assert httpx.post(f"{url}/api/v1/lineage", json=EVENT).status_code == 201
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0


def test_tokens_are_made_used_listed_and_revoked_on_postgresql(postgres_url: str) -> None:
    database = ("--database-url", postgres_url)
    code, out, _ = run("token", "create", "airflow", "--scope", "lineage:write", "--days", "30", *database)
    assert code == 0
    writer = {"Authorization": f"Bearer {out.strip()}"}
    _, out, _ = run("token", "create", "reader", *database, "--json")
    reader = {"Authorization": f"Bearer {json.loads(out)['token']}"}

    with serving(*database) as (url, _):
        assert httpx.post(f"{url}/api/v1/lineage", json=EVENT).status_code == 401
        assert httpx.post(f"{url}/api/v1/lineage", json=EVENT, headers=writer).status_code == 201
        assert httpx.get(url + FEATURE, headers=reader).json()["run"]["task_id"] == "ingest"
        assert run("token", "revoke", "reader", *database)[0] == 0
        assert httpx.get(url + FEATURE, headers=reader).status_code == 401

    _, out, _ = run("token", "list", *database, "--json")
    listed = {item["name"]: item for item in json.loads(out)}
    assert listed["airflow"]["scopes"] == ["lineage:write"]
    assert listed["airflow"]["expires_at"] is not None
    assert listed["reader"]["revoked_at"] is not None
    assert "revoked" in run("token", "list", *database)[1]


def test_a_taken_port_is_one_sentence(sqlite_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, out, err = run("serve", "--port", str(port), "--database-url", sqlite_url)

    assert (code, out) == (1, "")
    assert err == (
        f"festaf registry: the registry cannot listen on 127.0.0.1 port {port}: address already in use; "
        "choose another with --port\n"
    )


def test_a_host_of_another_machine_is_one_sentence(sqlite_url: str) -> None:
    code, _, err = run("serve", "--host", "192.0.2.1", "--database-url", sqlite_url)

    assert code == 1
    assert err.endswith("; choose another with --host\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serve", "--database-url", "postgresql://me:secret@127.0.0.1:1/x"), "cannot be reached"),
        (("serve", "--database-url", "sqlite:////proc/none/registry.db"), "cannot be made"),
        (("serve", "--database-url", "oracle://x"), "stands on SQLite or PostgreSQL"),
        (("serve", "--demo", "--host", "0.0.0.0"), "listens only on this machine"),
        (("migrate", "--database-url", "postgresql://127.0.0.1:1/x"), "cannot be reached"),
        (("token", "list", "--database-url", "postgresql://127.0.0.1:1/x"), "cannot be reached"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    code, out, err = run(*arguments)

    assert (code, out) == (1, "")
    assert said in err
    assert err.count("\n") == 1
    assert "secret" not in err


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_text("this is no database, " * 100)

    code, _, err = run("serve", "--database-url", f"sqlite:///{tmp_path / 'registry.db'}")

    assert code == 1
    assert "not a database" in err
    assert err.count("\n") == 1


def test_an_old_postgresql_names_the_command_that_migrates_it(postgres_server: str, empty_postgres_url: str) -> None:
    database = ("--database-url", empty_postgres_url)

    code, _, err = run("serve", *database)
    assert code == 1
    assert "run festaf registry migrate" in err
    assert json.loads(run("migrate", *database, "--json")[1])["before"] is None
    assert "already" in run("migrate", *database)[1]
    assert run("token", "list", *database)[0] == 0


def test_an_unknown_or_taken_token_name_is_one_sentence(sqlite_url: str) -> None:
    database = ("--database-url", sqlite_url)
    assert run("token", "create", "a", *database)[0] == 0

    assert "stands already" in run("token", "create", "a", *database)[2]
    assert "no token is named" in run("token", "revoke", "b", *database)[2]
    assert run("token", "create", " ", *database)[0] == 1
    assert run("token", "create", "c", "--scope", "everything", *database)[0] == 2


def test_the_default_database_stands_in_the_users_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert default_database_url() == f"sqlite:///{tmp_path}/festaf/registry.db"
    assert run("migrate")[0] == 0
    assert (tmp_path / "festaf" / "registry.db").is_file()


def test_people_and_their_rights_are_managed_on_the_command_line(sqlite_url: str) -> None:
    database = ("--database-url", sqlite_url)
    for arguments in (
        ("project", "create", "nyc", "--description", "flights"),
        ("principal", "create", "service/airflow"),
        ("principal", "create", "team/analysts", "--group", "analysts"),
        ("principal", "create", "user/ann@example.com"),
        ("team", "add", "analysts", "user/ann@example.com"),
        ("grant", "give", "nyc", "service/airflow", "write"),
        ("grant", "give", "*", "team/analysts", "read"),
        ("namespace", "give", "airflow-prod", "nyc"),
        ("token", "create", "airflow", "--for", "service/airflow", "--scope", "lineage:write", "--project", "nyc"),
        ("grant", "take", "*", "team/analysts"),
        ("principal", "disable", "user/ann@example.com"),
    ):
        code, out, err = run(*arguments, *database)
        assert (code, err) == (0, ""), arguments
        assert out.count("\n") == 1

    def listed(*arguments: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(run(*arguments, *database, "--json")[1])
        return found

    assert [item["name"] for item in listed("project", "list")] == ["nyc"]
    assert listed("grant", "list") == [{"project": "nyc", "who": "service/airflow", "role": "write"}]
    assert listed("namespace", "list") == [{"namespace": "airflow-prod", "project": "nyc"}]
    assert [item["state"] for item in listed("team", "members", "analysts")] == ["disabled"]
    assert [(item["owner"], item["projects"]) for item in listed("token", "list")] == [("service/airflow", ["nyc"])]
    assert {item["actor_kind"] for item in listed("audit", "list")} == {"operator"}
    assert len(listed("audit", "list")) == 11
    assert [item["before"] for item in listed("audit", "list", "--action", "grant.delete")] == ["read"]
    for arguments, said in (
        (("grant", "give", "bos", "service/airflow", "write"), "there is no project 'bos'"),
        (("principal", "create", "airflow"), "write user/NAME"),
        (("token", "create", "x", "--for", "team/analysts"), "not to a team"),
        (
            ("token", "create", "x", "--for", "user/eve"),
            "no user is named 'eve'; make it with: festaf registry principal",
        ),
    ):
        code, out, err = run(*arguments, *database)
        assert (code, out) == (1, "")
        assert said in err
