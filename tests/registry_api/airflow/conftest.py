"""A registry, an Airflow whose faults are chosen, and the sync between them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from festaf.contract.airflow import AirflowSettings
from festaf.registry_api.airflow.client import Pace
from festaf.registry_api.airflow.cycle import Cycle, deployment_of
from festaf.registry_api.airflow.figures import Figures
from festaf.registry_api.airflow.login import Login
from festaf.registry_api.airflow.service import AirflowService
from tests.registry_api.airflow.deployment import FakeAirflow, serving
from tests.registry_api.conftest import Registry, open_registry
from tests.registry_api.contents import PRODUCTIONS
from tests.registry_api.events import NAMESPACE, at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from festaf.registry_api.airflow.errors import AirflowError

PACE = Pace(pause=0, first_delay=0.001, timeout=2, tries=3)


@dataclass
class Sync:
    """The sync of one deployment, run by hand."""

    registry: Registry
    airflow: FakeAirflow
    pace: Pace = PACE
    minutes: float = 601
    figures: Figures = field(default_factory=Figures)
    login: Login = field(default_factory=Login)
    waited: list[float] = field(default_factory=list)
    stopping: Event = field(default_factory=Event)

    def clock(self) -> datetime:
        return at(self.minutes)

    def run(self, minutes: float | None = None, **pace: Any) -> AirflowError | None:
        """Run a cycle, two minutes after the last."""
        self.minutes = minutes if minutes is not None else self.minutes + 2
        self.figures = Figures()
        with self.registry.database.reading() as session:
            deployment = deployment_of(AirflowService(session, self.clock()).require("prod"))
        return Cycle(
            self.registry.database,
            deployment,
            self.figures,
            self._wait,
            self.login,
            pace=replace(self.pace, **pace),
            clock=self.clock,
        ).run()

    def _wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return self.stopping.is_set()

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.registry.get("/airflows/prod")["state"]
        return found

    def log_in_with_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the deployment log in with a user and a password."""
        monkeypatch.setenv("FESTAF_AIRFLOW_PASSWORD", self.airflow.password)
        settings = AirflowSettings(
            base_url=self.airflow.url, namespace=NAMESPACE, username="registry", secret="env:FESTAF_AIRFLOW_PASSWORD"
        )
        answer = self.registry.http.put("/api/v1/airflows/prod", json=settings.model_dump(mode="json"))
        assert answer.status_code == 200, answer.text

    def productions(self) -> int:
        """Count the productions that stand."""
        with self.registry.database.engine.connect() as connection:
            return int(connection.exec_driver_sql(PRODUCTIONS).scalar_one())


@pytest.fixture
def airflow() -> Iterator[FakeAirflow]:
    with serving() as airflow:
        airflow.add_dag()
        yield airflow


@pytest.fixture
def sync(registry: Registry, airflow: FakeAirflow, monkeypatch: pytest.MonkeyPatch) -> Sync:
    return _added(registry, airflow, monkeypatch)


@pytest.fixture
def sqlite_sync(sqlite_url: str, airflow: FakeAirflow, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sync]:
    """Give the sync on SQLite only: for what does not depend on the database."""
    with open_registry(sqlite_url) as registry:
        yield _added(registry, airflow, monkeypatch)


def _added(registry: Registry, airflow: FakeAirflow, monkeypatch: pytest.MonkeyPatch) -> Sync:
    monkeypatch.setenv("FESTAF_AIRFLOW_TOKEN", airflow.token)
    settings = AirflowSettings(base_url=airflow.url, namespace=NAMESPACE, secret="env:FESTAF_AIRFLOW_TOKEN")
    answer = registry.http.put("/api/v1/airflows/prod", json=settings.model_dump(mode="json"))
    assert answer.status_code == 201, answer.text
    return Sync(registry, airflow)


@pytest.fixture
def plain_registry(sqlite_url: str) -> Iterator[Registry]:
    """Give a registry on SQLite."""
    with open_registry(sqlite_url) as registry:
        yield registry
