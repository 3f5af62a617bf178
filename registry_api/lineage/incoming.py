"""Read one event of a body: refuse what is none, and give it the key that tells it from every other."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from festaf.contract.openlineage import EVENT, DatasetEvent, RunEvent
from festaf.registry_api.errors import UnreadableEventError
from festaf.registry_api.lineage import airflow_facets, reading
from festaf.registry_api.lineage.recording import AnyEvent
from festaf.registry_api.secrets.masking import looks_clean, mask
from festaf.registry_api.shared import hold, write_canonical, write_rest

FACETS = ("facets", "inputFacets", "outputFacets")


@dataclass(frozen=True)
class Incoming:
    """An event that was read, with the key that tells it from every other and the code taken out of its facets."""

    event: AnyEvent
    key: str
    body: bytes
    """Its canonical JSON: the key is the hash of it."""
    blobs: dict[str, str]

    @property
    def run_id(self) -> UUID | None:
        """Give the run that it is about."""
        return self.event.run.run_id if isinstance(self.event, RunEvent) else None


def read_event(value: Any) -> Incoming:
    """Read one event, its secrets masked before anything else is done with it.

    :raises UnreadableEventError: it is none, or a facet of ours in it is wrong
    """
    value = _masked(_with_shared(value))
    try:
        event = EVENT.validate_python(value)
    except ValidationError as error:
        # The first part of each place is the kind of the event, which is not in the body; of no event there is none.
        raise UnreadableEventError("the body is no OpenLineage event", reading.lines_of(error, skipped=1)) from error
    body = _canonical(value)
    key = hashlib.sha256(body).hexdigest()
    blobs: dict[str, str] = {}
    if not isinstance(event, DatasetEvent):
        blobs = reading.detach_code(event.job.facets)
    if isinstance(event, RunEvent):
        for name, facet in event.run.facets.items():
            event.run.facets[name] = hold(facet)
        event = airflow_facets.with_attached(event)
    incoming = Incoming(event, key, body, blobs)
    _check_facets(event)
    return incoming


def _with_shared(value: Any) -> Any:
    """Put what other events repeat in its place: the facets of jobs and datasets; those of a run are others in each."""
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for name in ("job", "dataset"):
        if name in value:
            found[name] = _holding(value[name])
    for name in ("inputs", "outputs"):
        side = value.get(name)
        if isinstance(side, list):
            found[name] = [_holding(item) for item in side]
    return found


def _holding(holder: Any) -> Any:
    if not isinstance(holder, dict):
        return holder
    found = holder
    for place in FACETS:
        facets = holder.get(place)
        if isinstance(facets, dict) and facets:
            found = {**found, place: {name: reading.share_facet(name, body) for name, body in facets.items()}}
    return found


def _masked(value: Any) -> Any:
    """Mask an event of which what is shared is masked already; most hold nothing that looks like a secret."""
    try:
        rest = write_rest(value)
    except TypeError:  # A number of more than 64 bits, or half of a surrogate pair.
        return mask(value)
    return value if looks_clean(rest) else mask(value)


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
        reading.declaration(facets)


def _canonical(value: Any) -> bytes:
    """Write a JSON value so that equal values are equal texts."""
    try:
        return write_canonical(value)
    except TypeError:  # A number of more than 64 bits.
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
