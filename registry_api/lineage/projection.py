"""Read out of a folded run, or of an event without a run, what the other areas are to record. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from festaf.contract.openlineage import DagSnapshot, DatasetEvent, EventType, JobEvent, TaskRun
from festaf.registry_api.features.facts import (
    FeatureContent,
    SetStatement,
    SetWrite,
    StatementKind,
    called_features,
    declared_features,
    observed_features,
)
from festaf.registry_api.graph.names import EdgeStatement, dataset_node, feature_set_name, job_node
from festaf.registry_api.lineage import airflow_facets, reading
from festaf.registry_api.lineage.edges import DatasetFacets, edges_of
from festaf.registry_api.lineage.folding import LINEAGE_FACET, DatasetState, FacetState, RunState, Stamp, bodies
from festaf.registry_api.shared import made_of

Facets = Mapping[str, dict[str, Any]]
FAILED = frozenset({EventType.FAIL, EventType.ABORT})
EXACT = frozenset({LINEAGE_FACET, "columnLineage"})
"""The facets of an output that say what it is made from."""


@dataclass(frozen=True)
class RunFacts:
    """A folded run as the tables keep it."""

    run_id: UUID
    namespace: str
    job: str
    state: EventType | None
    started_at: datetime | None
    ended_at: datetime | None
    first_event_at: datetime
    last_event_at: datetime
    parent_run_id: UUID | None
    dag_id: str | None
    snapshot: DagSnapshot | None
    source_sha256: str | None
    task: TaskRun | None
    statements: tuple[SetStatement, ...]
    writes: tuple[SetWrite, ...]
    edges: tuple[EdgeStatement, ...]
    """One statement for each origin."""

    @property
    def dag_namespace(self) -> str | None:
        """Give the Airflow of the DAG: a DAG stands in the namespace of its runs."""
        return self.namespace if self.dag_id else None

    @property
    def airflow_run_id(self) -> str | None:
        """Give Airflow's DAG run id."""
        return self.task.run_id if self.task else None


@dataclass(frozen=True)
class EventFacts:
    """What an event without a run says."""

    statements: tuple[SetStatement, ...]
    edges: tuple[EdgeStatement, ...]


def facts_of_event(event: JobEvent | DatasetEvent) -> EventFacts:
    """Read an event without a run."""
    explicit: list[Mapping[str, Any]] = []
    if isinstance(event, JobEvent):
        explicit = [body for name, body in event.job.facets.items() if name == LINEAGE_FACET]
        inputs = [DatasetFacets(item.namespace, item.name, item.facets) for item in event.inputs]
        outputs = [DatasetFacets(item.namespace, item.name, item.facets) for item in event.outputs]
        asserter = job_node(event.job.namespace, event.job.name)
    else:
        inputs, outputs = [], [DatasetFacets(event.dataset.namespace, event.dataset.name, event.dataset.facets)]
        asserter = dataset_node(event.dataset.namespace, event.dataset.name)
    statements = [item for dataset in outputs for item in statements_of(dataset, event.event_time)]
    edges = edges_of(asserter, inputs, outputs, explicit, stated_at=event.event_time, closing=True)
    return EventFacts(tuple(statements), edges)


def facts_of(state: RunState) -> RunFacts:
    """Read a folded run."""
    run_facets, job_facets = bodies(state.run_facets), bodies(state.job_facets)
    task = reading.task_run(run_facets)
    found = reading.dag_snapshot(job_facets, run_facets)
    snapshot, source = found or (None, None)
    event_type = state.state.event_type if state.state else None
    ended = _ended(state, task)
    since = _snapshot_since(state, job_facets)
    inputs, outputs = _stand(state.inputs.values(), since), _stand(state.outputs.values(), since)
    statements, writes = _outcome(outputs, event_type, ended or state.last_event_at)
    mapped = task.run_id if task and task.map_index >= 0 else None
    made, explicit = outputs, _explicit(state, since)
    if event_type in FAILED:
        made, explicit = _as_failed(outputs, explicit)
    edges = edges_of(
        job_node(state.job.namespace, state.job.name),
        inputs,
        made,
        explicit,
        stated_at=ended or state.last_event_at,
        closing=event_type is EventType.COMPLETE,
        last_run=task.run_id if task else str(state.run_id),
        mapped_in=mapped,
    )
    parent = reading.parent_run(run_facets)
    return RunFacts(
        run_id=state.run_id,
        namespace=state.job.namespace,
        job=state.job.name,
        state=event_type,
        started_at=(task.started_at if task else None) or state.started_at,
        ended_at=ended,
        first_event_at=state.first_event_at,
        last_event_at=state.last_event_at,
        parent_run_id=parent,
        dag_id=_dag_id(task, snapshot, run_facets, state.job.name),
        snapshot=snapshot,
        source_sha256=source,
        task=task,
        statements=tuple(statements),
        writes=tuple({(item.project, item.feature_set): item for item in writes}.values()),
        edges=edges,
    )


