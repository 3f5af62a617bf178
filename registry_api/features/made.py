"""The runs that made values, with the DAG version that each ran: many at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from festaf.contract.feature import DagVersionRef, Origin, Rows, RunRef
from festaf.contract.names import DatasetName
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.changes import dag_subject, follow, run_subject
from festaf.registry_api.dags.seen import Seen, SeenDag, SeenRun
from festaf.registry_api.features.repository import FeatureRepository
from festaf.registry_api.features.tables import WriteTable
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import bodies
from festaf.registry_api.viewpoint import Viewpoint

ASSET_TRIGGERED = "asset_triggered"
"""Airflow's type of a DAG run that assets made."""
RunAndSet = tuple[int, int]
"""The ids of a run's row and of a feature set."""


@dataclass(frozen=True)
class Made:
    """A run that made values, with what it stands in."""

    run: SeenRun
    parent: SeenRun | None
    write: WriteTable
    dag: SeenDag | None
    version: DagVersionRef
    path: str | None
    triggers: tuple[str, ...] = ()
    """The URIs of the assets that made the DAG run."""

    @property
    def origin(self) -> Origin:
        """Say who knows the run."""
        return "airflow" if self.run.task else "lineage"

    def reference(self) -> RunRef:
        """Give the run in the contract's words."""
        run, task, write = self.run, self.run.task, self.write
        start, end = reading.nominal_time(bodies(run.told.run_facets))
        dag_id = task.dag_id if task else self.dag.dag_id if self.dag else run.job
        rows = None
        if write.rows_accepted is not None:
            rows = Rows(read=write.rows_read or 0, accepted=write.rows_accepted, rejected=write.rows_rejected or 0)
        return RunRef(
            namespace=run.namespace,
            dag_id=dag_id,
            dag_version=self.version,
            run_id=task.run_id if task else str(run.uuid),
            task_id=task.task_id if task else run.job.removeprefix(f"{dag_id}."),
            map_index=task.map_index if task else -1,
            try_number=task.try_number if task else 1,
            operator=task.operator if task else None,
            run_type=task.run_type if task else None,
            triggered_by=self.triggers,
            logical_date=task.logical_date if task else None,
            data_interval_start=start,
            data_interval_end=end,
            state=_terminal(run.state),
            started_at=run.started_at,
            ended_at=write.ended_at,
            openlineage_run_id=run.uuid,
            rows=rows,
        )


class Makers:
    """Finds the runs that made values."""

    def __init__(self, session: Session, view: Viewpoint, sight: Sight) -> None:
        self.session = session
        self.view = view
        self.sight = sight
        self.features = FeatureRepository(session)
        self.seen = Seen(session, view, sight)

    def find(self, pairs: Iterable[RunAndSet]) -> dict[RunAndSet, Made]:
        """Give by run and feature set what is known of the run."""
        wanted = set(pairs)
        if not wanted:
            return {}
        writes = self.features.writes(wanted, self.view)
        runs = self.seen.runs_by_id({run_id for run_id, _ in writes})
        parents = self.seen.parents(runs.values())
        versions = self.seen.versions(list(runs.values()), parents)
        pairs_of = {run.id: (run, parents.get(run.parent_uuid) if run.parent_uuid else None) for run in runs.values()}
        dags = self.seen.dags_by_id({pk for pair in pairs_of.values() if (pk := _dag_pk(*pair))})
        follow(self.session, (dag_subject(dag.namespace, dag.dag_id) for dag in dags.values()))
        for run in runs.values():
            follow(self.session, map(run_subject, filter(None, (run.uuid, run.parent_uuid))))
        found: dict[RunAndSet, Made] = {}
        for (run_id, set_id), write in writes.items():
            if run_id in pairs_of:
                run, parent = pairs_of[run_id]
                dag_pk = _dag_pk(run, parent)
                dag = dags.get(dag_pk) if dag_pk else None
                found[run_id, set_id] = Made(run, parent, write, dag, *versions[run_id], self._triggers(run, parent))
        return found

    def _triggers(self, run: SeenRun, dag_run: SeenRun | None) -> tuple[str, ...]:
        """Give the assets that made a DAG run: the sync tells them as what the DAG run itself read."""
        task = run.task
        if dag_run is None or task is None or task.run_type != ASSET_TRIGGERED:
            return ()
        read = [DatasetName(item.namespace, item.name) for item in dag_run.told.inputs.values()]
        return tuple(sorted(name.uri for name in read if self.sight.sees_namespace(name.namespace)))


def _dag_pk(run: SeenRun, parent: SeenRun | None) -> int | None:
    return run.dag_pk or (parent.dag_pk if parent else None)


def _terminal(state: str | None) -> Literal["COMPLETE", "FAIL", "ABORT"]:
    """Read the state of a run that wrote: it ended in one of three."""
    return "FAIL" if state == "FAIL" else "ABORT" if state == "ABORT" else "COMPLETE"
