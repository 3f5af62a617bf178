"""Take events: refuse what is no event, keep each once, fold it, and let every area record what it says."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session

from festaf.contract.names import sha256_of
from festaf.contract.openlineage import EVENT, DatasetEvent, JobEvent, RunEvent
from festaf.registry_api.dags.service import DagService, RunService
from festaf.registry_api.database import lock
from festaf.registry_api.errors import ServiceError, UnreadableEventError
from festaf.registry_api.features.service import FeatureService
from festaf.registry_api.graph.names import NodeName, dataset_node, feature_node, job_node, source_node
from festaf.registry_api.graph.service import GraphService
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.folding import RunState, merge, state_of
from festaf.registry_api.lineage.projection import DatasetFacets, RunFacts, edges_of, facts_of, statements_of
from festaf.registry_api.lineage.repository import EventRepository
from festaf.registry_api.table import as_utc

AnyEvent = RunEvent | JobEvent | DatasetEvent


@dataclass(frozen=True)
class Incoming:
    """An event that was read, with the key that tells it from every other and the code taken out of its facets."""

    event: AnyEvent
    key: str
    body: str
    blobs: dict[str, str]

    @property
    def run_id(self) -> UUID | None:
        """Give the run that it is about."""
        return self.event.run.run_id if isinstance(self.event, RunEvent) else None


@dataclass(frozen=True)
class Refusal:
    """An event of a batch that was not taken."""

    index: int
    reason: str
    retriable: bool


def read_event(value: Any) -> Incoming:
    """Read one event.

    :raises UnreadableEventError: it is none, or a facet of ours in it is wrong
    """
    try:
        event = EVENT.validate_python(value)
    except ValidationError as error:
        raise UnreadableEventError("the body is no OpenLineage event", reading.lines_of(error)) from error
    body = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    key = _dedupe_key(event, body)
    blobs: dict[str, str] = {}
    if not isinstance(event, DatasetEvent):
        facets, blobs = reading.detach_code(event.job.facets)
        event = event.model_copy(update={"job": event.job.model_copy(update={"facets": facets})})
    incoming = Incoming(event, key, body, blobs)
    _check_facets(event)
    return incoming


class LineageService:
    """Takes events into the registry."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.events = EventRepository(session)
        self.dags = DagService(session)
        self.runs = RunService(session)
        self.features = FeatureService(session, now)
        self.graph = GraphService(session, now)

    def take(self, value: Any) -> None:
        """Take one event; one that is known changes nothing.

        :raises UnreadableEventError: it is no event
        """
        incoming = read_event(value)
        lock(self.session, _locks([incoming]))
        self._keep(incoming)

    def take_batch(self, values: list[Any]) -> list[Refusal]:
        """Take what can be taken, each event in a savepoint; give what was not."""
        refusals: list[Refusal] = []
        readable: list[tuple[int, Incoming]] = []
        for index, value in enumerate(values):
            try:
                readable.append((index, read_event(value)))
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
        self.graph.keep_nodes(_nodes(event), event.event_time)
        self.dags.keep_code(incoming.blobs)
        if isinstance(event, RunEvent):
            self._record_run(event, incoming.key)
            return
        if isinstance(event, JobEvent):
            self._record_dag(event, incoming.key)
            inputs = [DatasetFacets(item.namespace, item.name, item.facets) for item in event.inputs]
            outputs = [DatasetFacets(item.namespace, item.name, item.facets) for item in event.outputs]
            asserter = job_node(event.job.namespace, event.job.name)
        else:
            inputs, outputs = [], [DatasetFacets(event.dataset.namespace, event.dataset.name, event.dataset.facets)]
            asserter = dataset_node(event.dataset.namespace, event.dataset.name)
        statements = [item for dataset in outputs for item in statements_of(dataset, event.event_time)]
        self.features.record(statements, [], event_id=event_id)
        edges = edges_of(asserter, inputs, outputs, stated_at=event.event_time, closing=True)
        self.graph.record(edges, event_id=event_id)

    def _record_run(self, event: RunEvent, key: str) -> None:
        known = self.runs.find(event.run.run_id)
        state = state_of(event, key)
        if known is not None:
            state = merge(RunState.model_validate_json(known.folded), state)
        facts = facts_of(state)
        self._record_dag(event, key)
        columns = self._columns(facts) | {"folded": state.model_dump_json()}
        run = self.runs.keep(known, state.run_id, columns)
        self.features.record(facts.statements, facts.writes, run_id=run.id)
        self.graph.record(facts.edges, run_id=run.id)

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


def _check_facets(event: AnyEvent) -> None:
    """Refuse the event now if a facet of ours could not be read later."""
    datasets = [event.dataset] if isinstance(event, DatasetEvent) else [*event.inputs, *event.outputs]
    if isinstance(event, RunEvent):
        reading.task_run(event.run.facets)
    if not isinstance(event, DatasetEvent):
        reading.dag_snapshot(event.job.facets)
    for dataset in datasets:
        facets = {**dataset.facets, **getattr(dataset, "output_facets", {})}
        reading.definition(facets)
        reading.write(facets)


def _dedupe_key(event: AnyEvent, body: str) -> str:
    event_type = None
    if isinstance(event, RunEvent):
        subject = ["run", str(event.run.run_id)]
        event_type = event.event_type
    elif isinstance(event, JobEvent):
        subject = ["job", event.job.namespace, event.job.name]
    else:
        subject = ["dataset", event.dataset.namespace, event.dataset.name]
    moment = as_utc(event.event_time).isoformat()
    return sha256_of(json.dumps([subject, event_type, moment, event.producer, sha256_of(body)]))


def _nodes(event: AnyEvent) -> set[NodeName]:
    """Name everything that the event names."""
    if isinstance(event, DatasetEvent):
        asserter = dataset_node(event.dataset.namespace, event.dataset.name)
        inputs, outputs = [], [DatasetFacets(event.dataset.namespace, event.dataset.name, event.dataset.facets)]
    else:
        asserter = job_node(event.job.namespace, event.job.name)
        inputs = [DatasetFacets(item.namespace, item.name, item.facets) for item in event.inputs]
        outputs = [
            DatasetFacets(item.namespace, item.name, {**item.facets, **item.output_facets})
            if isinstance(event, RunEvent)
            else DatasetFacets(item.namespace, item.name, item.facets)
            for item in event.outputs
        ]
    edges = edges_of(asserter, inputs, outputs, stated_at=event.event_time, closing=False).edges
    nodes = {end for edge in edges for end in (edge.source, edge.target)}
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