def statements_of(dataset: DatasetFacets, said_at: datetime) -> list[SetStatement]:
    """Read what is said of a feature set outside a run; nothing for another dataset."""
    statements = _declared(dataset, said_at) + _called(dataset, said_at)
    name = feature_set_name(dataset.namespace, dataset.name)
    if name:
        features = () if statements else _fields(dataset) or ()
        statements += _observed(name, dataset, said_at, features)
    return statements


def _ended(state: RunState, task: TaskRun | None) -> datetime | None:
    if state.state is None or not state.state.event_type.terminal:
        return None
    return (task.ended_at if task else None) or state.state.stamp.at


def _snapshot_since(state: RunState, job_facets: Facets) -> Stamp | None:
    """Give the last event that named datasets, if each event of the run stands for itself; None if events add up."""
    if not reading.emits_snapshots(job_facets):
        return None
    named = [item.named for datasets in (state.inputs, state.outputs) for item in datasets.values() if item.named]
    return max(named, key=lambda stamp: (stamp.at, stamp.event), default=None)


def _stand(datasets: Iterable[DatasetState], since: Stamp | None) -> list[DatasetFacets]:
    ordered = sorted(datasets, key=lambda item: (item.namespace, item.name))
    if since is None:
        return [DatasetFacets(item.namespace, item.name, bodies(item.facets)) for item in ordered]
    return [
        DatasetFacets(item.namespace, item.name, bodies(_fresh(item.facets, since)))
        for item in ordered
        if item.named == since
    ]


def _fresh(facets: FacetState, since: Stamp) -> FacetState:
    """Leave out what an older snapshot said of lineage."""
    return {name: facet for name, facet in facets.items() if name not in EXACT or not since.later_than(facet.stamp)}


def _explicit(state: RunState, since: Stamp | None) -> Sequence[Mapping[str, Any]]:
    """Give the bodies of the job's lineage facet that were not taken back, or replaced by a newer snapshot."""
    deleted = [facet.stamp for facet in state.explicit.values() if facet.body.get("_deleted") is True]
    bounds = [*deleted, *([since] if since else [])]
    return [
        facet.body
        for _, facet in sorted(state.explicit.items())
        if facet.body.get("_deleted") is not True and not any(bound.later_than(facet.stamp) for bound in bounds)
    ]


def _as_failed(
    outputs: Sequence[DatasetFacets], explicit: Sequence[Mapping[str, Any]]
) -> tuple[list[DatasetFacets], Sequence[Mapping[str, Any]]]:
    """Leave out how a run that failed meant to make its outputs, but for those of which it says that it wrote rows."""
    wrote = [_has_rows(output) for output in outputs]
    left = [
        output
        if kept
        else replace(output, facets={key: body for key, body in output.facets.items() if key not in EXACT})
        for output, kept in zip(outputs, wrote, strict=True)
    ]
    return left, explicit if any(wrote) else ()


def _has_rows(output: DatasetFacets) -> bool:
    write = reading.write(output.facets)
    return bool(reading.row_count(output.facets) if write is None else write.rows_accepted)


def _dag_id(task: TaskRun | None, snapshot: DagSnapshot | None, run_facets: Facets, job: str) -> str | None:
    """Name the DAG: ours say it; else the root's or parent's job is the DAG when the job is ``<name>.<task>``."""
    if task or snapshot:
        return task.dag_id if task else snapshot.dag_id if snapshot else None
    return airflow_facets.dag_of_child(run_facets, job)


