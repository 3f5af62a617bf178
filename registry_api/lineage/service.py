"""Take events: refuse what is no event, keep each once, fold it, and let every area record what it says."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session

from festaf.contract.openlineage import DatasetEvent, JobEvent, RunEvent
from festaf.registry_api.dags.service import DagService, RunService
from festaf.registry_api.database import lock
from festaf.registry_api.errors import ServiceError, UnreadableEventError
from festaf.registry_api.graph.names import NodeName, dataset_node, feature_node, job_node, source_node
from festaf.registry_api.graph.service import GraphService
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.edges import DatasetFacets, edges_of
from festaf.registry_api.lineage.folding import LINEAGE_FACET, merge, read_state, state_of, write_state
from festaf.registry_api.lineage.incoming import Incoming, read_event
from festaf.registry_api.lineage.projection import RunFacts, facts_of, facts_of_event
from festaf.registry_api.lineage.recorders import recorders
from festaf.registry_api.lineage.recording import AnyEvent, Batch, FoldedRun, NewEvent
from festaf.registry_api.lineage.repository import EventRepository


@dataclass(frozen=True)
class Refusal:
    """An event of a batch that was not taken."""

    index: int
    reason: str
    retriable: bool


Permit = Callable[[AnyEvent], None]
"""Lets an event pass, or refuses it with a ServiceError that says why."""


def permit_any(_event: AnyEvent) -> None:
    """Let every event pass."""


class LineageService:
    """Takes events into the registry."""

    def __init__(self, session: Session, now: datetime, permit: Permit = permit_any) -> None:
        self.session = session
        self.now = now
        self.permit = permit
        self.events = EventRepository(session)
        self.dags = DagService(session)
        self.runs = RunService(session)
        self.graph = GraphService(session, now)
        self.recorders = recorders(session)
        self.kept: list[int] = []
        """The events that were new, by id."""

    def take(self, value: Any) -> None:
        """Take one event; one that is known changes nothing.

        :raises UnreadableEventError: it is no event
        :raises ServiceError: it is not permitted
        """
        incoming = self._read(value)
        lock(self.session, _locks([incoming]))
        self._keep(incoming)

    def take_batch(self, values: list[Any]) -> list[Refusal]:
        """Take what can be taken, each event in a savepoint; give what was not."""
        refusals: list[Refusal] = []
        readable: list[tuple[int, Incoming]] = []
        for index, value in enumerate(values):
            try:
                readable.append((index, self._read(value)))
            except ServiceError as error:
                refusals.append(Refusal(index, "; ".join((error.detail, *error.errors)), retriable=False))
        lock(self.session, _locks(incoming for _, incoming in readable))
        for index, incoming in readable:
            try:
                with self.session.begin_nested():
                    self._keep(incoming)
            except UnreadableEventError as error:
                refusals.append(Refusal(index, error.detail, retriable=False))
            except OperationalError as error:
                if error.connection_invalidated:
                    raise
                refusals.append(Refusal(index, "the database could not take it now", retriable=True))
        return sorted(refusals, key=lambda refusal: refusal.index)

    def _read(self, value: Any) -> Incoming:
        incoming = read_event(value)
        self.permit(incoming.event)
        return incoming

    def _keep(self, incoming: Incoming) -> None:
        try:
            event_id = self.events.add(self._row(incoming))
            if event_id is not None:
                self._record(incoming, event_id)
        except (DataError, OverflowError) as error:
            raise UnreadableEventError("the event holds a value that is out of range") from error

    def _row(self, incoming: Incoming) -> dict[str, Any]:
        event = incoming.event
        event_type = event.event_type if isinstance(event, RunEvent) else None
        return {
            "dedupe_key": incoming.key,
            "kind": "run" if isinstance(event, RunEvent) else "job" if isinstance(event, JobEvent) else "dataset",
            "run_uuid": incoming.run_id,
            "event_type": event_type.value if event_type else None,
            "event_time": event.event_time,
            "received_at": self.now,
            "body": zlib.compress(incoming.body.encode()),
        }

    def _record(self, incoming: Incoming, event_id: int) -> None:
        event = incoming.event
        self.kept.append(event_id)
        self.graph.keep_nodes(_nodes(event), event.event_time)
        self.dags.keep_code(incoming.blobs)
        if not isinstance(event, DatasetEvent):
            self._record_dag(event, incoming.key)
        runs = [self._fold(event, incoming.key)] if isinstance(event, RunEvent) else []
        facts = None if isinstance(event, RunEvent) else facts_of_event(event)
        batch = Batch(self.now, [NewEvent(event_id, incoming.key, event, facts)], runs)
        for recorder in self.recorders:
            recorder.record(batch)

    def _fold(self, event: RunEvent, key: str) -> FoldedRun:
        known = self.runs.find(event.run.run_id)
        state = state_of(event, key)
        if known is not None:
            state = merge(read_state(known.folded), state)
        facts = facts_of(state)
        run = self.runs.keep(known, state.run_id, self._columns(facts) | {"folded": write_state(state)})
        return FoldedRun(run.id, state, facts, known is not None)

    def _record_dag(self, event: RunEvent | JobEvent, key: str) -> None:
        found = reading.dag_snapshot(event.job.facets)
        if found:
            self.dags.record(event.job.namespace, *found, event.event_time, key)

    def _columns(self, facts: RunFacts) -> dict[str, Any]:
        dag_pk = (
            self.dags.ensure(facts.namespace, facts.dag_id, facts.first_event_at, facts.last_event_at)
            if facts.dag_id
            else None
        )
        version_pk = self.dags.content_of(dag_pk, facts.snapshot, facts.source_sha256) if dag_pk else None
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


def _nodes(event: AnyEvent) -> set[NodeName]:
    """Name everything that the event names."""
    explicit: list[dict[str, Any]] = []
    if isinstance(event, DatasetEvent):
        asserter = dataset_node(event.dataset.namespace, event.dataset.name)
        inputs, outputs = [], [DatasetFacets(event.dataset.namespace, event.dataset.name, event.dataset.facets)]
    else:
        asserter = job_node(event.job.namespace, event.job.name)
        explicit = [body for name, body in event.job.facets.items() if name == LINEAGE_FACET]
        inputs = [DatasetFacets(item.namespace, item.name, item.facets) for item in event.inputs]
        outputs = [
            DatasetFacets(item.namespace, item.name, {**item.facets, **item.output_facets})
            if isinstance(event, RunEvent)
            else DatasetFacets(item.namespace, item.name, item.facets)
            for item in event.outputs
        ]
    statements = edges_of(asserter, inputs, outputs, explicit, stated_at=event.event_time, closing=False)
    nodes = {end for said in statements for edge in said.edges for end in (edge.source, edge.target)}
    return nodes | {asserter} | {node for output in outputs for node in _feature_nodes(output)}


def _feature_nodes(dataset: DatasetFacets) -> set[NodeName]:
    nodes: set[NodeName] = set()
    for said in (reading.definition(dataset.facets), reading.write(dataset.facets)):
        if said:
            for feature in said.features:
                nodes.add(feature_node(said.project, said.feature_set, feature.name))
                nodes |= {source_node(uri) for uri in feature.sources}
    if dataset_node(dataset.namespace, dataset.name).kind == "feature_set":
        fields = reading.schema_fields(dataset.facets) or {}
        nodes |= {dataset_node(dataset.namespace, dataset.name, name) for name in fields}
    return nodes


def _locks(events: Iterable[Incoming]) -> set[str]:
    """Name what the events change, so that two transactions never change it at once."""
    names: set[str] = set()
    for incoming in events:
        names |= {f"{node.kind}:{node.key}" for node in _nodes(incoming.event) if node.kind in {"job", "feature_set"}}
        if incoming.run_id:
            names.add(f"run:{incoming.run_id}")
        event = incoming.event
        found = None if isinstance(event, DatasetEvent) else reading.dag_snapshot(event.job.facets)
        if found and not isinstance(event, DatasetEvent):
            names.add(f"dag:{event.job.namespace}:{found[0].dag_id}")
    return names
