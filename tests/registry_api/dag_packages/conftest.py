"""A registry with people who publish, review and look; each has a token of their own."""

from __future__ import annotations

import base64
import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from festaf.registry_api.access.caller import Scope
from festaf.registry_api.access.limits import Limits
from festaf.registry_api.access.principals import Kind, PrincipalService
from festaf.registry_api.access.projects import ProjectService
from festaf.registry_api.access.roles import Role
from festaf.registry_api.access.service import TokenService
from festaf.registry_api.database import Database
from festaf.registry_api.settings import Settings
from festaf.sharing.checks import check_files
from festaf.sharing.reading import read_confined
from tests.registry_api.applications import application
from tests.registry_api.databases import with_schema
from tests.sharing.packages import archive as built

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fastapi import FastAPI
    from httpx import Response

    from festaf.contract.dag_inspection import FileInspection
    from festaf.contract.dag_package import Finding, Manifest
    from tests.buckets import Kept

_read: dict[str, tuple[FileInspection, ...]] = {}
_checked: dict[str, tuple[Finding, ...]] = {}
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NO_LIMITS = Limits(**dict.fromkeys(Limits.__dataclass_fields__))
PEOPLE = {
    "ann": {"acme": Role.WRITE},
    "bob": {"acme": Role.WRITE},
    "cat": {"acme": Role.WRITE},
    "eve": {"other": Role.ADMIN},
    "ian": {"acme": Role.READ},
    "joy": {"acme": Role.ADMIN},
    "max": {"acme": Role.WRITE, "other": Role.WRITE},
    "root": {"*": Role.ADMIN},
}
"""Who may do what in which namespace."""


@dataclass
class House:
    """A registry in this process, and the tokens of those who use it."""

    app: FastAPI
    http: TestClient
    database: Database
    tokens: dict[str, str]
    kept: Kept

    def ask(self, who: str, method: str, path: str, **said: Any) -> Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}", **said.pop("headers", {})}
        return self.http.request(method, f"/api/v1{path}", headers=headers, **said)

    def get(self, path: str, who: str = "ian", **query: Any) -> Any:
        answer = self.ask(who, "GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, data: bytes, who: str = "ann", path: str = "acme/sales/1.4.0", **said: Any) -> Response:
        headers = {"Content-Type": "application/zip", "Content-Digest": digest_header(data), **said.pop("headers", {})}
        return self.ask(who, "PUT", f"/dag-packages/{path}/archive", content=data, headers=headers, **said)

    def stage(self, who: str = "ann", files: dict[str, bytes] | None = None, **changes: Any) -> Any:
        data = built(files, **changes)
        given = {"namespace": "acme", "name": "sales", "version": "1.4.0", **changes}
        answer = self.send(data, who, f"{given['namespace']}/{given['name']}/{given['version']}")
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    def step(self, who: str, step: str, path: str = "acme/sales/1.4.0", **said: Any) -> Response:
        return self.ask(who, "POST", f"/dag-packages/{path}/{step}", json=said or None)

    def publish(self, who: str = "ann", files: dict[str, bytes] | None = None, **changes: Any) -> Any:
        staged = self.stage(who, files, **changes)
        path = f"{staged['namespace']}/{staged['name']}/{staged['version']}"
        answer = self.step(who, "publish", path, digest=staged["digest"])
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rules(self, namespace: str = "acme", **rules: Any) -> None:
        answer = self.ask("root", "PUT", f"/dag-namespaces/{namespace}", json=rules)
        assert answer.status_code == 200, answer.text

    def left(self) -> list[str]:
        """Name the blobs that are kept."""
        return self.kept.names()


def digest_header(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def admit(database: Database) -> dict[str, str]:
    """Let people in; give their tokens."""
    tokens = {}
    with database.writing() as session:
        principals, service = PrincipalService(session, NOW), TokenService(session, NOW)
        for project in ("acme", "other", "third"):
            ProjectService(session, NOW).put(project, None, "test")
        for name, grants in PEOPLE.items():
            principals.put(Kind.USER, name)
            for project, role in grants.items():
                principals.grant(project, Kind.USER, name, role, "test")
            tokens[name] = service.create(name, list(Scope), None, owner=("user", name))[1]
    return tokens


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read and check the same files once for all tests: it takes a process of its own each time."""

    def read(sources: Mapping[str, bytes], paths: list[str], **bounds: float) -> tuple[FileInspection, ...]:
        key = hashlib.sha256(repr((sorted(sources.items()), paths)).encode()).hexdigest()
        if key not in _read:
            _read[key] = read_confined(sources, paths, **bounds)
        return _read[key]

    def check(files: Mapping[str, bytes], manifest: Manifest) -> tuple[Finding, ...]:
        ids = [dag.dag_id for dag in manifest.dags]
        key = hashlib.sha256(repr((sorted(files.items()), ids)).encode()).hexdigest()
        if key not in _checked:
            _checked[key] = check_files(files, manifest)
        return _checked[key]

    monkeypatch.setattr("festaf.registry_api.dag_packages.judging.read_confined", read)
    monkeypatch.setattr("festaf.registry_api.dag_packages.judging.check_files", check)


@pytest.fixture
def house_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def house(house_url: str, kept: Kept) -> Iterator[House]:
    """Give a registry with people."""
    with open_house(house_url, kept) as found:
        yield found


@contextmanager
def open_house(url: str, kept: Kept, limits: Limits = NO_LIMITS) -> Iterator[House]:
    database = with_schema(Database(url, 30))
    tokens = admit(database)
    settings = Settings(url, limits=limits, blobs=kept.place)
    with application(settings, database) as app, TestClient(app) as http:
        yield House(app, http, database, tokens, kept)
