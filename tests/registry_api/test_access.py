"""Tokens: who may report and who may read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from festaf.registry_api.access.caller import Caller, Scope
from festaf.registry_api.access.limits import Limits
from festaf.registry_api.access.service import TokenService
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.access.tables import TokenTable
from festaf.registry_api.database import Database
from festaf.registry_api.errors import ConflictError, ForbiddenError, SetupError
from festaf.registry_api.server import check_demo
from festaf.registry_api.settings import Settings
from tests.registry_api.applications import application
from tests.registry_api.databases import with_schema
from tests.registry_api.events import RICH, task_event, written

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime.now(UTC)
FEATURES = "/api/v1/features"


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    database = with_schema(Database(sqlite_url))
    yield database
    database.close()


@pytest.fixture
def http(database: Database) -> Iterator[TestClient]:
    settings = Settings(str(database.url), limits=Limits(failures=None))
    with application(settings, database) as app, TestClient(app) as client:
        yield client


def token(database: Database, *scopes: Scope, name: str = "me", expires_at: datetime | None = None) -> dict[str, str]:
    with database.writing() as session:
        _, text = TokenService(session, NOW).create(name, scopes, expires_at)
    return {"Authorization": f"Bearer {text}"}


def test_nothing_is_answered_without_a_token(http: TestClient) -> None:
    paths = re.findall(r"'(/api/v1/[^']*)': \{'get'", str(http.get("/api/v1/openapi.json").json()["paths"]))
    assert len(paths) >= 6
    for path in paths:
        answer = http.get(path.replace("{run_id}", "0195f000-0000-7000-8000-000000000001"))
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert http.post("/api/v1/lineage", json=task_event()).status_code == 401
    assert http.post("/api/v1/lineage/batch", json=[]).status_code == 401


def test_health_and_documentation_need_no_token(http: TestClient) -> None:
    for path in ("/health", "/ready", "/docs", "/docs/assets/swagger-ui-bundle.js", "/api/v1/openapi.json"):
        assert http.get(path).status_code == 200, path
    assert "https://" not in http.get("/docs").text
    for path in ("/health", "/ready"):
        assert (http.head(path).status_code, http.head(path).content) == (200, b"")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic bWU6bWU=", "Bearer festaf_wrong", "festaf_wrong", "Bearer é"]
)
def test_a_token_that_opens_nothing_is_a_401(http: TestClient, header: str) -> None:
    assert http.get(FEATURES, headers={"Authorization": header.encode()}).status_code == 401


def test_a_scope_opens_only_its_own_routes(http: TestClient, database: Database) -> None:
    reader = token(database, Scope.REGISTRY_READ, name="reader")
    writer = token(database, Scope.LINEAGE_WRITE, name="writer")
    admin = token(database, Scope.ADMIN, name="admin")
    event = task_event(outputs=(written(RICH),))

    assert http.get(FEATURES, headers=reader).status_code == 200
    assert http.get(FEATURES, headers=writer).status_code == 403
    assert http.post("/api/v1/lineage", json=event, headers=reader).status_code == 403
    assert http.post("/api/v1/lineage", json=event, headers=writer).status_code == 201
    assert http.get(FEATURES, headers=admin).status_code == 200


def test_an_expired_or_revoked_token_opens_nothing(http: TestClient, database: Database) -> None:
    late = token(database, Scope.ADMIN, name="late", expires_at=NOW - timedelta(seconds=1))
    gone = token(database, Scope.ADMIN, name="gone")
    assert http.get(FEATURES, headers=gone).status_code == 200
    with database.writing() as session:
        TokenService(session, NOW).revoke("gone")

    assert http.get(FEATURES, headers=late).status_code == 401
    assert http.get(FEATURES, headers=gone).status_code == 401


def test_only_the_hash_is_kept_and_the_last_use_is_noted(http: TestClient, database: Database) -> None:
    header = token(database, Scope.REGISTRY_READ)
    http.get(FEATURES, headers=header)

    with database.reading() as session:
        row = session.scalars(select(TokenTable)).one()
    assert header["Authorization"].split()[1] not in str(vars(row))
    assert row.last_used_at is not None


def test_a_name_is_given_once(database: Database) -> None:
    token(database, Scope.ADMIN)
    with pytest.raises(ConflictError, match="'me' stands already"):
        token(database, Scope.ADMIN)


def test_a_demo_answers_only_this_machine(database: Database) -> None:
    with application(Settings(str(database.url), demo=True), database) as app:
        with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1)) as near:
            assert near.get(FEATURES).status_code == 200
            assert near.get(FEATURES, headers={"Host": "evil.example"}).status_code == 403
        far = TestClient(app, base_url="http://localhost", client=("192.0.2.7", 1))
        assert far.get(FEATURES).status_code == 403


def test_a_demo_is_not_served_to_others() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        check_demo(host)
    for host in ("0.0.0.0", "::", "192.0.2.7", "example.com", ""):
        with pytest.raises(SetupError, match="listens only on this machine"):
            check_demo(host)


def test_what_a_caller_may_do_is_both_scope_and_project() -> None:
    theirs = Sight(frozenset({"nyc"}), frozenset({"airflow"}))
    writer = Caller("ann", frozenset({Scope.LINEAGE_WRITE}), sight=theirs, writes=theirs, administers=theirs)
    admin = Caller("bob", frozenset({Scope.ADMIN}), sight=theirs, writes=theirs, administers=theirs)

    assert writer.may_write("nyc")
    assert writer.may_write_namespace("airflow")
    assert writer.may_write_namespace("x-festaf-model://nyc")
    assert not writer.may_write("bos")
    assert not writer.may_write_namespace("elsewhere")
    for refused in (lambda: writer.require_write("bos"), lambda: writer.require_project_admin("nyc")):
        with pytest.raises(ForbiddenError):
            refused()
    admin.require_project_admin("nyc")
    with pytest.raises(ForbiddenError):
        admin.require_admin()


def test_a_caller_of_whom_nothing_is_said_may_nothing() -> None:
    nobody = Caller("nobody", frozenset(Scope))

    assert not nobody.sight.sees("nyc")
    assert not nobody.may_write("nyc")
    for refused in (lambda: nobody.require_project_admin("nyc"), nobody.require_admin):
        with pytest.raises(ForbiddenError):
            refused()
