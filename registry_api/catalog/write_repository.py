"""The SQL by which the catalog is written: set-wise, in the order of keys, so that two transactions never cross."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Dialect, and_, delete, or_, select, tuple_
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from festaf.registry_api.bulk import change_rows
from festaf.registry_api.catalog.saying import Body, Kind
from festaf.registry_api.catalog.tables import (
    DatasetFacetTable,
    DatasetTable,
    DatasetVersionTable,
    JobFacetTable,
    JobRunTable,
    JobTable,
    JobVersionTable,
    NamespaceTable,
    Stamps,
    TaggingTable,
)
from festaf.registry_api.prepared import STATEMENTS, Prepared, prepare
from festaf.registry_api.table import Table, natural_key
from festaf.registry_api.upsert import insert_missing

CHUNK = 400
SUBJECTS: dict[Kind, type[JobTable] | type[DatasetTable]] = {"job": JobTable, "dataset": DatasetTable}
FACETS: dict[Kind, type[JobFacetTable] | type[DatasetFacetTable]] = {
    "job": JobFacetTable,
    "dataset": DatasetFacetTable,
}


@dataclass(frozen=True)
class Known:
    """What is known of a job or dataset."""

    id: int
    key: str
    first_seen: datetime
    last_seen: datetime
    stamps: Stamps
    latest_at: datetime | None = None
    latest_run: UUID | None = None
    source_name: str = ""
    source_uri: str | None = None

    @property
    def latest(self) -> tuple[datetime, UUID] | None:
        """Give the newest event of a run."""
        return (self.latest_at, self.latest_run) if self.latest_at and self.latest_run else None


@dataclass(frozen=True)
class FacetChange:
    """A facet's body to be written, or None to be removed."""

    subject_id: int
    key: str
    name: str
    body: Body | None


