"""Several writers at once, a locked database, a database that goes away."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import func, select

from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.features.tables import FeatureListTable, FeatureVersionTable, ListedVersionTable, WriteTable
from festaf.registry_api.lineage.tables import EventTable
from tests.registry_api.conftest import open_registry
from tests.registry_api.events import RICH, dag_event, dataset, task_event, written

if TYPE_CHECKING:
    from pathlib import Path

    from festaf.registry_api.table import Table
    from tests.registry_api.conftest import Registry


def _count(registry: Registry, table: type[Table]) -> int:
    with registry.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def _post_at_once(registry: Registry, events: list[dict[str, Any]]) -> list[int]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda event: registry.http.post("/api/v1/lineage", json=event).status_code, events))


def test_the_same_event_at_once_is_one_fact(registry: Registry) -> None:
    event = task_event(outputs=(written(RICH),))

    assert set(_post_at_once(registry, [event] * 12)) == {201}

    once = (EventTable, RunTable, WriteTable, FeatureListTable, ListedVersionTable, FeatureVersionTable)
    assert {_count(registry, table) for table in once} == {1}


def test_different_events_at_once_are_all_taken(registry: Registry) -> None:
    events = [
        event
        for day in range(6)
        for event in (
            task_event("START", 5, day=day),
            task_event(day=day, inputs=(dataset("b"), dataset("a")), outputs=(written(RICH),)),
            dag_event(day=day),
        )
    ]

    assert set(_post_at_once(registry, events)) == {201}

    assert _count(registry, EventTable) == 18
    assert _count(registry, WriteTable) == 6
    assert _count(registry, ListedVersionTable) == 1
    assert _count(registry, FeatureVersionTable) == 1
    assert registry.feature()["run"]["run_id"] == "scheduled__5"


def test_a_locked_database_is_a_503_that_says_when_to_come_back(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with open_registry(f"sqlite:///{path}", busy_timeout=0.1) as registry:
        event = task_event(outputs=(written(RICH),))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        refused = registry.http.post("/api/v1/lineage", json=event)
        batch = registry.http.post("/api/v1/lineage/batch", json=[event])
        read = registry.ask("/features")
        other.execute("ROLLBACK")
        other.close()

        assert (refused.status_code, batch.status_code, read.status_code) == (503, 503, 200)
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["content-type"] == "application/problem+json"
        registry.post(event)


def test_a_database_that_is_away_is_a_503_until_it_is_back(postgres_server: str, postgres_url: str) -> None:
    with open_registry(postgres_url) as registry:
        registry.post(task_event(outputs=(written(RICH),)))
        name = postgres_url.rpartition("?")[0].rpartition("/")[2]
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            answers = [
                registry.ask("/features/nyc/delays/dep_delay"),
                registry.http.get("/ready"),
                registry.http.post("/api/v1/lineage", json=task_event(day=1)),
            ]
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

        assert [answer.status_code for answer in answers] == [503, 503, 503]
        assert registry.http.get("/health").status_code == 200
        assert registry.feature()["who"]["owner"] == "ann"