def _outcome(
    outputs: Iterable[DatasetFacets], event_type: EventType | None, ended: datetime
) -> tuple[list[SetStatement], list[SetWrite]]:
    """Read what a run did to feature sets: nothing before its end; after a failure only what it says it wrote."""
    statements: list[SetStatement] = []
    writes: list[SetWrite] = []
    if event_type is None or not event_type.terminal:
        return statements, writes
    complete = event_type is EventType.COMPLETE
    for output in outputs:
        name = feature_set_name(output.namespace, output.name)
        declared = _declared(output, ended)
        written = _written(output, ended)
        if complete:
            statements += declared
            statements += _observed(name, output, ended) if name else []
        if isinstance(written, SetWrite):
            writes.append(written)
        elif written and complete:
            statements.append(written)
        elif name and complete and not declared and not written:
            writes.append(_plain_write(name, output, ended))
    return statements, writes


def _declared(dataset: DatasetFacets, said_at: datetime) -> list[SetStatement]:
    definition = reading.definition(dataset.facets)
    if definition is None:
        return []
    kind: StatementKind = "retired" if definition.deleted else "declared"
    content = definition.model_dump(mode="json", exclude={"features", "kind", "deleted", "project", "feature_set"})
    features = () if definition.deleted else declared_features(definition.features)
    return [SetStatement(definition.project, definition.feature_set, kind, said_at, content, features)]


def _called(dataset: DatasetFacets, said_at: datetime) -> list[SetStatement]:
    """Read what was declared by a call: of the set as a whole, of features in it, or of both."""
    said = reading.declaration(dataset.facets)
    if said is None:
        return []
    statements: list[SetStatement] = []
    by = {"declared_by": said.declared_by} if said.declared_by else {}
    if said.about:
        kind: StatementKind = "retired" if said.about.deleted else "described"
        content = said.about.model_dump(mode="json", exclude={"deleted"}) | by
        statements.append(SetStatement(said.project, said.feature_set, kind, said_at, content))
    if said.features:
        features = called_features(said.features)
        statements.append(SetStatement(said.project, said.feature_set, "mentioned", said_at, by, features))
    return statements


def _observed(
    name: tuple[str, str], dataset: DatasetFacets, said_at: datetime, features: tuple[FeatureContent, ...] = ()
) -> list[SetStatement]:
    owners, text = reading.owners(dataset.facets), reading.description(dataset.facets)
    if not owners and not text and not features:
        return []
    content = {"owner": ", ".join(owners) or None, "description": text}
    return [SetStatement(*name, "observed", said_at, content, features)]


def _written(dataset: DatasetFacets, ended: datetime) -> SetWrite | SetStatement | None:
    """Read our write facet; one that accepted no row made no values, but what it declares is declared."""
    write = reading.write(dataset.facets)
    if write is None:
        return None
    features: tuple[FeatureContent, ...] | None = declared_features(write.features)
    if not features:
        features = _fields(dataset)
    if write.rows_accepted == 0:
        return SetStatement(write.project, write.feature_set, "mentioned", ended, {}, features or ())
    return SetWrite(
        project=write.project,
        feature_set=write.feature_set,
        ended_at=ended,
        features=features,
        rows_read=write.rows_read,
        rows_accepted=write.rows_accepted,
        rows_rejected=write.rows_rejected,
        last_event_time=write.last_event_time,
    )


def _plain_write(name: tuple[str, str], dataset: DatasetFacets, ended: datetime) -> SetWrite:
    rows = reading.row_count(dataset.facets)
    return SetWrite(*name, ended, _fields(dataset), rows, rows, None if rows is None else 0)


def _fields(dataset: DatasetFacets) -> tuple[FeatureContent, ...] | None:
    """Read the fields of the schema facet as features; None when it names none."""
    return made_of(dataset.facets.get("schema"), _features_of)


def _features_of(schema: Any) -> tuple[FeatureContent, ...] | None:
    fields = reading.schema_fields({"schema": schema}) if schema else None
    return observed_features(fields) if fields else None
