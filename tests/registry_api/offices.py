"""A registry with an administrator, two projects, and services with tokens of their own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi.testclient import TestClient

from festaf.registry_api.access.caller import Scope
from festaf.registry_api.access.limits import Limits
from festaf.registry_api.access.service import TokenService
from festaf.registry_api.database import Database
from festaf.registry_api.settings import Settings
from tests.registry_api.applications import application
from tests.registry_api.databases import with_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx import Response


@dataclass
class Office:
    """A registry, and an administrator who gives out tokens."""

    http: TestClient
    database: Database
    tokens: dict[str, str]

    def ask(self, who: str, method: str, path: str, body: Any = None, **query: Any) -> Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return self.http.request(method, f"/api/v1{path}", json=body, params=query, headers=headers)

    def done(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = self.ask("admin", method, path, body, **query)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def make(self, name: str, *scopes: str, role: str | None = None, project: str = "nyc", **more: Any) -> None:
        self.done("PUT", f"/principals/service/{name}", {})
        if role:
            self.done("PUT", f"/grants/{project}/service/{name}", {"role": role})
        body = {"name": name, "owner_kind": "service", "owner": name, "scopes": scopes, **more}
        self.tokens[name] = self.done("POST", "/tokens", body)["token"]


@contextmanager
def open_office(database_url: str) -> Iterator[Office]:
    database = with_schema(Database(database_url))
    with database.writing() as session:
        _, admin = TokenService(session, datetime.now(UTC)).create("admin", [Scope.ADMIN], None)
    settings = Settings(database_url, limits=Limits(failures="3/minute", writes="200/minute"))
    with application(settings, database) as app, TestClient(app, base_url="http://127.0.0.1") as http:
        found = Office(http, database, {"admin": admin})
        for project in ("nyc", "bos"):
            found.done("PUT", f"/projects/{project}", {"description": None})
        yield found
