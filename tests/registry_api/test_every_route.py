"""Every route of the application, also one that somebody adds tomorrow, is closed to those who may not enter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from fastapi.dependencies.utils import get_flat_dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import BaseModel

from festaf.registry_api.access.caller import Scope
from festaf.registry_api.access.limits import Limits
from festaf.registry_api.access.principals import Kind, PrincipalService
from festaf.registry_api.access.projects import ProjectService
from festaf.registry_api.access.roles import Role
from festaf.registry_api.access.service import TokenService
from festaf.registry_api.database import Database
from festaf.registry_api.main import create_app
from festaf.registry_api.schema import migrate
from festaf.registry_api.settings import Settings
from tests.registry_api.events import DAG, RICH, dag_event, feature_set, run_of, task_event, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from httpx import Response

NOW = datetime.now(UTC)
PUBLIC = {
    "GET /health",
    "GET /ready",
    "HEAD /health",
    "HEAD /ready",
    "GET /metrics",
    "GET /docs",
    "GET /docs/assets",
    "GET /api/v1/openapi.json",
    "HEAD /api/v1/openapi.json",
}
"""What answers everybody; nothing in it comes from the database's tables."""
FOR_ANYBODY_KNOWN = {"GET /api/v1/me"}
"""What answers everybody who has a token, whatever its scope."""
FOR_READERS = {
    "POST /api/v1/feature-requests",
    "PATCH /api/v1/feature-requests/{request_id}",
    "PUT /api/v1/feature-requests/{request_id}/vote",
    "DELETE /api/v1/feature-requests/{request_id}/vote",
    "POST /api/v1/feature-requests/{request_id}/comments",
    "POST /api/v1/feature-requests/{request_id}/withdraw",
}
"""What asks and votes: whoever may read may do it."""
SPOTTED = (
    *("delays", "dep_delay", "predict", "rolling mean", "mean delay", "raw/flights", "SELECT avg"),
    *("data-team", "flights_features", "scheduled__0"),
)
"""Names that stand in the hidden project only."""
VALUES = {
    "request_id": "0195f000-0000-7000-8000-000000000002",
    "run_id": str(run_of()),
    "kind": "user",
    "feature_set": "delays",
    "feature": "dep_delay",
    "dag_id": DAG,
    "dataset": "delays",
    "job": "flights_features.ingest",
    "version": "0195f000-0000-7000-8000-000000000001",
    "what": "jobs",
}
BODY = {"role": "read", "project": "nyc", "name": "x", "owner_kind": "user", "owner": "x"}


