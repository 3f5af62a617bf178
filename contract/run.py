"""One run as the registry folded it from its events."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from festaf.contract.feature import DagVersionRef
from festaf.contract.model import Model, Moment
from festaf.contract.openlineage import EventType, TaskRun


class RunDataset(Model):
    """A dataset that the run read or wrote, with every facet that any event of the run gave it."""

    namespace: str
    name: str
    facets: dict[str, dict[str, Any]]


class RunLink(Model):
    """Another run; all but its id is None as long as nobody said it."""

    id: UUID
    namespace: str | None = None
    job: str | None = None
    state: EventType | None = None


class RunRecord(Model):
    """A run: its state by event time, and everything its events said, the newest of each facet."""

    id: UUID
    namespace: str
    job: str
    state: EventType | None = None
    """None when no event said a state."""
    started_at: Moment | None = None
    ended_at: Moment | None = None
    last_event_at: Moment
    parent_run_id: UUID | None = None
    parent: RunLink | None = None
    root: RunLink | None = None
    """The run that everything began with."""
    task: TaskRun | None = None
    dag_version: DagVersionRef
    facets: dict[str, dict[str, Any]]
    job_facets: dict[str, dict[str, Any]]
    inputs: tuple[RunDataset, ...]
    outputs: tuple[RunDataset, ...]
