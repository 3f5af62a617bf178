"""Append records to their experiments' chains, give them, compare runs, and check chains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.experiment import (
    Comparison,
    ExperimentEntry,
    ExperimentRun,
    ExperimentSummary,
    TrainingRecord,
    Verification,
)
from festaf.contract.http import Page
from festaf.contract.names import PROJECT_PATTERN, can_be_asked_for, sha256_of
from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.database import lock
from festaf.registry_api.errors import BadRequestError, NotFoundError, UnreadableEventError
from festaf.registry_api.experiments import chain
from festaf.registry_api.experiments.comparison import compare, run_of
from festaf.registry_api.experiments.repository import ExperimentRepository
from festaf.registry_api.experiments.tables import EntryTable, ExperimentTable
from festaf.registry_api.page import decode_cursor, encode_cursor


class ExperimentService:
    """Experiments."""

    def __init__(self, session: Session, sight: Sight) -> None:
        self.session = session
        self.sight = sight
        self.experiments = ExperimentRepository(session)

    def append(self, records: Iterable[TrainingRecord], now: datetime, by: str) -> list[ExperimentEntry]:
        """Append what is not in the chains yet; the same record again is no new entry."""
        grouped: dict[tuple[str, str], list[TrainingRecord]] = defaultdict(list)
        for record in records:
            grouped[record.project, record.experiment].append(record)
        lock(self.session, [f"experiment:{project}:{name}" for project, name in grouped], room=1)
        return [
            entry
            for (project, name), found in sorted(grouped.items())
            for record in found
            if (entry := self._append(project, name, record, now, by))
        ]

    def record(self, record: TrainingRecord, now: datetime, by: str) -> bool:
        """Append what somebody tells of a run; tell whether it is new.

        :raises UnreadableEventError: its names are none that can be
        """
        if wrong := wrong_names(record):
            raise UnreadableEventError("the record cannot be read", wrong)
        entries = self.append([record], now, by)
        for entry in entries:
            entity = f"{record.project}/{record.experiment}/{record.run}"
            note(self.session, "experiment.record", entity, before=entry.previous_sha256, after=entry.sha256)
        return bool(entries)

    def list_experiments(self, project: str | None, cursor: str | None, limit: int) -> Page[ExperimentSummary]:
        """List experiments by project and name."""
        rows = self.experiments.page(self.sight, project, decode_cursor(cursor, 2) if cursor else None, limit + 1)
        more = encode_cursor(rows[limit - 1].project, rows[limit - 1].name) if len(rows) > limit else None
        return Page(items=tuple(_summary(row) for row in rows[:limit]), cursor=more)

    def list_runs(self, project: str, name: str, cursor: str | None, limit: int) -> Page[ExperimentRun]:
        """List an experiment's runs, the newest first.

        :raises NotFoundError: there is no such experiment
        """
        experiment = self._require(project, name)
        found = self.experiments.runs(experiment.id, _number(cursor), limit + 1)
        runs = self._runs(experiment, [run for run, _ in found[:limit]])
        more = encode_cursor(str(found[limit - 1][1])) if len(found) > limit else None
        return Page(items=tuple(runs), cursor=more)

    def entries(self, project: str, name: str, run: str) -> tuple[ExperimentEntry, ...]:
        """Give a run's entries as they were written.

        :raises NotFoundError: there is no such run
        """
        experiment = self._require(project, name)
        rows = self.experiments.of_runs(experiment.id, [run])
        if not rows:
            raise NotFoundError(f"the experiment {project}/{name} has no run {run}")
        return tuple(_entry(row, experiment) for row in rows)

    def compare(self, project: str, name: str, runs: Sequence[str]) -> Comparison:
        """Lay runs beside each other.

        :raises NotFoundError: one of them is not known
        """
        experiment = self._require(project, name)
        return compare(project, name, self._runs(experiment, runs))

    def run(self, project: str, name: str, run: str) -> ExperimentRun:
        """Give a run.

        :raises NotFoundError: there is no such run
        """
        return self._runs(self._require(project, name), [run])[0]

    def verify(self, project: str, name: str) -> Verification:
        """Read the whole chain and tell whether it is as it was written.

        :raises NotFoundError: there is no such experiment
        """
        experiment = self._require(project, name)
        head, count = experiment.head_sha256, experiment.entries
        found = chain.fault(self.experiments.chain(experiment.id), head, count)
        return Verification(
            project=project,
            experiment=name,
            entries=count,
            whole=found is None,
            head_sha256=head,
            broken_at=found[0] if found else None,
            reason=found[1] if found else None,
        )

    def _append(
        self, project: str, name: str, record: TrainingRecord, now: datetime, by: str
    ) -> ExperimentEntry | None:
        content = chain.canonical(record)
        sha256 = sha256_of(content)
        experiment = self.experiments.find(project, name)
        if experiment is not None and self.experiments.has_content(experiment.id, sha256):
            return None
        new_run = experiment is None or not self.experiments.has_run(experiment.id, record.run)
        previous, number = (experiment.head_sha256, experiment.entries + 1) if experiment else (None, 1)
        linked = chain.link(previous, number, sha256, now, by)
        if experiment is None:
            experiment = ExperimentTable(
                project=project, name=name, entries=1, runs=1, head_sha256=linked, last_recorded=now
            )
            self.experiments.add(experiment)
        else:
            experiment.entries, experiment.head_sha256, experiment.last_recorded = number, linked, now
            experiment.runs += int(new_run)
        entry = EntryTable(
            experiment_id=experiment.id,
            number=number,
            run=record.run,
            recorded_at=now,
            recorded_by=by,
            content=content,
            content_sha256=sha256,
            previous_sha256=previous,
            sha256=linked,
        )
        self.experiments.add(entry)
        return _entry(entry, experiment)

    def _require(self, project: str, name: str) -> ExperimentTable:
        found = self.experiments.find(project, name) if self.sight.sees(project) else None
        if found is None:
            raise NotFoundError(f"no experiment {project}/{name} is known")
        return found

    def _runs(self, experiment: ExperimentTable, runs: Sequence[str]) -> list[ExperimentRun]:
        rows = self.experiments.of_runs(experiment.id, runs)
        entries: dict[str, list[EntryTable]] = defaultdict(list)
        for entry in rows:
            entries[entry.run].append(entry)
        if absent := [run for run in runs if run not in entries]:
            raise NotFoundError(f"the experiment {experiment.project}/{experiment.name} has no run {absent[0]}")
        standing = self._standing(experiment, rows)
        return [
            run_of(experiment, entries[run], whole=standing.issuperset(entry.number for entry in entries[run]))
            for run in runs
        ]

    def _standing(self, experiment: ExperimentTable, entries: Sequence[EntryTable]) -> set[int]:
        """Give the numbers of the entries that are as they were written, and where they were."""
        links = {entry.number: (entry.previous_sha256, entry.sha256) for entry in entries}
        beside = {number + step for number in links for step in (-1, 1)} - links.keys()
        links |= self.experiments.links(experiment.id, beside)
        previous = {number: own for number, (_, own) in links.items()}
        following = {number - 1: said for number, (said, _) in links.items()}
        following[experiment.entries] = experiment.head_sha256
        return {
            entry.number
            for entry in entries
            if chain.stands(entry, previous.get(entry.number - 1), following.get(entry.number))
        }


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    (text,) = decode_cursor(cursor, 1)
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadRequestError("the cursor is not one that this list gave out")
    return int(text)


def wrong_names(record: TrainingRecord) -> tuple[str, ...]:
    """Tell which names of a record are none that can be, a line for each."""
    named = {"experiment": record.experiment, "run": record.run}
    wrong = [f"{what}: {name!r} cannot be asked for" for what, name in named.items() if not can_be_asked_for(name)]
    if not PROJECT_PATTERN.fullmatch(record.project):
        wrong.insert(0, f"project: {record.project!r} is no project name")
    return tuple(wrong)


def _summary(row: ExperimentTable) -> ExperimentSummary:
    return ExperimentSummary(
        project=row.project,
        experiment=row.name,
        entries=row.entries,
        runs=row.runs,
        last_recorded=row.last_recorded,
        head_sha256=row.head_sha256,
    )


def _entry(row: EntryTable, experiment: ExperimentTable) -> ExperimentEntry:
    return ExperimentEntry(
        number=row.number,
        record=chain.read(row, experiment),
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        content_sha256=row.content_sha256,
        previous_sha256=row.previous_sha256,
        sha256=row.sha256,
    )
