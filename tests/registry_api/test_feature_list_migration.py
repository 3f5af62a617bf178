"""What runs wrote by the rows of the previous release, one for each feature, is what they wrote by lists."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from festaf.registry_api.features.newest_repository import NewestRepository
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.schema import migrate, upgrade
from festaf.registry_api.viewpoint import Viewpoint
from tests.registry_api.events import at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.registry_api.database import Database

VERSIONS = {1: ("a", "a1"), 2: ("b", "b1"), 3: ("b", "b2")}
FOR_GOOD = 99
PRODUCED = [(1, 1, 1, FOR_GOOD), (1, 2, 1, 2), (1, 3, 2, FOR_GOOD), (2, 1, 4, FOR_GOOD), (2, 3, 4, FOR_GOOD)]
"""Run, content, and the minutes between which it stood."""
WRITTEN = [(1, True, 1, 3), (1, True, 3, FOR_GOOD), (2, True, 4, FOR_GOOD), (3, False, 5, FOR_GOOD)]
"""Run, whether it listed features, and the minutes between which it stood: the first said later how many rows."""
LISTED = """
SELECT w.run_id, w.recorded_at, w.superseded_at, v.sha256 FROM feature_set_write w
LEFT JOIN listed_version l ON l.feature_list_id = w.feature_list_id
LEFT JOIN feature_version v ON v.id = l.version_id ORDER BY w.run_id, w.recorded_at, v.sha256
"""


def _insert(connection: Any, table: str, row: Mapping[str, Any]) -> None:
    names = ", ".join(row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(row)})"), row)


@pytest.fixture
def older(empty_database: Database) -> Database:
    """Give a database as the previous release left it."""
    upgrade(empty_database, "0019")
    with empty_database.migrating() as connection:
        _insert(connection, "feature_set", {"id": 1, "project": "nyc", "name": "delays"})
        for number, name in enumerate(("a", "b"), 1):
            _insert(connection, "feature", {"id": number, "feature_set_id": 1, "name": name, "deleted": False})
        for number, (name, sha256) in VERSIONS.items():
            feature = {"feature_id": 1 if name == "a" else 2, "sha256": sha256, "declared": True, "content": "{}"}
            _insert(connection, "feature_version", {"id": number, **feature})
        for number in (1, 2, 3):
            run = {"uuid": uuid.UUID(int=number).hex, "namespace": "airflow", "job": "d.t", "folded": "{}"}
            _insert(connection, "run", {"id": number, "last_event_at": at(number), **run})
        for run, lists, *times in WRITTEN:
            written = {"feature_set_id": 1, "run_id": run, "ended_at": at(run), "lists_features": lists}
            _insert(connection, "feature_set_write", written | _times(*times))
        for run, version, *times in PRODUCED:
            produced = {"feature_id": 1 if version == 1 else 2, "version_id": version, "ended_at": at(run)}
            _insert(connection, "production", {"run_id": run, "declared": True, **produced, **_times(*times)})
    return empty_database


def _times(start: float, end: float) -> dict[str, Any]:
    return {"recorded_at": at(start), "superseded_at": None if end == FOR_GOOD else at(end)}


def test_what_runs_wrote_is_known_as_it_was_known_at_each_time(older: Database) -> None:
    migrate(older)

    with older.reading() as session:
        lists = session.execute(text("SELECT count(*) FROM feature_list")).scalar()
        repository = FeatureRepository(session)
        features = {1: repository.features(1, None)}
        known = {
            minute: [
                (item.saying.version.sha256 if item.saying else None, item.production.run.id if item.production else 0)
                for item in NewestRepository(session, Viewpoint(known_at=at(minute))).of_sets(features)[1]
            ]
            for minute in (0.5, 1, 2, 3, 4, 5)
        }
    assert lists == 2
    assert known == {
        0.5: [(None, 0), (None, 0)],
        1: [("a1", 1), ("b1", 1)],
        2: [("a1", 1), ("b2", 1)],
        3: [("a1", 1), ("b2", 1)],
        4: [("a1", 2), ("b2", 2)],
        5: [("a1", 3), ("b2", 3)],
    }
    with older.engine.connect() as connection:
        rows = [(run, start, end, sha) for run, start, end, sha in connection.execute(text(LISTED))]
    assert [(run, sha) for run, _, _, sha in rows] == [
        *((1, sha) for sha in ("a1", "b1", "a1", "b2", "a1", "b2")),
        *((2, sha) for sha in ("a1", "b2")),
        (3, None),
    ]
    ends = {start: end for run, start, end, _ in rows if run == 1}
    assert list(ends.values()) == [*list(ends)[1:], None]
