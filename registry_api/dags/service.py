"""Decide what is kept of DAGs, versions and runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from festaf.contract.openlineage import DagSnapshot
from festaf.registry_api.dags.repository import DagRepository, RunRepository
from festaf.registry_api.dags.tables import DagTable, RunTable
from festaf.registry_api.memo import SameMemo
from festaf.registry_api.table import as_utc, content_sha256

FACTS = (
    *("owners", "tags", "description", "schedule", "waits_for", "next_run"),
    *("paused", "deleted", "fileloc", "last_parsed"),
)

SAID: SameMemo[dict[str, Any]] = SameMemo()
"""The facts of the snapshots at hand: each is asked for several times, and the same ones come again."""
VERSIONS: SameMemo[dict[str | None, str | None]] = SameMemo()
"""The hashes of their contents, by the hash of the source."""


class DagService:
    """Keeps DAGs, versions and code."""

    def __init__(self, session: Session) -> None:
        self.dags = DagRepository(session)

    def keep_code(self, blobs: Mapping[str, str]) -> None:
        """Keep texts of code by their hash."""
        self.dags.keep_code(blobs)

    def record(
        self, namespace: str, snapshot: DagSnapshot, source_sha256: str | None, at: datetime, event_key: str
    ) -> None:
        """Keep what one event saw of a DAG."""
        dag = self.dags.ensure(namespace, snapshot.dag_id, at)
        dag.first_seen, dag.last_seen = min(dag.first_seen, at), max(dag.last_seen, at)
        dag.facts = newest_facts(dag.facts, said_by(snapshot), at, event_key)
        if snapshot.dag_version_id and snapshot.version_number is not None:
            self.dags.keep_number(dag.id, snapshot.dag_version_id, snapshot.version_number)
        content = content_of_version(snapshot, source_sha256)
        if content:
            row = {**content, "version_id": snapshot.dag_version_id, "dag_pk": dag.id}
            self.dags.ensure_version({**row, "content_sha256": content_sha256(content)}, at)

    def content_of(self, dag_pk: int, snapshot: DagSnapshot | None, source_sha256: str | None) -> int | None:
        """Give the id of the content that a snapshot saw, which ``record`` kept before; None if it saw none."""
        content = content_of_version(snapshot, source_sha256) if snapshot else None
        return self.dags.version_id(dag_pk, content_sha256(content)) if content else None

    def ensure(self, namespace: str, dag_id: str, first: datetime, last: datetime) -> int:
        """Give the id of a DAG of which a run was seen between two times."""
        dag = self.dags.ensure(namespace, dag_id, first)
        dag.first_seen, dag.last_seen = min(dag.first_seen, first), max(dag.last_seen, last)
        return dag.id

    def code(self, sha256: str) -> str | None:
        """Give a text of code."""
        return self.dags.code(sha256)

    def find(self, dag_pk: int) -> DagTable | None:
        """Give a DAG by its id."""
        return self.dags.find(dag_pk)


class RunService:
    """Keeps and gives runs."""

    def __init__(self, session: Session) -> None:
        self.runs = RunRepository(session)

    def find(self, uuid: UUID) -> RunTable | None:
        """Give a run by its OpenLineage id."""
        return self.runs.find(uuid)

    def keep(self, known: RunTable | None, uuid: UUID, columns: Mapping[str, Any]) -> RunTable:
        """Store a folded run, new or over the one that is known."""
        if known is None:
            return self.runs.add(RunTable(uuid=uuid, **columns))
        for name, value in columns.items():
            setattr(known, name, value)
        return known


def content_of_version(snapshot: DagSnapshot, source_sha256: str | None) -> dict[str, str | None] | None:
    """Give what makes a content of a DAG differ from another; None when nothing of it is known."""
    content = {
        "version_id": str(snapshot.dag_version_id) if snapshot.dag_version_id else None,
        "bundle_name": snapshot.bundle_name,
        "bundle_version": snapshot.bundle_version,
        "path": snapshot.path,
        "source_sha256": source_sha256,
    }
    return content if any(content[name] for name in ("version_id", "bundle_version", "source_sha256")) else None


def version_sha256(snapshot: DagSnapshot, source_sha256: str | None) -> str | None:
    """Hash the content that a snapshot saw; None when nothing of it is known."""
    known = VERSIONS.get(snapshot, lambda _: {})
    if source_sha256 not in known:
        content = content_of_version(snapshot, source_sha256)
        known[source_sha256] = content_sha256(content) if content else None
    return known[source_sha256]


def said_by(snapshot: DagSnapshot) -> dict[str, Any]:
    """Give the facts that a snapshot saw, those that it knows to be none included."""
    return SAID.get(snapshot, _said_by)


def _said_by(snapshot: DagSnapshot) -> dict[str, Any]:
    seen = snapshot.model_dump(mode="json", include=set(FACTS))
    told = {name: value for name, value in seen.items() if value not in (None, [])}
    return told | dict.fromkeys(name for name in snapshot.without if name in FACTS)


def newest_facts(facts: dict[str, Any], said: dict[str, Any], at: datetime, event_key: str) -> dict[str, Any]:
    """Replace each fact by what was said, if it was said later."""
    stamp = [as_utc(at).isoformat(timespec="microseconds"), event_key]
    newer = {name: [*stamp, value] for name, value in said.items() if name not in facts or facts[name][:2] < stamp}
    return {**facts, **newer}
