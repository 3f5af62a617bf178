"""Decide what is kept of DAGs, versions and runs, and answer for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from festaf.contract.dag import Dag, DagVersion
from festaf.contract.feature import DagVersionRef
from festaf.contract.http import Page
from festaf.contract.openlineage import DagSnapshot
from festaf.registry_api.dags.repository import DagRepository, RunRepository
from festaf.registry_api.dags.tables import DagTable, RunTable
from festaf.registry_api.errors import BadRequestError, NotFoundError
from festaf.registry_api.page import decode_cursor, encode_cursor
from festaf.registry_api.table import as_utc, content_sha256

FACTS = (
    *("owners", "tags", "description", "schedule", "next_run"),
    *("paused", "deleted", "fileloc", "last_parsed"),
)


class DagService:
    """Keeps and gives DAGs, versions and code."""

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

    def which_are_dags(self, jobs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Give those of the jobs, by namespace and name, that are DAGs; the others are tasks."""
        return self.dags.known(jobs)

    def code(self, sha256: str) -> str | None:
        """Give a text of code."""
        return self.dags.code(sha256)

    def find(self, dag_pk: int) -> DagTable | None:
        """Give a DAG by its id."""
        return self.dags.find(dag_pk)

    def list_dags(self, namespace: str | None, cursor: str | None, limit: int) -> Page[Dag]:
        """List DAGs."""
        rows = self.dags.dags(namespace, decode_cursor(cursor, 2) if cursor else None, limit + 1)
        more = encode_cursor(rows[limit - 1].dag_id, rows[limit - 1].namespace) if len(rows) > limit else None
        return Page(items=tuple(_dag(row) for row in rows[:limit]), cursor=more)

    def list_versions(self, dag_id: str, namespace: str | None, cursor: str | None, limit: int) -> Page[DagVersion]:
        """List the contents of a DAG, the newest first.

        :raises NotFoundError: no Airflow reported such a DAG
        """
        dags = self.dags.named(dag_id, namespace)
        if not dags:
            raise NotFoundError(f"no DAG {dag_id!r} is known")
        rows = self.dags.versions([dag.id for dag in dags], _version_key(cursor), limit + 1)
        items = tuple(
            DagVersion(
                namespace=dag.namespace,
                dag_id=dag.dag_id,
                id=version.version_id,
                number=number,
                bundle_name=version.bundle_name,
                bundle_version=version.bundle_version,
                path=version.path,
                source=text,
                source_sha256=version.source_sha256,
                first_seen=version.first_seen,
                last_seen=version.last_seen,
            )
            for version, dag, number, text in rows[:limit]
        )
        last = rows[limit - 1][0] if len(rows) > limit else None
        return Page(
            items=items, cursor=encode_cursor(last.first_seen.isoformat(), last.content_sha256) if last else None
        )

    def version_of(self, run: RunTable, parent: RunTable | None) -> tuple[DagVersionRef, str | None]:
        """Give the DAG version that a run ran, and the path of the DAG's file.

        A worker knows the source, the scheduler the number; a run that does not know its version id has its parent's.
        """
        version = self.dags.version(run.dag_version_pk) if run.dag_version_pk else None
        version_id = run.version_id or (parent.version_id if parent else None)
        dag_pk = run.dag_pk or (parent.dag_pk if parent else None)
        if (version is None or version.source_sha256 is None) and version_id and dag_pk:
            version = self.dags.sourced_version(dag_pk, version_id) or version
        if version is None and parent and parent.dag_version_pk:
            version = self.dags.version(parent.dag_version_pk)
        number = self.dags.number(dag_pk, version_id) if dag_pk and version_id else None
        if version is None:
            return DagVersionRef(id=version_id, number=number), None
        reference = DagVersionRef(
            id=version_id,
            number=number,
            source_sha256=version.source_sha256,
            bundle_name=version.bundle_name,
            bundle_version=version.bundle_version,
        )
        return reference, version.path


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


def said_by(snapshot: DagSnapshot) -> dict[str, Any]:
    """Give the facts that a snapshot saw, those that it knows to be none included."""
    seen = snapshot.model_dump(mode="json", include=set(FACTS))
    told = {name: value for name, value in seen.items() if value not in (None, [])}
    return told | dict.fromkeys(name for name in snapshot.without if name in FACTS)


def newest_facts(facts: dict[str, Any], said: dict[str, Any], at: datetime, event_key: str) -> dict[str, Any]:
    """Replace each fact by what was said, if it was said later."""
    stamp = [as_utc(at).isoformat(timespec="microseconds"), event_key]
    newer = {name: [*stamp, value] for name, value in said.items() if name not in facts or facts[name][:2] < stamp}
    return {**facts, **newer}


def dag_fact(dag: DagTable, name: str) -> Any:
    """Give the newest value of a fact, None when nobody said it."""
    stamped = dag.facts.get(name)
    return stamped[2] if stamped else None


def dag_owners(dag: DagTable) -> tuple[str, ...]:
    """Give the DAG's owners, the masked ones left out."""
    return tuple(owner for owner in dag_fact(dag, "owners") or () if "***" not in owner)


def dag_next_run(dag: DagTable) -> Any:
    """Give when the DAG runs next; None while it is paused, and when Airflow no longer has it."""
    return None if dag_fact(dag, "paused") or dag_fact(dag, "deleted") else dag_fact(dag, "next_run")


def _dag(row: DagTable) -> Dag:
    return Dag(
        namespace=row.namespace,
        dag_id=row.dag_id,
        owners=dag_owners(row),
        tags=tuple(dag_fact(row, "tags") or ()),
        description=dag_fact(row, "description"),
        schedule=dag_fact(row, "schedule"),
        next_run=dag_next_run(row),
        paused=dag_fact(row, "paused"),
        deleted=bool(dag_fact(row, "deleted")),
        first_seen=row.first_seen,
        last_seen=row.last_seen,
    )


def _version_key(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    moment, sha256 = decode_cursor(cursor, 2)
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError as error:
        raise BadRequestError("the cursor is not one that this list gave out") from error
    if parsed.tzinfo is None:
        raise BadRequestError("the cursor is not one that this list gave out")
    return parsed, sha256
