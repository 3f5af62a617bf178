"""Remove old runs of which nothing is left to tell: no answer on a feature, a version or a DAG changes by it.

A run goes only if it says nothing that another, which stays, does not say as well. It named no dataset. It ended long
ago. Of its job and of the job's version there are runs before and after it, and the one before it said the same of the
job. Whatever its events said of their DAG, the event before them said the same, and was known by then. So the rows that
are derived from the events that stay are the rows that stand: a rebuild gives the same. Only when a DAG had been seen
last, as of an earlier time, is told by the runs that stay.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from festaf.contract.experiment import EXPERIMENT_FACET
from festaf.contract.openlineage import EventType, RunEvent
from festaf.registry_api.access.audit_repository import note, operator, write_notes
from festaf.registry_api.catalog.tables import JobRunTable, JobTable
from festaf.registry_api.catalog.versions import job_content
from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.database import Database, lock
from festaf.registry_api.graph.names import job_node
from festaf.registry_api.lineage.body import parse_json
from festaf.registry_api.lineage.folding import bodies, read_state
from festaf.registry_api.lineage.incoming import read_event
from festaf.registry_api.lineage.prune_repository import PruneRepository
from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.table import natural_key

CHUNK = 200
"""How many runs one transaction looks at, so that writers never wait long."""
SHOWN = 10
"""So many of a job's newest runs are shown with it, and stay however old they are."""


@dataclass(frozen=True)
class Pruned:
    """What was looked at, and what was removed or would be."""

    looked_at: int = 0
    runs: int = 0
    events: int = 0

    def __add__(self, other: Pruned) -> Pruned:
        """Add what another transaction did."""
        return Pruned(self.looked_at + other.looked_at, self.runs + other.runs, self.events + other.events)


def prune(
    database: Database,
    before: datetime,
    now: datetime,
    *,
    dry_run: bool = False,
    progress: Callable[[Pruned], None] = lambda _done: None,
) -> Pruned:
    """Remove what can go of the runs that ended before a time.

    It does so in short transactions; broken off, it can be repeated.
    """
    done, last = Pruned(), 0
    while True:
        with database.reading() if dry_run else database.writing() as session:
            runs = PruneRepository(session).runs_after(last, CHUNK)
            if not runs:
                return done
            last = runs[-1].id
            step = _Step(session, before).take(runs, dry_run=dry_run)
            if step.runs and not dry_run:
                counts = {"runs": step.runs, "events": step.events}
                note(session, "events.prune", f"runs that ended before {before.isoformat()}", counts=counts)
                write_notes(session, operator(), now)
        done += step
        progress(done)