@dataclass(frozen=True)
class Entrance:
    """One method of one path."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def url(self, project: str) -> str:
        values = VALUES | {"project": project, "namespace": f"x-festaf://{project}"}
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: quote(values.get(match[1], "x"), safe=""), self.path)

    @property
    def reads(self) -> bool:
        return self.method in {"GET", "HEAD"}


def entrances(app: FastAPI) -> list[Entrance]:
    found = []
    for route in app.routes:
        methods = getattr(route, "methods", None) or {"GET"}
        found += [Entrance(method, getattr(route, "path", "")) for method in sorted(methods)]
    return [entrance for entrance in found if str(entrance) not in PUBLIC]


@dataclass
class House:
    """A registry with a project that most callers may not see."""

    app: FastAPI
    http: TestClient
    tokens: dict[str, str]

    def ask(self, entrance: Entrance, who: str | None, project: str = "nyc") -> Response:
        headers = {"Authorization": f"Bearer {self.tokens.get(who, who)}"} if who else {}
        asked = {"nodeId": f"dataset:x-festaf://{project}:delays", "namespace": "airflow", "q": "dela"}
        asked |= {"runId": VALUES["run_id"], "type": "run", "period": "DAY", "project": project}
        query = {name: value for name, value in asked.items() if name in self._wanted(entrance)}
        body: Any = [BODY] if entrance.path.endswith("/batch") else BODY
        return self.http.request(
            entrance.method, entrance.url(project), headers=headers, params=query, json=None if entrance.reads else body
        )

    def _wanted(self, entrance: Entrance) -> set[str]:
        """Name the query parameters that an entrance knows."""
        wanted: set[str] = set()
        for route in self.app.routes:
            if isinstance(route, APIRoute) and route.path == entrance.path and entrance.method in route.methods:
                for parameter in get_flat_dependant(route.dependant).query_params:
                    model = parameter.field_info.annotation
                    if isinstance(model, type) and issubclass(model, BaseModel):
                        wanted |= {field.alias or name for name, field in model.model_fields.items()}
                    else:
                        wanted.add(parameter.alias)
        return wanted


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('house') / 'registry.db'}")
    migrate(database)
    tokens: dict[str, str] = {}
    with database.writing() as session:
        service = TokenService(session, NOW)
        principals = PrincipalService(session, NOW)
        for name, scopes, expires in (
            ("reads all", [Scope.REGISTRY_READ], None),
            ("writes all", [Scope.LINEAGE_WRITE], None),
            ("revoked", [Scope.ADMIN], None),
            ("expired", [Scope.ADMIN], NOW - timedelta(seconds=1)),
        ):
            tokens[name] = service.create(name, scopes, expires)[1]
        service.revoke("revoked")
        ProjectService(session, NOW).put("mine", None, "me")
        for name, granted in (("elsewhere", True), ("ungranted", False), ("disabled", True)):
            principals.put(Kind.SERVICE, name)
            if granted:
                principals.grant("mine", Kind.SERVICE, name, Role.ADMIN, "me")
            tokens[name] = service.create(name, list(Scope), None, owner=("service", name))[1]
        principals.put(Kind.SERVICE, "disabled", disabled=True)
    app = create_app(Settings(str(database.url), limits=Limits(None, None, None, None)), database)
    with TestClient(app, raise_server_exceptions=False) as http:
        events = [
            task_event(inputs=(feature_set("raw"),), outputs=(written(RICH),)),
            dag_event(),
            task_event(minutes=20, day=1, outputs=(written(RICH),)),
        ]
        answer = http.post(
            "/api/v1/lineage/batch", json=events, headers={"Authorization": f"Bearer {tokens['writes all']}"}
        )
        assert answer.status_code == 204, answer.text
        yield House(app, http, tokens)


def told(house: House, entrance: Entrance, who: str | None, allowed: set[int], project: str = "nyc") -> list[str]:
    answer = house.ask(entrance, who, project)
    if answer.status_code in allowed:
        return []
    return [f"{entrance} as {who}: {answer.status_code} {answer.text[:200]}"]


def test_only_what_is_listed_answers_everybody(house: House) -> None:
    every = entrances(house.app)
    assert len(every) > 25
    wrong = [line for entrance in every for line in told(house, entrance, None, {401})]
    for dead in ("revoked", "expired", "disabled", "festaf_unknown", "a.b.c"):
        wrong += [line for entrance in every for line in told(house, entrance, dead, {401})]

    assert wrong == []


def test_a_scope_opens_only_what_it_names(house: House) -> None:
    wrong: list[str] = []
    for entrance in entrances(house.app):
        if str(entrance) in FOR_ANYBODY_KNOWN:
            continue
        reading = entrance.reads or str(entrance) in FOR_READERS
        wrong += told(house, entrance, "writes all" if reading else "reads all", {403})

    assert wrong == []


def test_one_who_was_granted_nothing_gets_nowhere(house: House) -> None:
    wrong = [
        line
        for entrance in entrances(house.app)
        if str(entrance) not in FOR_ANYBODY_KNOWN
        for line in told(house, entrance, "ungranted", {403})
    ]

    assert wrong == []


def test_one_of_another_project_learns_nothing_of_this_one(house: House) -> None:
    wrong: list[str] = []
    for entrance in entrances(house.app):
        there = house.ask(entrance, "elsewhere", "nyc")
        absent = house.ask(entrance, "elsewhere", "bos")
        if there.text.replace("nyc", "bos") != absent.text or there.status_code != absent.status_code:
            wrong.append(f"{entrance}: {there.status_code} {there.text[:200]} is not {absent.text[:200]}")
        if there.is_success and not entrance.reads and 'non_retriable":1' not in there.text:
            wrong.append(f"{entrance}: {there.status_code} {there.text}")
        sent = entrance.url("nyc")
        said = f"{there.text} {dict(there.headers)}".replace(sent, "")
        wrong += [
            f"{entrance} tells {name!r}: {there.text[:200]}"
            for name in SPOTTED
            if re.search(rf"\b{name}\b", said) and name not in sent
        ]

    assert wrong == []


def test_the_schema_says_of_every_route_that_it_asks_for_a_token(house: House) -> None:
    described = house.http.get("/api/v1/openapi.json").json()["paths"]
    operations = {
        f"{method.upper()} {path}": said
        for path, methods in described.items()
        for method, said in methods.items()
        if f"{method.upper()} {path}" not in PUBLIC
    }

    assert len(operations) > 25
    assert [name for name, said in operations.items() if said.get("security") != [{"HTTPBearer": []}]] == []


def test_a_route_that_forgets_to_ask_is_found(house: House) -> None:
    async def forgotten() -> str:
        return "dep_delay"

    route = APIRoute("/api/v1/forgotten", forgotten, methods=["GET"])
    house.app.router.routes.append(route)
    try:
        found = Entrance("GET", "/api/v1/forgotten")
        assert found in entrances(house.app)
        assert told(house, found, None, {401}) != []
    finally:
        house.app.router.routes.remove(route)
