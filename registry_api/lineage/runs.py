"""Fold the runs that a batch of events speaks of, and keep their rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from festaf.contract.openlineage import RunEvent
from festaf.registry_api.dags.keeper import DagKeeper, SeenDag
from festaf.registry_api.dags.record_repository import DagRecordRepository
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import RunState, merge, read_state, state_of, write_state
from festaf.registry_api.lineage.projection import RunFacts, facts_of
from festaf.registry_api.lineage.recording import FoldedRun


class RunFolder:
    """Folds events into runs, each run once."""

    def __init__(self, session: Session, dags: DagKeeper) -> None:
        self.rows = DagRecordRepository(session)
        self.dags = dags

    def fold(self, events: Iterable[tuple[RunEvent, str]], seen: Iterable[SeenDag]) -> list[FoldedRun]:
        """Fold events with what is known of their runs.

        :param seen: what all events of the batch saw of DAGs
        """
        states: dict[UUID, RunState] = {}
        for event, key in events:
            state = state_of(event, key)
            earlier = states.get(state.run_id)
            states[state.run_id] = merge(earlier, state) if earlier else state
        known = self.rows.runs(states.keys())
        for run_id, row in known.items():
            states[run_id] = merge(read_state(row.folded, reading.share_facet), states[run_id])
        facts = {run_id: facts_of(state) for run_id, state in states.items()}
        self._keep_dags(facts.values(), seen)
        changes: list[dict[str, Any]] = []
        rows: list[dict[str, Any]] = []
        for run_id in sorted(states):
            columns = {**self._columns(facts[run_id]), "folded": write_state(states[run_id])}
            if run_id in known:
                changes.append({"which": known[run_id].id, **columns})
            else:
                rows.append({"uuid": run_id, **columns})
        self.rows.change_runs(sorted(changes, key=lambda change: int(change["which"])))
        ids = {row["uuid"]: number for row, number in zip(rows, self.rows.add_runs(rows), strict=True)}
        moved = {change["which"]: change["dag_pk"] for change in changes}
        return [
            FoldedRun(
                id=known[run_id].id if run_id in known else ids[run_id],
                state=states[run_id],
                facts=facts[run_id],
                known=run_id in known,
                moved=run_id in known and moved[known[run_id].id] != known[run_id].dag_pk,
            )
            for run_id in sorted(states)
        ]

    def _keep_dags(self, runs: Iterable[RunFacts], seen: Iterable[SeenDag]) -> None:
        mine = [run for run in runs if run.dag_id]
        spans: list[tuple[tuple[str, str], datetime, datetime]] = [
            ((run.namespace, run.dag_id), run.first_event_at, run.last_event_at) for run in mine if run.dag_id
        ]
        self.dags.keep(seen, spans)
        self.dags.versions_of(
            ((run.namespace, run.dag_id), run.snapshot, run.source_sha256)
            for run in mine
            if run.dag_id and run.snapshot
        )

    def _columns(self, facts: RunFacts) -> dict[str, Any]:
        dag_pk = version_pk = None
        if facts.dag_id:
            name = (facts.namespace, facts.dag_id)
            dag_pk = self.dags.ids[name]
            key = self.dags.version_key(name, facts.snapshot, facts.source_sha256) if facts.snapshot else None
            version_pk = self.dags.versions.get(key) if key else None
        version_id = facts.snapshot.dag_version_id if facts.snapshot else None
        return {
            "namespace": facts.namespace,
            "job": facts.job,
            "dag_pk": dag_pk,
            "dag_version_pk": version_pk,
            "version_id": version_id or (facts.task.dag_version_id if facts.task else None),
            "parent_uuid": facts.parent_run_id,
            "airflow_run_id": facts.airflow_run_id,
            "state": facts.state.value if facts.state else None,
            "started_at": facts.started_at,
            "ended_at": facts.ended_at,
            "last_event_at": facts.last_event_at,
        }
