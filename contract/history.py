"""The life of one feature: what was declared of it, by whom, when its code changed, when it was retired."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from festaf.contract.feature import DagVersionRef
from festaf.contract.model import Model, Moment, Sha256

HistoryKind = Literal["declared", "returned_to", "first_written", "code_changed", "retired", "returned"]
"""``declared``: with another content than before. ``returned_to``: the content is one that stood earlier.
``code_changed``: a write by another DAG file than the write before. ``returned``: spoken of or written
again after it was retired."""


class Teller(Model):
    """Who said it: a run, or a caller."""

    namespace: str | None = None
    dag_id: str | None = None
    task_id: str | None = None
    run_id: str | None = None
    """Airflow's DAG run id."""
    map_index: int = -1
    """Which instance of a mapped task it was; -1 for another task."""
    openlineage_run_id: UUID | None = None
    dag_version: DagVersionRef | None = None
    declared_by: str | None = None
    """The caller, when it was declared by API."""


class Change(Model):
    """One field that is not what it was."""

    field: str
    before: Any = None
    after: Any = None
    diff: str | None = None
    """Of texts with several lines and of code: a unified diff."""


class HistoryItem(Model):
    """Something that happened to the feature."""

    at: Moment
    kind: HistoryKind
    version: int | None = None
    """Of the declaration that holds from then on."""
    version_sha256: Sha256 | None = None
    until: Moment | None = None
    """When this content was said for the last time before another took its place; None for the others."""
    by: Teller | None = None
    changes: tuple[Change, ...] = ()
