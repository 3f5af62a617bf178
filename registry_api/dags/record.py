"""Answer for one run: the folded state in the contract's words."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from festaf.contract.openlineage import EventType
from festaf.contract.run import RunDataset, RunRecord
from festaf.registry_api.dags.family import Family
from festaf.registry_api.dags.service import DagService, RunService
from festaf.registry_api.errors import NotFoundError
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import DatasetState, bodies, read_state


def run_record(session: Session, run_id: UUID) -> RunRecord:
    """Give a run.

    :raises NotFoundError: no event spoke of it
    """
    runs = RunService(session)
    run = runs.find(run_id)
    if run is None:
        raise NotFoundError(f"no run {run_id} is known")
    state = read_state(run.folded)
    parent = runs.find(run.parent_uuid) if run.parent_uuid else None
    version, _ = DagService(session).version_of(run, parent)
    run_facets = bodies(state.run_facets)
    family = Family(runs, run)
    return RunRecord(
        id=run.uuid,
        namespace=run.namespace,
        job=run.job,
        state=EventType(run.state) if run.state else None,
        started_at=run.started_at,
        ended_at=run.ended_at,
        last_event_at=run.last_event_at,
        parent_run_id=run.parent_uuid,
        parent=family.parent(),
        root=family.root(),
        task=reading.task_run(run_facets),
        dag_version=version,
        facets=run_facets,
        job_facets=bodies(state.job_facets),
        inputs=_datasets(state.inputs),
        outputs=_datasets(state.outputs),
    )


def _datasets(datasets: dict[str, DatasetState]) -> tuple[RunDataset, ...]:
    return tuple(
        RunDataset(namespace=item.namespace, name=item.name, facets=bodies(item.facets))
        for _, item in sorted(datasets.items())
    )
