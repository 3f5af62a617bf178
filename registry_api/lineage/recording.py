"""What the pipeline hands to the areas: everything that one transaction learned, at once.

An area that keeps tables of its own implements ``Recorder`` and is named in ``recorders.py``. It may write nothing but
functions of the set of events: whatever the order in which they arrive, however often, however they are split into
batches, the rows that stand are the same, and ``festaf registry rebuild`` makes them again with ``received_at`` as now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from festaf.contract.openlineage import DatasetEvent, JobEvent, RunEvent
from festaf.registry_api.lineage.folding import RunState
from festaf.registry_api.lineage.projection import EventFacts, RunFacts

AnyEvent = RunEvent | JobEvent | DatasetEvent


@dataclass(frozen=True)
class NewEvent:
    """An event that was not known before; the texts of code in the job's facets are replaced by their hashes."""

    id: int
    key: str
    """Tells it from every other event, and decides between two that carry the same time."""
    event: AnyEvent
    facts: EventFacts | None
    """What it says by itself; None for a run event, which speaks through its run."""


@dataclass(frozen=True)
class FoldedRun:
    """A run that new events spoke of, folded from all its events that have arrived."""

    id: int
    """Of its row."""
    state: RunState
    facts: RunFacts
    known: bool
    """True when an earlier transaction folded it already: then something may have been recorded of it."""
    moved: bool = False
    """True when it is known now to be another DAG's than was thought before."""


@dataclass(frozen=True)
class Batch:
    """What one transaction learned."""

    now: datetime
    """When the registry learned it: ``recorded_at`` of what is new, ``superseded_at`` of what it replaces."""
    events: Sequence[NewEvent]
    """In the order of their ids."""
    runs: Sequence[FoldedRun]
    """Each run once, however many of the events are its own."""


class Recorder(Protocol):
    """Keeps what an area derives from events, in the pipeline's transaction."""

    def record(self, batch: Batch) -> None:
        """Keep what the batch says; what was recorded of a known run before is replaced by what it says now."""
