"""Keep the catalog up with the events, a whole batch at once, and write nothing where nothing changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from festaf.contract.openlineage import EventType
from festaf.registry_api.catalog.saying import Body, Kind, Saying, Subject, join, sayings_of, source_of, tags_of
from festaf.registry_api.catalog.tables import Stamps
from festaf.registry_api.catalog.versions import job_content, job_version_id, written
from festaf.registry_api.catalog.write_repository import CatalogWrites, FacetChange, Known
from festaf.registry_api.lineage.recording import Batch, FoldedRun


class CatalogRecorder:
    """Derives jobs, datasets, their versions and tags from events."""

    def __init__(self, session: Session) -> None:
        self.writes = CatalogWrites(session)

    def record(self, batch: Batch) -> None:
        """Keep what a batch says."""
        sayings = sayings_of(batch.events)
        first: dict[str, Saying] = {}
        for subject, saying in sayings.items():
            known = first.get(subject.namespace)
            if known is None or saying.first < known.first:
                first[subject.namespace] = saying
        self.writes.keep_namespaces({name: saying.first for name, saying in first.items()})
        ids = self._subjects("job", sayings) | self._subjects("dataset", sayings)
        ids |= self._missing(batch.runs, ids)
        self._runs(batch.runs, ids)
        self._versions(batch, ids)

    def _subjects(self, kind: Kind, sayings: dict[Subject, Saying]) -> dict[Subject, int]:
        said = {subject.key: subject for subject in sayings if subject.kind == kind}
        if not said:
            return {}
        known = self.writes.known(kind, said)
        missing = {key: _row(said[key], sayings[said[key]]) for key in sorted(said) if key not in known}
        if missing:
            self.writes.insert(kind, list(missing.values()))
            known |= self.writes.known(kind, missing)
        updates: list[dict[str, Any]] = []
        changes: list[FacetChange] = []
        for key, subject in said.items():
            row, saying = known[key], sayings[subject]
            # A row that was missing may be another transaction's by now; if it says what ours says, it counts as ours.
            ours = key in missing and row.stamps == missing[key]["stamps"]
            joined, bodies = join({} if ours else row.stamps, saying)
            changes += [FacetChange(row.id, key, name, body) for name, body in bodies.items()]
            update = _update(kind, saying, row, joined, bodies)
            if any(value != getattr(row, name) for name, value in update.items()):
                updates.append({"which": row.id, **update})
        self.writes.update(kind, updates)
        self.writes.change_facets(kind, changes)
        self._tags(changes)
        return {subject: known[key].id for key, subject in said.items()}

    def _tags(self, changes: Sequence[FacetChange]) -> None:
        said = {change.key: tags_of(change.body) for change in changes if change.name == "tags"}
        if said:
            self.writes.change_tags(said)

    def _missing(self, runs: Sequence[FoldedRun], ids: dict[Subject, int]) -> dict[Subject, int]:
        """Find what a folded run names that no event of this batch does: an earlier event named it."""
        wanted: dict[Kind, dict[str, Subject]] = {"job": {}, "dataset": {}}
        for run in runs:
            subjects = [Subject("job", run.state.job.namespace, run.state.job.name)]
            subjects += [Subject("dataset", item.namespace, item.name) for item in run.state.outputs.values()]
            for subject in subjects:
                if subject not in ids:
                    wanted[subject.kind][subject.key] = subject
        return {said[key]: found for kind, said in wanted.items() for key, found in self.writes.ids(kind, said).items()}

    def _runs(self, runs: Sequence[FoldedRun], ids: dict[Subject, int]) -> None:
        contents: dict[int, tuple[int, Any, dict[str, Any]]] = {}
        for run in runs:
            if run.facts.state is EventType.COMPLETE:
                job = Subject("job", run.state.job.namespace, run.state.job.name)
                content = job_content(run.state)
                contents[run.id] = (ids[job], job_version_id(job, content), content.body)
        versions = self.writes.keep_job_versions(list(contents.values()))
        self.writes.keep_job_runs(
            [
                {
                    "run_id": run.id,
                    "job_id": ids[Subject("job", run.state.job.namespace, run.state.job.name)],
                    "at": run.state.last_event_at,
                    "run_uuid": run.state.run_id,
                    "version_id": versions[contents[run.id][:2]] if run.id in contents else None,
                }
                for run in sorted(runs, key=lambda run: run.id)
            ]
        )

    def _versions(self, batch: Batch, ids: dict[Subject, int]) -> None:
        stood = self.writes.dataset_versions([run.id for run in batch.runs if run.known])
        rows: list[dict[str, Any]] = []
        gone = dict(stood)
        for run in batch.runs:
            for output in written(run.state, run.facts):
                dataset_id = ids[Subject("dataset", output.namespace, output.name)]
                at = run.facts.ended_at or run.state.last_event_at
                if gone.pop((dataset_id, run.id), None) != at:
                    rows.append(
                        {
                            "dataset_id": dataset_id,
                            "run_id": run.id,
                            "run_uuid": run.state.run_id,
                            "at": at,
                            "recorded_at": batch.now,
                        }
                    )
        self.writes.forget_dataset_versions(gone)
        self.writes.keep_dataset_versions(sorted(rows, key=lambda row: (row["dataset_id"], row["run_id"])))


def _row(subject: Subject, saying: Saying) -> dict[str, Any]:
    """Make the row of a job or dataset that is new."""
    joined, changed = join({}, saying)
    row: dict[str, Any] = {
        **subject.columns,
        "first_seen": saying.first,
        "last_seen": saying.last,
        "stamps": joined,
    }
    if subject.kind == "dataset":
        row["source_name"], row["source_uri"] = source_of(changed.get("dataSource"))
    else:
        row["latest_at"], row["latest_run"] = saying.latest or (None, None)
    return row


def _update(
    kind: Kind, saying: Saying, known: Known, joined: Stamps, changed: Mapping[str, Body | None]
) -> dict[str, Any]:
    """Give what a row is to hold from now on."""
    row: dict[str, Any] = {
        "first_seen": min(saying.first, known.first_seen),
        "last_seen": max(saying.last, known.last_seen),
        "stamps": joined,
    }
    if kind == "dataset":
        said = "dataSource" in changed
        source = source_of(changed["dataSource"]) if said else (known.source_name, known.source_uri)
        row["source_name"], row["source_uri"] = source
    else:
        newest = [item for item in (known.latest, saying.latest) if item]
        row["latest_at"], row["latest_run"] = max(newest, default=(None, None))
    return row
