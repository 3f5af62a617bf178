"""DAGs, their versions and runs as they are seen from a viewpoint, many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from festaf.contract.feature import DagVersionRef
from festaf.contract.openlineage import TaskRun
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.dags.repository import DagRepository, RunRepository
from festaf.registry_api.dags.saying_repository import SayingRepository
from festaf.registry_api.dags.service import content_of_version
from festaf.registry_api.dags.tables import DagTable, DagVersionTable, RunTable
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import RunState, bodies, read_state
from festaf.registry_api.lineage.hindsight import states_at
from festaf.registry_api.lineage.projection import facts_of
from festaf.registry_api.table import content_sha256, natural_key
from festaf.registry_api.viewpoint import Viewpoint


@dataclass(frozen=True)
class SeenDag:
    """A DAG with its facts."""

    namespace: str
    dag_id: str
    first_seen: datetime
    last_seen: datetime
    facts: dict[str, Any]
    """``owners``, ``tags``, ``description``, ``schedule``, ``waits_for`` and ``next_run``, those that were said."""

    @property
    def next_run(self) -> datetime | None:
        """Give when the DAG runs next; None while it is paused, and when Airflow no longer has it."""
        found = self.facts.get("next_run")
        idle = self.facts.get("paused") or self.facts.get("deleted")
        return found if isinstance(found, datetime) and not idle else None

    @property
    def paused(self) -> bool | None:
        """Tell whether it is paused; None when no Airflow was asked."""
        found = self.facts.get("paused")
        return None if found is None else bool(found)

    @property
    def deleted(self) -> bool:
        """Tell whether Airflow no longer has it."""
        return bool(self.facts.get("deleted"))

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Give the URIs of the assets that its schedule waits for."""
        return tuple(self.facts.get("waits_for") or ())

    @property
    def owners(self) -> tuple[str, ...]:
        """Give the owners, the masked ones left out."""
        return tuple(owner for owner in self.facts.get("owners") or () if "***" not in owner)


@dataclass(frozen=True)
class SeenRun:
    """A run."""

    id: int
    uuid: UUID
    namespace: str
    job: str
    dag_pk: int | None
    dag_version_pk: int | None
    version_id: UUID | None
    parent_uuid: UUID | None
    airflow_run_id: str | None
    state: str | None
    started_at: datetime | None
    ended_at: datetime | None
    last_event_at: datetime
    folded: str | RunState

    @cached_property
    def told(self) -> RunState:
        """Give everything that its events told."""
        return read_state(self.folded) if isinstance(self.folded, str) else self.folded

    @property
    def task(self) -> TaskRun | None:
        """Give which task instance it was, when Airflow said so."""
        return reading.task_run(bodies(self.told.run_facets))


