"""Take events: refuse what is no event, keep each once, fold it, and let every area record what it says."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from festaf.contract.openlineage import DatasetEvent, JobEvent, RunEvent
from festaf.registry_api.changes import concern, concern_anything
from festaf.registry_api.dags.keeper import DagKeeper, SeenDag
from festaf.registry_api.database import lock
from festaf.registry_api.errors import ServiceError, UnreadableEventError
from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.graph.service import GraphService
from festaf.registry_api.lineage import reading
from festaf.registry_api.lineage.body import parse_json
from festaf.registry_api.lineage.concerned import concerned
from festaf.registry_api.lineage.incoming import Incoming, read_event
from festaf.registry_api.lineage.nodes import Nodes, locks_of, nodes_of
from festaf.registry_api.lineage.projection import facts_of_event
from festaf.registry_api.lineage.recorders import recorders
from festaf.registry_api.lineage.recording import AnyEvent, Batch, NewEvent
from festaf.registry_api.lineage.repository import EventRepository
from festaf.registry_api.lineage.runs import RunFolder
from festaf.registry_api.memory import recall
from festaf.registry_api.operations.tracing import span

Permit = Callable[[AnyEvent], None]
"""Lets an event pass, or refuses it with a ServiceError that says why."""
BROKEN = (DataError, IntegrityError, OverflowError)
"""What a database says of a value that it cannot keep."""


def permit_any(_event: AnyEvent) -> None:
    """Let every event pass."""


@dataclass(frozen=True)
class Refusal:
    """An event of a batch that was not taken."""

    index: int
    reason: str
    retriable: bool


@dataclass(frozen=True)
class Named:
    """An event with the nodes that it names."""

    incoming: Incoming
    nodes: Nodes


class LineageService:
    """Takes events into the registry."""

    def __init__(self, session: Session, now: datetime, permit: Permit = permit_any) -> None:
        self.session = session
        self.now = now
        self.permit = permit
        self.events = EventRepository(session)
        self.graph = GraphService(session)
        self.recorders = recorders(session)
        self.kept: list[int] = []
        """The events that were new, by id."""

    @property
    def kept_ids(self) -> str:
        """Name the range of the events that were new."""
        return f"events {min(self.kept)} to {max(self.kept)}" if self.kept else "no new event"

    def take(self, value: Any) -> None:
        """Take one event; one that is known changes nothing.

        :raises UnreadableEventError: it is no event
        :raises ServiceError: it is not permitted
        """
        named = self._read(value)
        self._lock([named])
        try:
            self._keep([named])
        except BROKEN as error:
            raise UnreadableEventError("the event holds a value that is out of range") from error

    def take_batch(self, values: Sequence[Any]) -> list[Refusal]:
        """Take what can be taken; give what was not: each event is read by itself.

        All events are kept together. Only if the database refuses that, each is tried by itself, so that one that
        cannot be kept does not keep out the others.
        """
        refusals: list[Refusal] = []
        readable: list[tuple[int, Named]] = []
        for index in range(len(values)):
            try:
                readable.append((index, self._read(values[index])))
            except ServiceError as error:
                refusals.append(Refusal(index, "; ".join((error.detail, *error.errors)), retriable=False))
        self._lock(named for _, named in readable)
        try:
            with self.session.begin_nested():
                self._keep([named for _, named in readable])
        except BROKEN:
            recall(self.session).forget()
            refusals += self._keep_one_by_one(readable)
        return sorted(refusals, key=lambda refusal: refusal.index)

    def _read(self, value: Any) -> Named:
        incoming = read_event(value)
        self.permit(incoming.event)
        return Named(incoming, nodes_of(incoming.event))

    def _lock(self, events: Iterable[Named]) -> None:
        names: set[str] = set()
        for named in events:
            names |= locks_of(named.incoming, named.nodes)
        with span("events.lock"):
            lock(self.session, names)

    def _keep_one_by_one(self, events: Iterable[tuple[int, Named]]) -> list[Refusal]:
        refusals: list[Refusal] = []
        for index, named in events:
            try:
                with self.session.begin_nested():
                    self._keep([named])
            except BROKEN:
                recall(self.session).forget()
                reason = "the event holds a value that is out of range"
                refusals.append(Refusal(index, reason, retriable=False))
            except OperationalError as error:
                if error.connection_invalidated:
                    raise
                recall(self.session).forget()
                refusals.append(Refusal(index, "the database could not take it now", retriable=True))
        return refusals

    def _keep(self, events: Sequence[Named]) -> None:
        """Keep events that were not known, and record what they say."""
        now = self._now()
        by_key = {named.incoming.key: named for named in events}
        with span("events.keep"):
            ids = self.events.add([_row(named.incoming, now) for named in by_key.values()])
        fresh = [(ids[key], by_key[key]) for key in sorted(ids, key=ids.__getitem__)]
        if fresh:
            with span("events.record"):
                self._record(fresh, now)
            self.kept += [number for number, _ in fresh]

    def replay(self, events: Sequence[tuple[int, bytes]]) -> None:
        """Record again what stored events say, by id and body, as if they had just arrived."""
        stored = [(number, read_event(parse_json(body))) for number, body in events]
        self._record([(number, Named(incoming, nodes_of(incoming.event))) for number, incoming in stored], self.now)

    def _record(self, fresh: Sequence[tuple[int, Named]], now: datetime) -> None:
        """Fold the runs of new events, and let every area record what they say."""
        self._keep_nodes(named for _, named in fresh)
        dags = DagKeeper(self.session)
        dags.keep_code({sha256: text for _, named in fresh for sha256, text in named.incoming.blobs.items()})
        runs = RunFolder(self.session, dags)
        told = [(named.incoming.event, named.incoming.key) for _, named in fresh]
        with span("runs.fold"):
            folded = runs.fold([(event, key) for event, key in told if isinstance(event, RunEvent)], _seen(told))
        batch = Batch(now, [_new_event(number, named.incoming) for number, named in fresh], folded)
        for recorder in self.recorders:
            with span(type(recorder).__name__):
                recorder.record(batch)
        self._name_subjects((node for _, named in fresh for node in named.nodes.names), batch)

    def _name_subjects(self, nodes: Iterable[NodeName], batch: Batch) -> None:
        subjects = concerned(nodes, batch)
        if subjects is None:
            concern_anything(self.session)
        else:
            concern(self.session, subjects)

    def _now(self) -> datetime:
        """Give the time of this transaction, which is never before the last one's: clocks of machines differ."""
        last = self.events.last_arrival()
        return max(self.now, last) if last else self.now

    def _keep_nodes(self, events: Iterable[Named]) -> None:
        """Keep the nodes that events name, each with the earliest time at which one did."""
        memory = recall(self.session)
        seen: dict[NodeName, datetime] = {}
        for named in events:
            at, key = named.incoming.event.event_time, ("nodes", named.nodes.digest)
            kept = memory.get(key) if named.nodes.digest else None
            if kept is not None and kept <= at:
                continue
            for node in named.nodes.names:
                known = seen.get(node)
                if known is None or at < known:
                    seen[node] = at
            if named.nodes.digest:
                memory.put(key, at)
        self.graph.keep_nodes(seen)


def _row(incoming: Incoming, now: datetime) -> Mapping[str, Any]:
    event = incoming.event
    event_type = event.event_type if isinstance(event, RunEvent) else None
    return {
        "dedupe_key": incoming.key,
        "kind": "run" if isinstance(event, RunEvent) else "job" if isinstance(event, JobEvent) else "dataset",
        "run_uuid": incoming.run_id,
        "event_type": event_type.value if event_type else None,
        "event_time": event.event_time,
        "received_at": now,
        "body": zlib.compress(incoming.body, 1),
    }


def _new_event(number: int, incoming: Incoming) -> NewEvent:
    event = incoming.event
    return NewEvent(number, incoming.key, event, None if isinstance(event, RunEvent) else facts_of_event(event))


def _seen(told: Iterable[tuple[AnyEvent, str]]) -> list[SeenDag]:
    """Give what events saw of DAGs."""
    seen: list[SeenDag] = []
    for event, key in told:
        found = reading.seen_dag(event)
        if found and not isinstance(event, DatasetEvent):
            seen.append(SeenDag(event.job.namespace, *found, event.event_time, key))
    return seen
