"""The SQL by which runs and versions are read: each for many jobs, datasets or runs at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, case, column, func, literal, select, type_coerce, values
from sqlalchemy.orm import Session, aliased

from festaf.contract.openlineage import EventType
from festaf.registry_api.catalog.tables import DatasetVersionTable, JobRunTable, JobTable, JobVersionTable
from festaf.registry_api.dags.tables import RunTable, SourceBlobTable
from festaf.registry_api.table import Key, Moment
from festaf.registry_api.viewpoint import Viewpoint

CHUNK = 200
RunRow = Row[int, UUID, str | None, datetime | None, datetime | None, datetime, str | None]
"""job, run, state, start, end, last event; all that its events told if it said RUNNING without START"""
LATEST = 10
"""How many runs of a job are its latest ones."""


@dataclass(frozen=True)
class Written:
    """A run wrote a dataset."""

    dataset_id: int
    run: UUID
    at: datetime


@dataclass(frozen=True)
class Version:
    """A version of a job with when it was first run and the run that ran it last."""

    row: JobVersionTable
    first: datetime
    latest: UUID


class RunReads:
    """Reads runs, the versions of jobs that they ran and those of datasets that they wrote."""

    def __init__(self, session: Session, view: Viewpoint) -> None:
        self.session = session
        self.view = view

    def runs(self, uuids: Collection[UUID]) -> dict[UUID, RunTable]:
        """Give runs by their ids."""
        found: dict[UUID, RunTable] = {}
        ordered = sorted(uuids)
        for start in range(0, len(ordered), CHUNK):
            query = select(RunTable).where(RunTable.uuid.in_(ordered[start : start + CHUNK]))
            found |= {row.uuid: row for row in self.session.scalars(query)}
        return found

    def of_job(self, job_id: int, limit: int, offset: int) -> tuple[list[RunTable], int]:
        """Give a part of a job's runs, the newest first, and how many there are."""
        here = [JobRunTable.job_id == job_id]
        if self.view.as_of:
            here.append(JobRunTable.at <= self.view.as_of)
        query = select(RunTable).join(JobRunTable, JobRunTable.run_id == RunTable.id).where(*here)
        page = query.order_by(JobRunTable.at.desc(), JobRunTable.run_uuid.desc()).limit(limit).offset(offset)
        count = self.session.scalar(select(func.count()).select_from(JobRunTable).where(*here)) or 0
        return list(self.session.scalars(page)), count

    def latest(self, jobs: Collection[int]) -> dict[int, list[RunRow]]:
        """Give by job its latest runs, the newest first, without what their events said."""
        found: dict[int, list[RunRow]] = {job_id: [] for job_id in jobs}
        ordered = sorted(jobs)
        for start in range(0, len(ordered), CHUNK):
            for row in self.session.execute(self._latest(ordered[start : start + CHUNK])):
                if len(found[row.job_id]) < LATEST:
                    found[row.job_id].append(row)
        return found

    def _latest(
        self, jobs: Sequence[int]
    ) -> Select[int, UUID, str | None, datetime | None, datetime | None, datetime, str | None]:
        """Ask for the runs of jobs since each job's tenth newest, which the index gives at once."""
        other = aliased(JobRunTable)
        seen = [other.job_id == JobTable.id, *([other.at <= self.view.as_of] if self.view.as_of else [])]
        oldest = (
            select(other.at)
            .where(*seen)
            .order_by(other.at.desc())
            .limit(1)
            .offset(LATEST - 1)
            .correlate(JobTable)
            .scalar_subquery()
        )
        only_running = (RunTable.state == EventType.RUNNING) & RunTable.started_at.is_(None)
        since = func.coalesce(type_coerce(oldest, Moment()), literal(_EVER, Moment()))
        query = (
            select(
                JobRunTable.job_id,
                RunTable.uuid,
                RunTable.state,
                RunTable.started_at,
                RunTable.ended_at,
                RunTable.last_event_at,
                case((only_running, RunTable.folded)).label("running"),
            )
            .select_from(JobTable)
            .join(JobRunTable, (JobRunTable.job_id == JobTable.id) & (JobRunTable.at >= since))
            .join(RunTable, RunTable.id == JobRunTable.run_id)
            .where(JobTable.id.in_(jobs))
        )
        if self.view.as_of:
            query = query.where(JobRunTable.at <= self.view.as_of)
        return query.order_by(JobRunTable.job_id, JobRunTable.at.desc(), JobRunTable.run_uuid.desc())

    def job_versions_of(self, runs: Collection[int]) -> dict[int, UUID]:
        """Give by run's row the version of its job that it ran."""
        found: dict[int, UUID] = {}
        ordered = sorted(runs)
        for start in range(0, len(ordered), CHUNK):
            query = (
                select(JobRunTable.run_id, JobVersionTable.uuid)
                .join(JobVersionTable, JobVersionTable.id == JobRunTable.version_id)
                .where(JobRunTable.run_id.in_(ordered[start : start + CHUNK]))
            )
            found |= dict(self.session.execute(query).all())
        return found

    def current_versions(self, jobs: Collection[int]) -> dict[int, UUID]:
        """Give by job the version that was run last."""
        newest = (
            select(JobVersionTable.uuid)
            .join(JobRunTable, JobRunTable.version_id == JobVersionTable.id)
            .where(JobRunTable.job_id == JobTable.id, *([JobRunTable.at <= self.view.as_of] if self.view.as_of else []))
            .order_by(JobRunTable.at.desc(), JobRunTable.run_uuid.desc())
            .limit(1)
            .correlate(JobTable)
            .scalar_subquery()
        )
        found: dict[int, UUID] = {}
        ordered = sorted(jobs)
        for start in range(0, len(ordered), CHUNK):
            query = select(JobTable.id, newest).where(JobTable.id.in_(ordered[start : start + CHUNK]))
            found |= {job_id: uuid for job_id, uuid in self.session.execute(query) if uuid}
        return found

    def versions_of_job(self, job_id: int, uuid: UUID | None, limit: int, offset: int) -> tuple[list[Version], int]:
        """Give a part of a job's versions that a run ran, the newest first, and how many there are."""
        here = [JobVersionTable.job_id == job_id, *([JobVersionTable.uuid == uuid] if uuid else [])]
        if self.view.as_of:
            here.append(JobRunTable.at <= self.view.as_of)
        first, last = func.min(JobRunTable.at), func.max(JobRunTable.at)
        query = (
            select(JobVersionTable, type_coerce(first, Moment()))
            .join(JobRunTable, JobRunTable.version_id == JobVersionTable.id)
            .where(*here)
            .group_by(JobVersionTable.id)
        )
        count = self.session.scalar(select(func.count()).select_from(query.subquery())) or 0
        page = query.order_by(last.desc(), JobVersionTable.uuid).limit(limit).offset(offset)
        rows = self.session.execute(page).all()
        return [Version(row, at, self._newest_of(row.id)) for row, at in rows], count

    def _newest_of(self, version_id: int) -> UUID:
        query = select(JobRunTable.run_uuid).where(JobRunTable.version_id == version_id)
        if self.view.as_of:
            query = query.where(JobRunTable.at <= self.view.as_of)
        return self.session.scalars(query.order_by(JobRunTable.at.desc(), JobRunTable.run_uuid.desc()).limit(1)).one()

    def _written(self) -> list[Any]:
        clocks = []
        if self.view.as_of:
            clocks.append(DatasetVersionTable.at <= self.view.as_of)
        if self.view.known_at:
            clocks.append(DatasetVersionTable.recorded_at <= self.view.known_at)
        return clocks

    def versions_of_dataset(self, dataset_id: int, limit: int, offset: int) -> tuple[list[Written], int]:
        """Give a part of what runs wrote of a dataset, the newest first, and how often that was."""
        here = [DatasetVersionTable.dataset_id == dataset_id, *self._written()]
        query = select(DatasetVersionTable.dataset_id, DatasetVersionTable.run_uuid, DatasetVersionTable.at)
        page = (
            query.where(*here)
            .order_by(DatasetVersionTable.at.desc(), DatasetVersionTable.run_uuid.desc())
            .limit(limit)
            .offset(offset)
        )
        count = self.session.scalar(select(func.count()).select_from(DatasetVersionTable).where(*here)) or 0
        return [Written(*row) for row in self.session.execute(page)], count

    def wrote(self, dataset_id: int, run: UUID) -> Written | None:
        """Give what a run wrote of a dataset."""
        query = (
            select(DatasetVersionTable.dataset_id, DatasetVersionTable.run_uuid, DatasetVersionTable.at)
            .join(RunTable, RunTable.id == DatasetVersionTable.run_id)
            .where(DatasetVersionTable.dataset_id == dataset_id, RunTable.uuid == run, *self._written())
        )
        row = self.session.execute(query).first()
        return Written(*row) if row else None

    def standing(self, asked: Collection[tuple[int, datetime | None]]) -> dict[tuple[int, datetime | None], Written]:
        """Give by dataset and time which write it held then; None is the present, or the time of the view."""
        found: dict[tuple[int, datetime | None], Written] = {}
        ordered = sorted(set(asked), key=str)
        for start in range(0, len(ordered), CHUNK):
            part = ordered[start : start + CHUNK]
            rows = [
                (number, dataset_id, at or self.view.as_of or _FOREVER) for number, (dataset_id, at) in enumerate(part)
            ]
            pairs = _ASKED.data(rows).cte("asked")
            newest = (
                select(DatasetVersionTable.run_id)
                .where(
                    DatasetVersionTable.dataset_id == pairs.c.dataset_id,
                    DatasetVersionTable.at <= pairs.c.at,
                    *self._written(),
                )
                .order_by(DatasetVersionTable.at.desc(), DatasetVersionTable.run_uuid.desc())
                .limit(1)
                .correlate(pairs)
                .scalar_subquery()
            )
            query = select(pairs.c.number, DatasetVersionTable.run_uuid, DatasetVersionTable.at).join(
                DatasetVersionTable,
                (DatasetVersionTable.dataset_id == pairs.c.dataset_id) & (DatasetVersionTable.run_id == newest),
            )
            for number, run, at in self.session.execute(query):
                found[part[number]] = Written(part[number][0], run, at)
        return found

    def code(self, hashes: Collection[str]) -> dict[str, str]:
        """Give texts of code by their hashes."""
        found: dict[str, str] = {}
        ordered = sorted(hashes)
        for start in range(0, len(ordered), CHUNK):
            query = select(SourceBlobTable.sha256, SourceBlobTable.text).where(
                SourceBlobTable.sha256.in_(ordered[start : start + CHUNK])
            )
            found |= dict(self.session.execute(query).all())
        return found


_EVER = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
_FOREVER = datetime.fromisoformat("9999-12-30T00:00:00+00:00")
_ASKED = values(column("number", Key), column("dataset_id", Key), column("at", Moment()), name="asked")