class Seen:
    """Looks at DAGs and runs."""

    def __init__(self, session: Session, view: Viewpoint, sight: Sight) -> None:
        self.view = view
        self.session = session
        self.sight = sight
        self.dags = DagRepository(session)
        self.runs = RunRepository(session)
        self.sayings = SayingRepository(session, view)
        self._number = cache((self.sayings if view.known else self.dags).number)
        self._sourced = cache((self.dags if view.now else self.sayings).sourced_versions)

    def run(self, uuid: UUID) -> SeenRun | None:
        """Give one run; at a time, what its events had said by then."""
        rows = self.runs.by_uuid([uuid])
        if not self.view.dated:
            return next(iter(self._seen(rows)), None)
        states = states_at(self.session, [row.uuid for row in rows], self.view)
        return next((self._as_known(row, states[row.uuid]) for row in rows if row.uuid in states), None)

    def runs_by_id(self, ids: Collection[int]) -> dict[int, SeenRun]:
        """Give runs by the ids of their rows."""
        return {run.id: run for run in self._seen(self.runs.by_id(ids))}

    def runs_by_uuid(self, uuids: Collection[UUID]) -> dict[UUID, SeenRun]:
        """Give runs by their OpenLineage ids; those of which nothing was known by then are left out."""
        return {run.uuid: run for run in self._seen(self.runs.by_uuid(uuids))}

    def parents(self, runs: Iterable[SeenRun]) -> dict[UUID, SeenRun]:
        """Give the runs that runs are parts of; a sender may name any, so not those that the caller may not see."""
        found = self.runs_by_uuid({run.parent_uuid for run in runs if run.parent_uuid})
        return {uuid: run for uuid, run in found.items() if self.sight.sees_namespace(run.namespace)}

    def version(self, run: SeenRun) -> DagVersionRef:
        """Give the DAG version of a run; at a time, what the run and its parent had said of it by then."""
        parent = self.run(run.parent_uuid) if run.parent_uuid else None
        parents = {parent.uuid: parent} if parent and self.sight.sees_namespace(parent.namespace) else {}
        return self.versions([run], parents)[run.id][0]

    def dag(self, dag_pk: int) -> SeenDag | None:
        """Give one DAG."""
        return self.dags_by_id([dag_pk]).get(dag_pk)

    def dags_by_id(self, dag_pks: Collection[int]) -> dict[int, SeenDag]:
        """Give DAGs by the ids of their rows; those of which nothing was said by then are left out."""
        rows = self.dags.by_id(dag_pks)
        if self.view.now:
            return {pk: _present(row) for pk, row in rows.items()}
        return self._past(rows)

    def which_are_dags(self, jobs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Give those of the jobs, by namespace and name, that are DAGs, or were by then; the others are tasks."""
        known = self.dags.known(jobs)
        if self.view.now:
            return known
        keys = {natural_key(*name): name for name in known}
        pks = self.dags.ids_by_key(keys)
        seen = self.dags_by_id(pks.values())
        return {keys[key] for key, pk in pks.items() if pk in seen}

    def versions(
        self, runs: Collection[SeenRun], parents: dict[UUID, SeenRun]
    ) -> dict[int, tuple[DagVersionRef, str | None]]:
        """Give by run the DAG version that it ran, and the path of the DAG's file.

        A worker knows the source, the scheduler the number; a run that does not know its version id has its parent's.
        """
        pairs = [(run, parents.get(run.parent_uuid) if run.parent_uuid else None) for run in runs]
        own = {item.dag_version_pk for pair in pairs for item in pair if item and item.dag_version_pk}
        rows = self.dags.versions_by_id(own)
        found: dict[int, tuple[DagVersionRef, str | None]] = {}
        for run, parent in pairs:
            version_id = run.version_id or (parent.version_id if parent else None)
            dag_pk = run.dag_pk or (parent.dag_pk if parent else None)
            saw = [rows[item.dag_version_pk] for item in (run, parent) if item and item.dag_version_pk in rows]
            version = saw[0] if saw else None
            number = proven = None
            if dag_pk and version_id:
                number = self._number(dag_pk, version_id)
                if version is None or version.source_sha256 is None:
                    bundle_version = version.bundle_version if version else None
                    proven = self._proven(dag_pk, version_id, bundle_version, run.started_at or run.last_event_at)
            found[run.id] = _reference(version_id, number, version, proven)
        return found

    def _proven(
        self, dag_pk: int, version_id: UUID, bundle_version: str | None, at: datetime
    ) -> DagVersionTable | None:
        """Give the content that a run ran which did not see the source itself, if there is no doubt.

        Airflow keeps the id of a version while it rewrites its text, so that the id alone proves nothing. In one
        version of a bundle there is one text; without that, it is the one that was seen before and after, none between.
        """
        seen = self._sourced(dag_pk, version_id)
        if bundle_version is not None:
            same = {row.source_sha256: row for row, _, _ in seen if row.bundle_version == bundle_version}
            return next(iter(same.values())) if len(same) == 1 else None
        spans: dict[str | None, tuple[datetime, datetime, DagVersionTable]] = {}
        for row, first, last in seen:
            known = spans.get(row.source_sha256, (first, last, row))
            spans[row.source_sha256] = (min(first, known[0]), max(last, known[1]), known[2])
        around = [(first, last, row) for first, last, row in spans.values() if first <= at <= last]
        if len(around) != 1:
            return None
        since, until, row = around[0]
        others = [other for first, last, other in spans.values() if first <= until and since <= last]
        return row if len(others) == 1 else None

    def _seen(self, rows: Collection[RunTable]) -> list[SeenRun]:
        if not self.view.known:
            return [_as_kept(row) for row in rows]
        states = states_at(self.session, [row.uuid for row in rows], Viewpoint(known_at=self.view.known_at))
        return [self._as_known(row, states[row.uuid]) for row in rows if row.uuid in states]

    def _as_known(self, row: RunTable, state: RunState) -> SeenRun:
        facts = facts_of(state)
        dag_pk = version_pk = None
        if facts.dag_id:
            dag_pk = self.dags.ids_by_key([key := natural_key(facts.namespace, facts.dag_id)]).get(key)
        content = content_of_version(facts.snapshot, facts.source_sha256) if facts.snapshot else None
        if dag_pk and content:
            version_pk = self.sayings.version_pks([pair := (dag_pk, content_sha256(content))]).get(pair)
        version_id = facts.snapshot.dag_version_id if facts.snapshot else None
        return SeenRun(
            id=row.id,
            uuid=row.uuid,
            namespace=facts.namespace,
            job=facts.job,
            dag_pk=dag_pk,
            dag_version_pk=version_pk,
            version_id=version_id or (facts.task.dag_version_id if facts.task else None),
            parent_uuid=facts.parent_run_id,
            airflow_run_id=facts.airflow_run_id,
            state=facts.state.value if facts.state else None,
            started_at=facts.started_at,
            ended_at=facts.ended_at,
            last_event_at=facts.last_event_at,
            folded=state,
        )

    def _past(self, rows: dict[int, DagTable]) -> dict[int, SeenDag]:
        said: dict[int, list[tuple[datetime, str, dict[str, Any], datetime]]] = defaultdict(list)
        for dag_pk, content, first, last, key in self.sayings.facts(list(rows)):
            said[dag_pk].append((last, key, content, first))
        found: dict[int, SeenDag] = {}
        for dag_pk, items in said.items():
            row = rows[dag_pk]
            found[dag_pk] = SeenDag(
                row.namespace,
                row.dag_id,
                min(item[3] for item in items),
                max(item[0] for item in items),
                self._facts(dag_pk, items),
            )
        return found

    def _facts(self, dag_pk: int, items: Iterable[tuple[datetime, str, dict[str, Any], datetime]]) -> dict[str, Any]:
        """Give of each fact what was said last; the next run is known for now only."""
        told = [(last, key, content) for last, key, content, _ in items]
        if not self.view.dated and (found := self.sayings.next_run(dag_pk)):
            told.append((*found[:2], {"next_run": found[2]}))
        facts: dict[str, Any] = {}
        for _, _, content in sorted(told, key=lambda item: item[:2]):
            facts |= content
        return facts


def _present(row: DagTable) -> SeenDag:
    facts = {name: stamped[2] for name, stamped in row.facts.items()}
    if text := facts.get("next_run"):
        facts["next_run"] = datetime.fromisoformat(text)
    return SeenDag(row.namespace, row.dag_id, row.first_seen, row.last_seen, facts)


def _as_kept(row: RunTable) -> SeenRun:
    return SeenRun(
        id=row.id,
        uuid=row.uuid,
        namespace=row.namespace,
        job=row.job,
        dag_pk=row.dag_pk,
        dag_version_pk=row.dag_version_pk,
        version_id=row.version_id,
        parent_uuid=row.parent_uuid,
        airflow_run_id=row.airflow_run_id,
        state=row.state,
        started_at=row.started_at,
        ended_at=row.ended_at,
        last_event_at=row.last_event_at,
        folded=row.folded,
    )


def _reference(
    version_id: UUID | None, number: int | None, version: DagVersionTable | None, proven: DagVersionTable | None
) -> tuple[DagVersionRef, str | None]:
    """Give what a run saw of its version, with the source that was proven, and the path of the DAG's file."""
    known = [item for item in (version, proven) if item]
    reference = DagVersionRef(
        id=version_id,
        number=number,
        source_sha256=next((item.source_sha256 for item in known if item.source_sha256), None),
        bundle_name=next((item.bundle_name for item in known if item.bundle_name), None),
        bundle_version=version.bundle_version if version else None,
    )
    return reference, next((item.path for item in known if item.path), None)
