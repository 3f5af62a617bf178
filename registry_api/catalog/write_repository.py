"""The SQL by which the catalog is written: set-wise, in the order of keys, so that two transactions never cross."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from festaf.registry_api.bulk import change, change_rows, fetch
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
from festaf.registry_api.table import natural_key
from festaf.registry_api.upsert import insert_missing, insert_or_change

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
        query = select(NamespaceTable.key, NamespaceTable.first_seen)
        known = {row[0]: row[1] for row in fetch(self.session, query, NamespaceTable.key, keys)}
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
        query = select(table.id, table.key, table.first_seen, table.last_seen, table.stamps, *own)
        return {
            row.key: Known(*row[:5], **dict(zip(names, row[5:], strict=True)))
            for row in fetch(self.session, query.order_by(table.key).with_for_update(), table.key, keys)
        }

    def ids(self, kind: Kind, keys: Iterable[str]) -> dict[str, int]:
        """Give ids by key."""
        table = SUBJECTS[kind]
        return {row[0]: row[1] for row in fetch(self.session, select(table.key, table.id), table.key, keys)}

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
        insert_or_change(self.session, table, kept, ("subject_id", "name"), ("body",))
        gone = [(change.subject_id, change.name) for change in changes if change.body is None]
        change(self.session, delete(table), tuple_(table.subject_id, table.name), gone)

    def change_tags(self, said: Mapping[str, set[tuple[str, str]]]) -> None:
        """Replace the tags that facets gave to subjects, by key."""
        change(self.session, delete(TaggingTable).where(TaggingTable.origin == "facet"), TaggingTable.subject_key, said)
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
        query = select(JobVersionTable.job_id, JobVersionTable.uuid, JobVersionTable.id)
        uuids = {uuid for _, uuid in wanted}
        return {(row[0], row[1]): row[2] for row in fetch(self.session, query, JobVersionTable.uuid, uuids)}

    def keep_job_runs(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store which job and version runs are of."""
        insert_or_change(self.session, JobRunTable, rows, ("run_id",), ("job_id", "at", "version_id"))

    def dataset_versions(self, runs: Sequence[int]) -> dict[tuple[int, int], datetime]:
        """Give what is recorded that runs wrote: the time by dataset and run."""
        query = select(DatasetVersionTable.dataset_id, DatasetVersionTable.run_id, DatasetVersionTable.at)
        return {(row[0], row[1]): row[2] for row in fetch(self.session, query, DatasetVersionTable.run_id, runs)}

    def keep_dataset_versions(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store that runs wrote datasets."""
        insert_or_change(self.session, DatasetVersionTable, rows, ("dataset_id", "run_id"), ("at",))

    def forget_dataset_versions(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Remove what runs turned out not to have written."""
        column = tuple_(DatasetVersionTable.dataset_id, DatasetVersionTable.run_id)
        change(self.session, delete(DatasetVersionTable), column, pairs)
