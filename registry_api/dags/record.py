"""Answer for one run: the folded state in the contract's words."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from festaf.contract.feature import DagVersionRef
from festaf.contract.openlineage import EventType
from festaf.contract.run import RunDataset, RunRecord
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.catalog.hiding import without_hidden
from festaf.registry_api.dags.family import Family
from festaf.registry_api.dags.seen import Seen, SeenRun
from festaf.registry_api.errors import NotFoundError
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import DatasetState, bodies
from festaf.registry_api.viewpoint import Viewpoint


def run_record(session: Session, run_id: UUID, view: Viewpoint, sight: Sight) -> RunRecord:
    """Give a run, folded from the events that count from the viewpoint.

    :raises NotFoundError: no event spoke of it, or none by then, or the caller may not see it
    """
    seen = Seen(session, view, sight)
    run = seen.run(run_id)
    if run is None or not sight.sees_namespace(run.namespace):
        raise NotFoundError(f"no run {run_id} is known")
    return _record(run, seen.version(run), Family(seen, run, sight), sight)


def _record(run: SeenRun, version: DagVersionRef, family: Family, sight: Sight) -> RunRecord:
    state = run.told
    run_facets = bodies(state.run_facets)
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
        facets=without_hidden(run_facets, sight),
        job_facets=without_hidden(bodies(state.job_facets), sight),
        inputs=_datasets(state.inputs, sight),
        outputs=_datasets(state.outputs, sight),
    )


def _datasets(datasets: dict[str, DatasetState], sight: Sight) -> tuple[RunDataset, ...]:
    return tuple(
        RunDataset(namespace=item.namespace, name=item.name, facets=without_hidden(bodies(item.facets), sight))
        for _, item in sorted(datasets.items())
        if sight.sees_namespace(item.namespace)
    )