class CatalogWrites:
    """Writes what events said."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def keep_namespaces(self, first: Mapping[str, datetime]) -> None:
        """Store namespaces that are new; of the others keep the earliest time."""
        keys = {natural_key(name): name for name in first}
        known: dict[str, datetime] = {}
        for part in _chunks(sorted(keys)):
            query = select(NamespaceTable.key, NamespaceTable.first_seen).where(NamespaceTable.key.in_(part))
            known |= dict(self.session.execute(query).all())
        rows = [
            {"key": key, "name": name, "first_seen": first[name]}
            for key, name in sorted(keys.items())
            if key not in known or first[name] < known[key]
        ]
        # Only what changes is sent: a row that stands would be locked by the statement and hold other writers up.
        insert_missing(self.session, NamespaceTable, rows, ["key"], earliest="first_seen")

    def known(self, kind: Kind, keys: Collection[str]) -> dict[str, Known]:
        """Give the rows of these keys, locked until the transaction ends."""
        table = SUBJECTS[kind]
        own = (
            (JobTable.latest_at, JobTable.latest_run)
            if table is JobTable
            else (DatasetTable.source_name, DatasetTable.source_uri)
        )
        names = [column.key for column in own]
        found: dict[str, Known] = {}
        for part in _chunks(sorted(keys)):
            query = (
                select(table.id, table.key, table.first_seen, table.last_seen, table.stamps, *own)
                .where(table.key.in_(part))
                .order_by(table.key)
                .with_for_update()
            )
            for row in self.session.execute(query):
                found[row.key] = Known(*row[:5], **dict(zip(names, row[5:], strict=True)))
        return found

    def ids(self, kind: Kind, keys: Iterable[str]) -> dict[str, int]:
        """Give ids by key."""
        table = SUBJECTS[kind]
        found: dict[str, int] = {}
        for part in _chunks(sorted(keys)):
            query = select(table.key, table.id).where(table.key.in_(part))
            found |= dict(self.session.execute(query).all())
        return found

    def insert(self, kind: Kind, rows: Sequence[Mapping[str, Any]]) -> int:
        """Store new jobs or datasets; give how many were not there."""
        return insert_missing(self.session, SUBJECTS[kind], rows, ["key"])

    def update(self, kind: Kind, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write jobs or datasets over by ``which``."""
        change_rows(self.session, SUBJECTS[kind], SUBJECTS[kind].id, rows)

    def change_facets(self, kind: Kind, changes: Sequence[FacetChange]) -> None:
        """Write or remove bodies of facets."""
        table = FACETS[kind]
        kept = [
            {"subject_id": change.subject_id, "name": change.name, "body": change.body}
            for change in changes
            if change.body is not None
        ]
        self._upsert(table, kept, ("subject_id", "name"), ("body",))
        gone = [(change.subject_id, change.name) for change in changes if change.body is None]
        for part in _chunks(gone):
            self.session.execute(delete(table).where(tuple_(table.subject_id, table.name).in_(part)))

    def change_tags(self, said: Mapping[str, set[tuple[str, str]]]) -> None:
        """Replace the tags that facets gave to subjects, by key."""
        for part in _chunks(sorted(said)):
            self.session.execute(
                delete(TaggingTable).where(TaggingTable.subject_key.in_(part), TaggingTable.origin == "facet")
            )
        rows = [
            {"subject_key": key, "field": column, "tag": tag, "origin": "facet"}
            for key, tags in sorted(said.items())
            for column, tag in sorted(tags)
        ]
        insert_missing(self.session, TaggingTable, rows, ["subject_key", "field", "tag", "origin"])

    def keep_job_versions(self, versions: Sequence[tuple[int, UUID, Body]]) -> dict[tuple[int, UUID], int]:
        """Store the versions that are new; give the ids by job and version."""
        wanted = {(job_id, uuid): content for job_id, uuid, content in versions}
        found = self._job_version_ids(wanted)
        missing: list[dict[str, Any]] = [
            {"job_id": job_id, "uuid": uuid, "content": wanted[job_id, uuid]}
            for job_id, uuid in sorted(wanted)
            if (job_id, uuid) not in found
        ]
        if missing:
            insert_missing(self.session, JobVersionTable, missing, ["job_id", "uuid"])
            found |= self._job_version_ids([(row["job_id"], row["uuid"]) for row in missing])
        return found

    def _job_version_ids(self, wanted: Iterable[tuple[int, UUID]]) -> dict[tuple[int, UUID], int]:
        found: dict[tuple[int, UUID], int] = {}
        for part in _chunks(sorted({uuid for _, uuid in wanted})):
            query = select(JobVersionTable.job_id, JobVersionTable.uuid, JobVersionTable.id)
            for job_id, uuid, version_id in self.session.execute(query.where(JobVersionTable.uuid.in_(part))):
                found[job_id, uuid] = version_id
        return found

    def keep_job_runs(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store which job and version runs are of."""
        self._upsert(JobRunTable, rows, ("run_id",), ("job_id", "at", "version_id"))

    def dataset_versions(self, runs: Sequence[int]) -> dict[tuple[int, int], datetime]:
        """Give what is recorded that runs wrote: the time by dataset and run."""
        found: dict[tuple[int, int], datetime] = {}
        for part in _chunks(sorted(runs)):
            query = select(DatasetVersionTable.dataset_id, DatasetVersionTable.run_id, DatasetVersionTable.at)
            for dataset_id, run_id, at in self.session.execute(query.where(DatasetVersionTable.run_id.in_(part))):
                found[dataset_id, run_id] = at
        return found

    def keep_dataset_versions(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store that runs wrote datasets."""
        self._upsert(DatasetVersionTable, rows, ("dataset_id", "run_id"), ("at",))

    def forget_dataset_versions(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Remove what runs turned out not to have written."""
        for part in _chunks(sorted(pairs)):
            self.session.execute(
                delete(DatasetVersionTable).where(
                    or_(
                        *(
                            and_(DatasetVersionTable.dataset_id == dataset_id, DatasetVersionTable.run_id == run_id)
                            for dataset_id, run_id in part
                        )
                    )
                )
            )

    def _upsert(
        self, table: type[Table], rows: Sequence[Mapping[str, Any]], unique: tuple[str, ...], changing: tuple[str, ...]
    ) -> None:
        if rows:
            connection = self.session.connection()
            _upserting(connection.dialect, table, tuple(rows[0]), unique, changing).run(connection, rows)


@lru_cache(maxsize=STATEMENTS)
def _upserting(
    dialect: Dialect, table: type[Table], names: tuple[str, ...], unique: tuple[str, ...], changing: tuple[str, ...]
) -> Prepared:
    columns = cast("SqlTable", table.__table__)
    statement = (postgresql.insert if dialect.name == "postgresql" else sqlite.insert)(columns)
    replacing = {name: statement.excluded[name] for name in changing}
    return prepare(statement.on_conflict_do_update(index_elements=unique, set_=replacing), dialect, names)


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