class _Step:
    """One transaction."""

    def __init__(self, session: Session, before: datetime) -> None:
        self.session = session
        self.rows = PruneRepository(session)
        self.ended_before = before
        self.last_event = self.rows.last_event()

    def take(self, runs: Sequence[RunTable], *, dry_run: bool) -> Pruned:
        """Remove those of the runs that can go."""
        old = [run for run in runs if self._is_old(run)]
        if not dry_run and old:
            lock(self.session, self._locks(old))
            self.session.expunge_all()
            old = [run for run in self.rows.runs({run.id for run in old}) if self._is_old(run)]
        holding = self.rows.holding([run.id for run in old])
        parents = self.rows.parents([run.uuid for run in old])
        free = [run for run in old if run.id not in holding and run.uuid not in parents]
        events, jobs = self.rows.events_of([run.uuid for run in free]), self.rows.job_runs([run.id for run in free])
        gone = [run for run in free if run.id in jobs and self._says_nothing_new(run, events[run.uuid], *jobs[run.id])]
        ids = [event.id for run in gone for event in events[run.uuid]]
        if not dry_run:
            self.rows.remove(gone, ids)
        return Pruned(len(runs), len(gone), len(ids))

    def _is_old(self, run: RunTable) -> bool:
        return run.state is not None and EventType(run.state).terminal and run.last_event_at < self.ended_before

    def _locks(self, runs: Collection[RunTable]) -> set[str]:
        """Name what must not change meanwhile, as those name it who take events."""
        names: set[str] = set()
        for run in runs:
            names |= {f"run:{run.uuid}", f"job:{job_node(run.namespace, run.job).key}"}
            if run.dag_pk is not None:
                names.add(f"dag:{run.namespace}:{self.rows.dag(run.dag_pk).dag_id}")
        return names

    def _says_nothing_new(self, run: RunTable, events: Sequence[EventTable], own: JobRunTable, job: JobTable) -> bool:
        return (
            bool(events)
            and max(event.id for event in events) < self.last_event
            and self._names_no_data(run, events)
            and self._is_inside_job(run, events, own, job)
            and self._is_inside_dag(run, events)
        )

    def _names_no_data(self, run: RunTable, events: Sequence[EventTable]) -> bool:
        """Tell that no event named a dataset, edges or a training, nor code that the run did not run in the end."""
        code = set(job_content(read_state(run.folded)).code)
        for row in events:
            incoming = read_event(parse_json(zlib.decompress(row.body)))
            event = incoming.event
            if not isinstance(event, RunEvent) or event.inputs or event.outputs or "lineage" in event.job.facets:
                return False
            if EXPERIMENT_FACET in event.run.facets or not incoming.blobs.keys() <= code:
                return False
            if (event.job.namespace, event.job.name) != (run.namespace, run.job):
                return False
        return True

    def _is_inside_job(self, run: RunTable, events: Sequence[EventTable], own: JobRunTable, job: JobTable) -> bool:
        """Tell that runs of the same job and version came before and after it, and that no facet stands by it."""
        before, following = self.rows.before(own), self.rows.following(own, SHOWN)
        if before is None or len(following) < SHOWN:
            return False
        if own.version_id is not None and not own.version_id == before.version_id == following[0].version_id:
            return False
        if _shown_of_job(run) != _shown_of_job(self.rows.run(before.run_id)):
            return False
        first, last = _span(events)
        node = self.rows.node_seen(job_node(run.namespace, run.job).key)
        namespace = self.rows.namespace_seen(natural_key(run.namespace))
        keys = {event.dedupe_key for event in events}
        return (
            (node is None or node < first)
            and (namespace is None or namespace < first)
            and job.first_seen < first
            and job.last_seen > last
            and job.latest_run != run.uuid
            and not any(stamp[1] in keys for stamp in job.stamps.values())
        )

    def _is_inside_dag(self, run: RunTable, events: Sequence[EventTable]) -> bool:
        """Tell that each event repeats what the one before it said of the DAG, which was known by then."""
        sayings = self.rows.sayings([event.id for event in events])
        first, last = _span(events)
        keys = {event.dedupe_key for event in events}
        of_run = {run.dag_pk} if run.dag_pk is not None else set()
        for dag in [self.rows.dag(dag_pk) for dag_pk in {pk for _, _, pk in sayings} | of_run]:
            stands = any(fact[1] in keys for fact in dag.facts.values())
            if stands or not dag.first_seen < first <= last < dag.last_seen:
                return False
        for said, key, dag_pk in sayings:
            earlier = self.rows.said_before(said, key, dag_pk)
            if earlier is None or earlier.recorded_at > said.recorded_at:
                return False
            what = [(one.facts_pk, one.version_pk, one.number, one.next_run) for one in (earlier, said)]
            if what[0] != what[1]:
                return False
        for version_pk in {said.version_pk for said, _, _ in sayings if said.version_pk is not None}:
            version = self.rows.version(version_pk)
            if not version.first_seen < first <= last < version.last_seen:
                return False
        return True


def _shown_of_job(run: RunTable) -> dict[str, dict[str, Any]]:
    """Give the facets that its job has, as of the time when no later run of it had begun."""
    return bodies(read_state(run.folded).job_facets)


def _span(events: Sequence[EventTable]) -> tuple[datetime, datetime]:
    times = [event.event_time for event in events]
    return min(times), max(times)
