"""Read out of events what they say of jobs and datasets, and join it with what was said before. Pure functions.

A facet is replaced by a later one of the same name, whatever its content; two of the same time go by the events' keys.
So joining is commutative, associative and idempotent, and the events may come in any order and twice.

What comes with an input is said by one who reads it, and may be no more than the columns that were read: it counts only
while nobody who writes the dataset, or speaks of it alone, has said a facet of that name. Of what is ours, such as a
feature set, readers say nothing: everyone may read a neighbour's, but describes it only by writing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from festaf.contract.names import SCHEME
from festaf.contract.openlineage import Dataset, DatasetEvent, InputDataset, RunEvent
from festaf.registry_api.catalog.tables import LONGEST, SHORT, Stamps
from festaf.registry_api.lineage.recording import NewEvent
from festaf.registry_api.shared import made_of
from festaf.registry_api.table import as_utc, content_sha256, natural_key

Kind = Literal["job", "dataset"]
Body = dict[str, Any]
DEFAULT_SOURCE = "default"
OF_WRITERS = frozenset({"lifecycleStateChange"})
"""Facets that a reader cannot know."""
OF_READERS = frozenset({"dataQualityAssertions", "dataQualityMetrics"})
"""Input facets that describe the dataset itself; others, such as how much was read, belong to the run alone."""
READ = "-"
"""Stands before the time at which a reader said something: so it is less than any time."""


@dataclass(frozen=True, order=True)
class Subject:
    """A job or dataset by its name."""

    kind: Kind
    namespace: str
    name: str

    @cached_property
    def key(self) -> str:
        """Give the unique key of its row."""
        return natural_key(self.kind, self.namespace, self.name)

    @property
    def columns(self) -> dict[str, str]:
        """Give the columns of its row that its name makes."""
        return {
            "key": self.key,
            "namespace_key": natural_key(self.namespace),
            "namespace": self.namespace,
            "name": self.name,
            "short": self.name[:SHORT],
        }


@dataclass
class Saying:
    """What a batch of events said of one subject."""

    first: datetime
    last: datetime
    facets: dict[str, tuple[str, str, Body]] = field(default_factory=dict)
    """By name: time, event and body of the newest facet."""
    latest: tuple[datetime, UUID] | None = None
    """The newest event of a run of this job."""

    def hear(self, at: datetime, key: str, facets: Mapping[str, Body], *, read: bool = False) -> None:
        """Join what one event says.

        :param read: whether it read the subject
        """
        self.first, self.last = min(self.first, at), max(self.last, at)
        moment = as_utc(at).isoformat(timespec="microseconds")
        for name, body in facets.items():
            known = self.facets.get(name)
            if len(name) > LONGEST:
                continue
            said = READ + moment if read else moment
            if known is None or known[:2] < (said, key):
                self.facets[name] = (said, key, body)


def sayings_of(events: Iterable[NewEvent]) -> dict[Subject, Saying]:
    """Join what events say, by subject."""
    found: dict[Subject, Saying] = {}
    for item in events:
        event, at = item.event, item.event.event_time
        if isinstance(event, DatasetEvent):
            _hear(found, _named(event.dataset), at, item.key, event.dataset.facets)
            continue
        job = Subject("job", event.job.namespace, event.job.name)
        saying = _hear(found, job, at, item.key, event.job.facets)
        if isinstance(event, RunEvent):
            latest = (as_utc(at), event.run.run_id)
            saying.latest = max(saying.latest, latest) if saying.latest else latest
        for source in event.inputs:
            _hear(found, _named(source), at, item.key, _as_read(source), read=True)
        for target in event.outputs:
            _hear(found, _named(target), at, item.key, target.facets)
    return found


def _as_read(source: InputDataset) -> Mapping[str, Body]:
    """Give the facets of an input that describe the dataset."""
    if source.namespace.startswith(SCHEME):
        return {}
    found = {name: body for name, body in source.facets.items() if name not in OF_WRITERS}
    return found | {name: body for name, body in source.input_facets.items() if name in OF_READERS}


def _named(dataset: Dataset) -> Subject:
    return Subject("dataset", dataset.namespace, dataset.name)


def _hear(
    found: dict[Subject, Saying],
    subject: Subject,
    at: datetime,
    key: str,
    facets: Mapping[str, Body],
    *,
    read: bool = False,
) -> Saying:
    saying = found.get(subject)
    if saying is None:
        saying = found[subject] = Saying(at, at)
    saying.hear(at, key, facets, read=read)
    return saying


def join(stamps: Stamps, saying: Saying) -> tuple[Stamps, dict[str, Body | None]]:
    """Join stamps with what was said; give them with the bodies that are to be written, None for one that goes."""
    joined = dict(stamps)
    changed: dict[str, Body | None] = {}
    for name, (moment, key, body) in saying.facets.items():
        known = stamps.get(name)
        if known is not None and (known[0], known[1]) >= (moment, key):
            continue
        gone = body.get("_deleted") is True
        sha256 = None if gone else _sha256(body)
        joined[name] = [moment, key, sha256]
        if known is None and gone:
            continue
        if known is None or known[2] != sha256:
            changed[name] = None if gone else body
    return joined, changed


def _sha256(body: Body) -> str:
    """Hash a facet's content; a change of its producer's version alone is a change, since facets are kept verbatim."""
    return made_of(body, content_sha256)[:32]


def source_of(facet: Body | None) -> tuple[str, str | None]:
    """Read name and address of a dataset's source out of its ``dataSource`` facet."""
    name, uri = (facet or {}).get("name"), (facet or {}).get("uri")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST:
        return DEFAULT_SOURCE, None
    return name, uri if isinstance(uri, str) else None


def tags_of(facet: Body | None) -> set[tuple[str, str]]:
    """Read a ``tags`` facet as pairs of field (empty for the whole) and tag (``key`` or ``key:value``)."""
    items = (facet or {}).get("tags")
    found: set[tuple[str, str]] = set()
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict) or not isinstance(item.get("key"), str) or not item["key"]:
            continue
        value, column = item.get("value"), item.get("field")
        plain = not isinstance(value, str) or value.lower() in {"", "true"}
        tag = item["key"] if plain else f"{item['key']}:{value}"
        column = column if isinstance(column, str) else ""
        if len(tag) <= LONGEST and len(column) <= LONGEST:
            found.add((column, tag))
    return found
