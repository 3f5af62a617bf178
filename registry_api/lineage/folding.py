"""Fold the events of one run into one state that does not depend on the order in which they arrive.

Every part is a join of a lattice: a facet is kept with the time of the event that said it and replaced only by a later
one; datasets add up; a terminal state beats any other, then the later event wins. So folding is commutative,
associative and idempotent, and one event can be folded into a stored state without reading the others again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from festaf.contract.openlineage import Dataset, EventType, RunEvent
from festaf.registry_api.shared import made_of, write_canonical
from festaf.registry_api.table import content_sha256

Body = dict[str, Any]
Keep = Callable[[str, Body], Body]
LINEAGE_FACET = "lineage"
"""The facet of explicit lineage, on jobs and on datasets."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something was said, and by which event; the event's key decides between equal times."""

    at: datetime
    event: str

    def later_than(self, other: Stamp) -> bool:
        """Order two stamps."""
        return (self.at, self.event) > (other.at, other.event)


@dataclass(frozen=True, slots=True)
class StampedFacet:
    """A facet and who said it."""

    stamp: Stamp
    body: Body


FacetState = dict[str, StampedFacet]


@dataclass(frozen=True, slots=True)
class DatasetState:
    """A dataset with the facets that the run's events gave it."""

    namespace: str
    name: str
    facets: FacetState
    named: Stamp | None = None
    """The last event that named it; None in a state that an older registry folded."""


@dataclass(frozen=True, slots=True)
class StampedType:
    """A state of the run and who said it."""

    stamp: Stamp
    event_type: EventType

    def beats(self, other: StampedType | None) -> bool:
        """Order two states: terminal first, then the later."""
        if other is None or self.event_type.terminal != other.event_type.terminal:
            return other is None or self.event_type.terminal
        return self.stamp.later_than(other.stamp)


@dataclass(frozen=True, slots=True)
class JobState:
    """The job that the run is of."""

    stamp: Stamp
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class RunState:
    """A run as far as its events told."""

    run_id: UUID
    job: JobState
    state: StampedType | None
    started_at: datetime | None
    first_event_at: datetime
    last_event_at: datetime
    run_facets: FacetState
    job_facets: FacetState
    inputs: dict[str, DatasetState]
    outputs: dict[str, DatasetState]
    explicit: FacetState = field(default_factory=dict)
    """Every content that the job's lineage facet had, by hash: unlike other facets, this one accumulates in a run."""


def state_of(event: RunEvent, key: str) -> RunState:
    """Read one event as the state of a run of which nothing else is known.

    :param key: the event's dedupe key
    """
    stamp = Stamp(at=event.event_time, event=key)
    starts = event.event_type is EventType.START
    return RunState(
        run_id=event.run.run_id,
        job=JobState(stamp=stamp, namespace=event.job.namespace, name=event.job.name),
        state=StampedType(stamp=stamp, event_type=event.event_type) if event.event_type else None,
        started_at=event.event_time if starts else None,
        first_event_at=event.event_time,
        last_event_at=event.event_time,
        run_facets=stamped(event.run.facets, stamp),
        job_facets=stamped(event.job.facets, stamp),
        inputs=_datasets([(dataset, {**dataset.facets, **dataset.input_facets}) for dataset in event.inputs], stamp),
        outputs=_datasets([(dataset, {**dataset.facets, **dataset.output_facets}) for dataset in event.outputs], stamp),
        explicit={made_of(body, content_sha256): StampedFacet(stamp=stamp, body=body) for body in _explicit(event)},
    )


def merge(one: RunState, other: RunState) -> RunState:
    """Join two states of the same run."""
    starts = [moment for moment in (one.started_at, other.started_at) if moment]
    return RunState(
        run_id=one.run_id,
        job=other.job if other.job.stamp.later_than(one.job.stamp) else one.job,
        state=other.state if other.state and other.state.beats(one.state) else one.state,
        started_at=min(starts, default=None),
        first_event_at=min(one.first_event_at, other.first_event_at),
        last_event_at=max(one.last_event_at, other.last_event_at),
        run_facets=_merge_facets(one.run_facets, other.run_facets),
        job_facets=_merge_facets(one.job_facets, other.job_facets),
        inputs=_merge_datasets(one.inputs, other.inputs),
        outputs=_merge_datasets(one.outputs, other.outputs),
        explicit=_merge_facets(one.explicit, other.explicit),
    )


