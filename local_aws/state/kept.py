"""Groups, records and other resources in a SQLite file."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from festaf.local_aws.feature_groups.group import FeatureGroup
from festaf.local_aws.offline_store import OfflineRow
from festaf.local_aws.records.online import OnlineRecord
from festaf.local_aws.resources.resource import Resource
from festaf.local_aws.state.database import open_database
from festaf.local_aws.state.store import Kept, Written

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), ahead REAL NOT NULL);
CREATE TABLE IF NOT EXISTS feature_group (key TEXT PRIMARY KEY, gone INTEGER NOT NULL, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS online (
    feature_group TEXT NOT NULL, identifier TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (feature_group, identifier)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offline (
    number INTEGER PRIMARY KEY AUTOINCREMENT, feature_group TEXT NOT NULL, content TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS resource (
    kind TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (kind, region, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS offline_by_group ON offline (feature_group, number);
"""


class KeptStore:
    """Keeps groups and records in ``records.sqlite`` of a state directory.

    :raises StateError: the directory cannot be used
    """

    def __init__(self, directory: Path) -> None:
        self._database = open_database(directory / "records.sqlite", _TABLES)
        self._lock = threading.RLock()
        self._last = self._last_number()

    def load(self, delivered: Mapping[str, int]) -> Kept:
        """Give what an earlier run left.

        :param delivered: the last offline row of each group (by key) that is in moto's S3, as the journal kept it
        """
        with self._transaction() as database:
            for key, last in delivered.items():
                database.execute("DELETE FROM offline WHERE feature_group = ? AND number <= ?", (key, last))
            database.execute(
                "DELETE FROM feature_group WHERE gone = 1 AND key NOT IN (SELECT feature_group FROM offline)"
            )
            row = database.execute("SELECT ahead FROM clock").fetchone()
            groups = {
                key: (bool(gone), FeatureGroup.from_json(json.loads(content)))
                for key, gone, content in database.execute("SELECT key, gone, content FROM feature_group")
            }
            records = [
                (groups[key][1], identifier, OnlineRecord(*json.loads(content)))
                for key, identifier, content in database.execute(
                    "SELECT feature_group, identifier, content FROM online"
                )
            ]
            waiting: dict[str, list[OfflineRow]] = {}
            for key, content in database.execute("SELECT feature_group, content FROM offline ORDER BY number"):
                waiting.setdefault(key, []).append(OfflineRow(*json.loads(content)))
            resources = [
                Resource.from_json(json.loads(content))
                for (content,) in database.execute("SELECT content FROM resource")
            ]
        return Kept(
            ahead=row[0] if row else 0.0,
            groups=[group for gone, group in groups.values() if not gone],
            records=records,
            waiting=[(groups[key][1], rows) for key, rows in waiting.items()],
            resources=resources,
        )

    def save_ahead(self, ahead: float) -> None:
        """Keep how far the clock is ahead of real time, in seconds."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO clock VALUES (1, ?)", (ahead,))

    def save_group(self, group: FeatureGroup) -> None:
        """Keep a group as it is now."""
        with self._transaction() as database:
            content = json.dumps(group.to_json())
            database.execute("INSERT OR REPLACE INTO feature_group VALUES (?, 0, ?)", (group.key, content))

    def remove_group(self, group: FeatureGroup) -> None:
        """Forget a group and its online records; rows that wait for the offline store stay."""
        with self._transaction() as database:
            database.execute("UPDATE feature_group SET gone = 1 WHERE key = ?", (group.key,))
            database.execute("DELETE FROM online WHERE feature_group = ?", (group.key,))

    def save_resource(self, resource: Resource) -> None:
        """Keep a resource as it is now."""
        key = (resource.kind, resource.region, resource.name)
        with self._transaction() as database:
            content = json.dumps(resource.to_json())
            database.execute("INSERT OR REPLACE INTO resource VALUES (?, ?, ?, ?)", (*key, content))

    def remove_resource(self, resource: Resource) -> None:
        """Forget a resource."""
        key = (resource.kind, resource.region, resource.name)
        with self._transaction() as database:
            database.execute("DELETE FROM resource WHERE kind = ? AND region = ? AND name = ?", key)

    def write(self, changes: Sequence[Written]) -> None:
        """Keep the records of one request."""
        put: list[tuple[str, str, str]] = []
        removed: list[tuple[str, str]] = []
        rows: list[tuple[str, str]] = []
        for change in changes:
            key = change.group.key
            if change.online is not None:
                put.append((key, change.identifier, _json(change.online)))
            elif change.removed:
                removed.append((key, change.identifier))
            if change.offline is not None:
                rows.append((key, _json(change.offline)))
        with self._transaction() as database:
            database.executemany("INSERT OR REPLACE INTO online VALUES (?, ?, ?)", put)
            database.executemany("DELETE FROM online WHERE feature_group = ? AND identifier = ?", removed)
            database.executemany("INSERT INTO offline (feature_group, content) VALUES (?, ?)", rows)
            self._last += len(rows)

    def last_row(self) -> int:
        """Give the number of the last offline row."""
        return self._last

    def delivered(self, group: FeatureGroup, last: int) -> None:
        """Forget a group's rows up to this number: they are in the offline store's files."""
        with self._transaction() as database:
            database.execute("DELETE FROM offline WHERE feature_group = ? AND number <= ?", (group.key, last))

    def clear(self) -> None:
        """Forget everything but how far the clock is ahead; row numbers go on."""
        with self._transaction() as database:
            for table in ("feature_group", "online", "offline", "resource"):
                database.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _last_number(self) -> int:
        found = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'offline'").fetchone()
        return int(found[0]) if found else 0


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def _json(value: OnlineRecord | OfflineRow) -> str:
    return _encode([getattr(value, name) for name in value.__slots__])
