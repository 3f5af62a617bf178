"""A registry on SQLite and on a real PostgreSQL; each test has a database of its own."""

from __future__ import annotations

import itertools
import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from festaf.registry_api.database import Database
from festaf.registry_api.schema import migrate
from festaf.registry_api.settings import Settings
from tests.registry_api.applications import application
from tests.registry_api.databases import with_schema
from tests.registry_api.offices import Office, open_office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI
    from httpx import Response

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def logs_as_found() -> Iterator[None]:
    """Take back what ``serve`` sets for its process, or later tests log to a stderr that was closed with the test."""
    root, ours = logging.getLogger(), logging.getLogger("festaf")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture(scope="session")
def postgres_server(postgres: str) -> str:
    """Make a database that holds the schema, to be copied by each test."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_registry")
    database = Database(postgres.replace("/postgres?", "/template_registry?"))
    migrate(database)
    database.close()
    return postgres


@contextmanager
def copied_database(server: str, template: str = "template_registry") -> Iterator[str]:
    """Make a database of its own for a test, and remove it at the end."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        # A copy of its files is made in half the time of one through the log.
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield server.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Give a PostgreSQL database with the schema and nothing else."""
    with copied_database(postgres_server) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """Give a PostgreSQL database with nothing in it."""
    with copied_database(postgres_server, "template0") as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'registry.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Give a database with the schema and nothing else, on each kind of database."""
    found = with_schema(Database(database_url))
    yield found
    found.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Give a database with nothing in it, on each kind of database; ``upgrade`` makes the tables of any release."""
    found = Database(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "empty_postgres_url"))
    yield found
    found.close()


@dataclass
class Registry:
    """A registry in this process."""

    app: FastAPI
    http: TestClient
    database: Database

    def post(self, *events: dict[str, Any]) -> None:
        for event in events:
            answer = self.http.post("/api/v1/lineage", json=event)
            assert answer.status_code == 201, answer.text

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, path: str, **query: Any) -> Response:
        return self.http.get(f"/api/v1{path}", params=query)

    def feature(self, name: str = "dep_delay", feature_set: str = "delays", project: str = "nyc", **query: Any) -> Any:
        return self.get(f"/features/{project}/{feature_set}/{name}", **query)


@contextmanager
def open_registry(url: str, busy_timeout: float = 30.0) -> Iterator[Registry]:
    database = with_schema(Database(url, busy_timeout))
    with (
        application(Settings(url, demo=True), database) as app,
        TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50000)) as http,
    ):
        yield Registry(app, http, database)


@pytest.fixture
def registry(database_url: str) -> Iterator[Registry]:
    """Give a registry as a demo, which asks for no token, on each database."""
    with open_registry(database_url) as found:
        yield found


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    """Give a registry with an administrator and two projects, ``nyc`` and ``bos``."""
    with open_office(database_url) as found:
        yield found