def read_state(text: str, keep: Keep = lambda _name, body: body) -> RunState:
    """Read a state that ``write_state`` wrote.

    :param keep: gives by its name and body the object that stands for a facet
    """
    try:
        found = orjson.loads(text)
    except ValueError:  # An older registry took numbers that no float holds.
        found = json.loads(text)
    state, job = found["state"], found["job"]
    return RunState(
        run_id=UUID(found["run_id"]),
        job=JobState(_stamp(job["stamp"]), job["namespace"], job["name"]),
        state=StampedType(_stamp(state["stamp"]), EventType(state["event_type"])) if state else None,
        started_at=datetime.fromisoformat(found["started_at"]) if found["started_at"] else None,
        first_event_at=datetime.fromisoformat(found["first_event_at"]),
        last_event_at=datetime.fromisoformat(found["last_event_at"]),
        run_facets=_facets(found["run_facets"], keep),
        job_facets=_facets(found["job_facets"], keep),
        inputs=_dataset_states(found["inputs"], keep),
        outputs=_dataset_states(found["outputs"], keep),
        explicit=_facets(found.get("explicit") or {}, keep),
    )


def write_state(state: RunState) -> str:
    """Write a state as a row keeps it."""
    try:
        return write_canonical(state).decode()
    except TypeError:  # A number of more than 64 bits.
        return TypeAdapter(RunState).dump_json(state).decode()


def _stamp(found: Any) -> Stamp:
    return Stamp(datetime.fromisoformat(found["at"]), found["event"])


def _facets(found: Mapping[str, Any], keep: Keep) -> FacetState:
    return {name: StampedFacet(_stamp(facet["stamp"]), keep(name, facet["body"])) for name, facet in found.items()}


def _dataset_states(found: Mapping[str, Any], keep: Keep) -> dict[str, DatasetState]:
    return {
        key: DatasetState(
            item["namespace"],
            item["name"],
            _facets(item["facets"], keep),
            _stamp(item["named"]) if item.get("named") else None,
        )
        for key, item in found.items()
    }


def stamped(facets: Mapping[str, Body], stamp: Stamp) -> FacetState:
    """Stamp the facets of one event."""
    return {name: StampedFacet(stamp=stamp, body=body) for name, body in facets.items()}


def bodies(facets: FacetState) -> dict[str, Body]:
    """Give the facets that stand: a newer ``_deleted`` took the others away."""
    return {name: facet.body for name, facet in facets.items() if facet.body.get("_deleted") is not True}


def _explicit(event: RunEvent) -> list[Body]:
    return [event.job.facets[LINEAGE_FACET]] if LINEAGE_FACET in event.job.facets else []


def _datasets(datasets: Iterable[tuple[Dataset, Mapping[str, Body]]], stamp: Stamp) -> dict[str, DatasetState]:
    found: dict[str, DatasetState] = {}
    for dataset, facets in datasets:
        state = DatasetState(namespace=dataset.namespace, name=dataset.name, facets=stamped(facets, stamp), named=stamp)
        found = _merge_datasets(found, {json.dumps([dataset.namespace, dataset.name]): state})
    return found


def _merge_facets(one: FacetState, other: FacetState) -> FacetState:
    merged = dict(one)
    for name, facet in other.items():
        known = merged.get(name)
        if known is None or facet.stamp.later_than(known.stamp):
            merged[name] = facet
    return merged


def _merge_datasets(one: dict[str, DatasetState], other: dict[str, DatasetState]) -> dict[str, DatasetState]:
    merged = dict(one)
    for key, dataset in other.items():
        known = merged.get(key)
        if known is None:
            merged[key] = dataset
            continue
        facets = _merge_facets(known.facets, dataset.facets)
        merged[key] = replace(dataset, facets=facets, named=_later(known.named, dataset.named))
    return merged


def _later(one: Stamp | None, other: Stamp | None) -> Stamp | None:
    return one if other is None or (one is not None and one.later_than(other)) else other
