"""The SQL of experiments."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import exists, func, select, tuple_
from sqlalchemy.orm import Session

from festaf.registry_api.access.sight import Sight
from festaf.registry_api.experiments.tables import EntryTable, ExperimentTable

CHUNK = 500


class ExperimentRepository:
    """Experiments and their entries."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, project: str, name: str) -> ExperimentTable | None:
        """Give an experiment."""
        query = select(ExperimentTable).where(ExperimentTable.project == project, ExperimentTable.name == name)
        return self.session.scalars(query).first()

    def page(
        self, sight: Sight, project: str | None, after: tuple[str, ...] | None, limit: int
    ) -> Sequence[ExperimentTable]:
        """List experiments by project and name."""
        key = (ExperimentTable.project, ExperimentTable.name)
        query = select(ExperimentTable).order_by(*key).limit(limit)
        if sight.projects is not None:
            query = query.where(ExperimentTable.project.in_(sorted(sight.projects)))
        if project is not None:
            query = query.where(ExperimentTable.project == project)
        if after is not None:
            query = query.where(tuple_(*key) > tuple_(*after))
        return self.session.scalars(query).all()

    def add(self, row: ExperimentTable | EntryTable) -> None:
        """Store a row."""
        self.session.add(row)
        self.session.flush()

    def has_content(self, experiment_id: int, content_sha256: str) -> bool:
        """Tell whether an entry with this content stands."""
        query = exists().where(EntryTable.experiment_id == experiment_id, EntryTable.content_sha256 == content_sha256)
        return bool(self.session.scalar(select(query)))

    def has_run(self, experiment_id: int, run: str) -> bool:
        """Tell whether an entry of this run stands."""
        query = exists().where(EntryTable.experiment_id == experiment_id, EntryTable.run == run)
        return bool(self.session.scalar(select(query)))

    def runs(self, experiment_id: int, before: int | None, limit: int) -> Sequence[tuple[str, int]]:
        """Give runs with the number of their first entry, the newest run first."""
        first = func.min(EntryTable.number)
        query = (
            select(EntryTable.run, first)
            .where(EntryTable.experiment_id == experiment_id)
            .group_by(EntryTable.run)
            .order_by(first.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.having(first < before)
        return [(run, number) for run, number in self.session.execute(query)]

    def of_runs(self, experiment_id: int, runs: Collection[str]) -> Sequence[EntryTable]:
        """Give the entries of runs in the order of the chain."""
        query = select(EntryTable).where(EntryTable.experiment_id == experiment_id, EntryTable.run.in_(sorted(runs)))
        return self.session.scalars(query.order_by(EntryTable.number)).all()

    def links(self, experiment_id: int, numbers: Collection[int]) -> dict[int, tuple[str | None, str]]:
        """Give by number which hash an entry follows, and its own."""
        ordered = sorted(numbers)
        found: dict[int, tuple[str | None, str]] = {}
        for start in range(0, len(ordered), CHUNK):
            query = select(EntryTable.number, EntryTable.previous_sha256, EntryTable.sha256).where(
                EntryTable.experiment_id == experiment_id, EntryTable.number.in_(ordered[start : start + CHUNK])
            )
            found |= {number: (previous, own) for number, previous, own in self.session.execute(query)}
        return found

    def chain(self, experiment_id: int) -> Iterator[EntryTable]:
        """Give every entry in the order of the chain, without holding all of them."""
        last = 0
        while True:
            query = (
                select(EntryTable)
                .where(EntryTable.experiment_id == experiment_id, EntryTable.number > last)
                .order_by(EntryTable.number)
                .limit(CHUNK)
            )
            rows = self.session.scalars(query).all()
            yield from rows
            if len(rows) < CHUNK:
                return
            last = rows[-1].number
            self.session.expunge_all()
