"""Keep the DAGs, versions, code and runs that a batch of events speaks of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from festaf.contract.openlineage import DagSnapshot
from festaf.registry_api.bulk import Key
from festaf.registry_api.dags.record_repository import DagRecordRepository, widened
from festaf.registry_api.dags.service import content_of_version, newest_facts, said_by, version_sha256

DagName = tuple[str, str]
"""Namespace and DAG id."""


@dataclass(frozen=True)
class SeenDag:
    """What one event saw of a DAG."""

    namespace: str
    snapshot: DagSnapshot
    source_sha256: str | None
    at: datetime
    event_key: str

    @property
    def name(self) -> DagName:
        """Name the DAG."""
        return self.namespace, self.snapshot.dag_id


class DagKeeper:
    """Keeps DAGs and their versions."""

    def __init__(self, session: Session) -> None:
        self.rows = DagRecordRepository(session)
        self.ids: dict[DagName, int] = {}
        self.versions: dict[Key, int] = {}

    def keep_code(self, blobs: Mapping[str, str]) -> None:
        """Keep texts of code by their hash."""
        self.rows.keep_code(blobs)

    def keep(self, seen: Iterable[SeenDag], runs: Iterable[tuple[DagName, datetime, datetime]]) -> None:
        """Keep what events saw of DAGs, and between which times runs of DAGs were seen."""
        moments: dict[DagName, list[datetime]] = defaultdict(list)
        said: dict[DagName, list[SeenDag]] = defaultdict(list)
        for item in seen:
            moments[item.name].append(item.at)
            said[item.name].append(item)
        for name, first, last in runs:
            moments[name] += (first, last)
        rows = self.rows.ensure_dags({name: min(found) for name, found in moments.items()})
        self.ids = {name: row.id for name, row in rows.items()}
        changes: list[dict[str, Any]] = []
        for name, row in rows.items():
            facts = row.facts
            for item in said[name]:
                facts = newest_facts(facts, said_by(item.snapshot), item.at, item.event_key)
            first, last = widened(row, moments[name])
            if (facts, first, last) != (row.facts, row.first_seen, row.last_seen):
                changes.append({"which": row.id, "facts": facts, "first_seen": first, "last_seen": last})
        self.rows.change_dags(sorted(changes, key=lambda change: int(change["which"])))
        self._keep_versions([item for items in said.values() for item in items])

    def versions_of(self, runs: Iterable[tuple[DagName, DagSnapshot, str | None]]) -> dict[Key, int]:
        """Give the ids of the contents that snapshots saw, by DAG's id and hash."""
        keys = {key for name, snapshot, source in runs if (key := self.version_key(name, snapshot, source))}
        self.versions |= self.rows.version_ids(keys - self.versions.keys())
        return self.versions

    def version_key(self, name: DagName, snapshot: DagSnapshot, source_sha256: str | None) -> Key | None:
        """Give the DAG's id and the hash of what a snapshot saw; None if it saw no content."""
        sha256 = version_sha256(snapshot, source_sha256)
        return (self.ids[name], sha256) if sha256 else None

    def _keep_versions(self, seen: Iterable[SeenDag]) -> None:
        numbers: dict[tuple[int, UUID], int] = {}
        rows: dict[Key, dict[str, Any]] = {}
        moments: dict[Key, list[datetime]] = defaultdict(list)
        for item in seen:
            snapshot, dag_pk = item.snapshot, self.ids[item.name]
            if snapshot.dag_version_id and snapshot.version_number is not None:
                numbers.setdefault((dag_pk, snapshot.dag_version_id), snapshot.version_number)
            key = self.version_key(item.name, snapshot, item.source_sha256)
            if key and key not in rows:
                content = content_of_version(snapshot, item.source_sha256) or {}
                own = {**content, "dag_pk": dag_pk, "version_id": snapshot.dag_version_id, "content_sha256": key[1]}
                rows[key] = {**own, "first_seen": item.at, "last_seen": item.at}
            if key:
                moments[key].append(item.at)
        self.rows.keep_numbers(numbers)
        found = self.rows.ensure_versions(rows)
        self.versions = {key: row.id for key, row in found.items()}
        changes: list[dict[str, Any]] = []
        for key, row in found.items():
            first, last = widened(row, moments[key])
            if (first, last) != (row.first_seen, row.last_seen):
                changes.append({"which": row.id, "first_seen": first, "last_seen": last})
        self.rows.change_versions(sorted(changes, key=lambda change: int(change["which"])))
