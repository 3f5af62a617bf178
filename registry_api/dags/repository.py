"""The SQL of DAGs, versions, code and runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from festaf.registry_api.dags.tables import (
    DagTable,
    DagVersionNumberTable,
    DagVersionTable,
    RunTable,
    SourceBlobTable,
)
from festaf.registry_api.table import natural_key
from festaf.registry_api.upsert import insert_missing

CHUNK = 400
Sighted = tuple[DagVersionTable, datetime, datetime]
"""A content of a DAG, with the first and last time that it was seen."""


class DagRepository:
    """DAGs and their versions."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def keep_code(self, blobs: Mapping[str, str]) -> None:
        """Store the texts that are not there yet."""
        rows = [{"sha256": sha256, "text": text} for sha256, text in sorted(blobs.items())]
        if rows:
            insert_missing(self.session, SourceBlobTable, rows, ["sha256"])

    def code(self, sha256: str) -> str | None:
        """Give the text of a hash."""
        return self.session.scalar(select(SourceBlobTable.text).where(SourceBlobTable.sha256 == sha256))

    def ensure(self, namespace: str, dag_id: str, at: datetime) -> DagTable:
        """Give the DAG's row, made if it is new."""
        key = natural_key(namespace, dag_id)
        row = {"key": key, "namespace": namespace, "dag_id": dag_id, "facts": {}, "first_seen": at, "last_seen": at}
        insert_missing(self.session, DagTable, [row], ["key"])
        return self.session.scalars(select(DagTable).where(DagTable.key == key)).one()

    def find(self, dag_pk: int) -> DagTable | None:
        """Give a DAG by its id."""
        return self.session.get(DagTable, dag_pk)

    def by_id(self, dag_pks: Collection[int]) -> dict[int, DagTable]:
        """Give DAGs by their ids."""
        rows = self.session.scalars(_among(DagTable.id), {"among": sorted(dag_pks)}) if dag_pks else ()
        return {row.id: row for row in rows}

    def ids_by_key(self, keys: Collection[str]) -> dict[str, int]:
        """Give the ids of DAGs by their natural keys."""
        ordered = sorted(keys)
        found: dict[str, int] = {}
        for start in range(0, len(ordered), CHUNK):
            query = select(DagTable.key, DagTable.id).where(DagTable.key.in_(ordered[start : start + CHUNK]))
            found |= {row[0]: row[1] for row in self.session.execute(query)}
        return found

    def versions_by_id(self, version_pks: Collection[int]) -> dict[int, DagVersionTable]:
        """Give versions by their ids."""
        rows = self.session.scalars(_among(DagVersionTable.id), {"among": sorted(version_pks)}) if version_pks else ()
        return {row.id: row for row in rows}

    def codes(self, hashes: Collection[str]) -> dict[str, str]:
        """Give texts of code by hash."""
        rows = self.session.connection().execute(_codes(), {"hashes": sorted(hashes)}) if hashes else ()
        return {row[0]: row[1] for row in rows}

    def ensure_version(self, row: Mapping[str, Any], at: datetime) -> None:
        """Store a version if its content is new; widen the time it was seen."""
        insert_missing(
            self.session, DagVersionTable, [{**row, "first_seen": at, "last_seen": at}], ["dag_pk", "content_sha256"]
        )
        version = self.session.scalars(
            select(DagVersionTable).where(
                DagVersionTable.dag_pk == row["dag_pk"], DagVersionTable.content_sha256 == row["content_sha256"]
            )
        ).one()
        version.first_seen, version.last_seen = min(version.first_seen, at), max(version.last_seen, at)

    def version_id(self, dag_pk: int, content: str) -> int | None:
        """Give the id of the version with this content."""
        return self.session.scalar(
            select(DagVersionTable.id).where(
                DagVersionTable.dag_pk == dag_pk, DagVersionTable.content_sha256 == content
            )
        )

    def keep_number(self, dag_pk: int, version_id: UUID, number: int) -> None:
        """Store the number of a version id; the first that was told stays, since Airflow never renumbers."""
        row = {"dag_pk": dag_pk, "version_id": version_id, "number": number}
        insert_missing(self.session, DagVersionNumberTable, [row], ["dag_pk", "version_id"])

    def number(self, dag_pk: int, version_id: UUID) -> int | None:
        """Give the number of a version id."""
        found = self.session.get(DagVersionNumberTable, (dag_pk, version_id))
        return found.number if found else None

    def version(self, version_pk: int) -> DagVersionTable | None:
        """Give a version by its id."""
        return self.session.get(DagVersionTable, version_pk)

    def sourced_versions(self, dag_pk: int, version_id: UUID) -> list[Sighted]:
        """Give the contents with a source that were seen under a version id."""
        query = select(DagVersionTable).where(
            DagVersionTable.dag_pk == dag_pk,
            DagVersionTable.version_id == version_id,
            DagVersionTable.source_sha256.is_not(None),
        )
        return [(row, row.first_seen, row.last_seen) for row in self.session.scalars(query)]

    def dags(
        self,
        namespace: str | None,
        after: tuple[str, ...] | None,
        limit: int,
        namespaces: Collection[str] | None = None,
    ) -> Sequence[DagTable]:
        """List DAGs by id and namespace.

        :param namespaces: those that may be seen; None for all
        """
        query = select(DagTable).order_by(DagTable.dag_id, DagTable.namespace).limit(limit)
        if namespace is not None:
            query = query.where(DagTable.namespace == namespace)
        if namespaces is not None:
            query = query.where(DagTable.namespace.in_(sorted(namespaces)))
        if after is not None:
            query = query.where(tuple_(DagTable.dag_id, DagTable.namespace) > tuple_(*after))
        return self.session.scalars(query).all()

    def known(self, names: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Give those of the names, by namespace and DAG id, that are DAGs."""
        keys = {natural_key(*name): name for name in names}
        found = self.session.connection().execute(_known_keys(), {"keys": sorted(keys)})
        return {keys[row[0]] for row in found}

    def named(self, dag_id: str, namespace: str | None) -> Sequence[DagTable]:
        """Give the DAGs of this id, one for each Airflow that has it."""
        query = select(DagTable).where(DagTable.dag_id == dag_id)
        return self.session.scalars(query if namespace is None else query.where(DagTable.namespace == namespace)).all()

    def versions(
        self, dag_pks: Sequence[int], before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Row[DagVersionTable, DagTable, int | None, str | None]]:
        """List contents, the newest first; not one of which another with the same version id tells more.

        The sync knows the source but not the bundle's version, which a worker knows as well. Another version of the
        bundle is another content: Airflow keeps the id while only the text changes.
        """
        other = aliased(DagVersionTable)
        same = select(other.id).where(
            other.dag_pk == DagVersionTable.dag_pk, other.version_id == DagVersionTable.version_id
        )
        sourced = same.where(
            other.source_sha256.is_not(None),
            DagVersionTable.bundle_version.is_(None) | (other.bundle_version == DagVersionTable.bundle_version),
        )
        same_source = other.source_sha256.is_not_distinct_from(DagVersionTable.source_sha256)
        pinned = same.where(same_source, other.bundle_version.is_not(None))
        query = (
            select(DagVersionTable, DagTable, DagVersionNumberTable.number, SourceBlobTable.text)
            .join(DagTable, DagTable.id == DagVersionTable.dag_pk)
            .outerjoin(
                DagVersionNumberTable,
                (DagVersionNumberTable.dag_pk == DagVersionTable.dag_pk)
                & (DagVersionNumberTable.version_id == DagVersionTable.version_id),
            )
            .outerjoin(SourceBlobTable, SourceBlobTable.sha256 == DagVersionTable.source_sha256)
            .where(DagVersionTable.dag_pk.in_(dag_pks))
            .where(DagVersionTable.source_sha256.is_not(None) | ~sourced.exists())
            .where(DagVersionTable.bundle_version.is_not(None) | ~pinned.exists())
            .order_by(DagVersionTable.first_seen.desc(), DagVersionTable.content_sha256.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(tuple_(DagVersionTable.first_seen, DagVersionTable.content_sha256) < tuple_(*before))
        return self.session.execute(query).all()


class RunRepository:
    """Runs."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, uuid: UUID) -> RunTable | None:
        """Give a run by its OpenLineage id."""
        return self.session.scalars(_by_uuid(uuid)).first()

    def by_id(self, ids: Collection[int]) -> Sequence[RunTable]:
        """Give runs by the ids of their rows."""
        return self.session.scalars(_among(RunTable.id), {"among": sorted(ids)}).all() if ids else []

    def by_uuid(self, uuids: Collection[UUID]) -> Sequence[RunTable]:
        """Give runs by their OpenLineage ids."""
        return self.session.scalars(_among(RunTable.uuid), {"among": sorted(uuids)}).all() if uuids else []

    def add(self, run: RunTable) -> RunTable:
        """Store a new run; ``run.id`` is set afterwards."""
        self.session.add(run)
        self.session.flush()
        return run


def _by_uuid(uuid: UUID) -> Select[RunTable]:
    return select(RunTable).where(RunTable.uuid == uuid)


@cache
def _among(column: InstrumentedAttribute[Any]) -> Select[Any]:
    """Build the query for rows by a column once: that takes longer than running it."""
    return select(column.class_).where(column.in_(bindparam("among", expanding=True)))


@cache
def _codes() -> Select[*tuple[Any, ...]]:
    columns = (SourceBlobTable.sha256, SourceBlobTable.text)
    return select(*columns).where(SourceBlobTable.sha256.in_(bindparam("hashes", expanding=True)))


@cache
def _known_keys() -> Select[Any]:
    return select(DagTable.key).where(DagTable.key.in_(bindparam("keys", expanding=True)))
