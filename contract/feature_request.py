"""A request for a feature that does not exist: asked for, voted for, planned, declined with a reason, or fulfilled."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from festaf.contract.model import Model, Moment
from festaf.contract.names import PROJECT_PATTERN

RequestState = Literal["open", "planned", "done", "declined", "withdrawn"]
EntryKind = Literal["asked", "edited", "planned", "declined", "done", "reopened", "withdrawn", "comment"]

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Sources = Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=2000)], ...], Field(max_length=50)]
WantedName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9])?$")]
ProjectName = Annotated[str, StringConstraints(pattern=f"^{PROJECT_PATTERN.pattern}$")]


class NewFeatureRequest(Model):
    """What is asked for."""

    project: ProjectName
    name: WantedName
    purpose: Prose
    """What it is needed for."""
    wanted_by: date | None = None
    sources: Sources = ()
    """Where it might be made from, as URIs or words."""


class FeatureRequestEdit(Model):
    """What its author changes; what is left out stays."""

    purpose: Prose | None = None
    wanted_by: date | None = None
    sources: Sources | None = None


class Plan(Model):
    """Who will make it, and until when."""

    by: Line | None = None
    """None is the caller."""
    until: date | None = None


class Reason(Model):
    """Why."""

    reason: Prose


class Remark(Model):
    """A comment."""

    text: Prose


class FeatureRef(Model):
    """A feature by name."""

    project: str = Field(max_length=64)
    feature_set: str = Field(max_length=64)
    name: str = Field(max_length=64)


class FeatureRequest(Model):
    """A request as it stands."""

    id: UUID
    href: str
    project: str
    name: str
    purpose: str
    wanted_by: date | None = None
    sources: tuple[str, ...] = ()
    asked_by: str
    asked_at: Moment
    state: RequestState
    version: int
    """Counts the changes of text and state; it is the ETag. Votes and comments do not count."""
    votes: int
    voted: bool = False
    """Whether the caller voted for it."""
    planned_by: str | None = None
    planned_until: date | None = None
    reason: str | None = None
    """Why it was declined, reopened or withdrawn."""
    decided_by: str | None = None
    decided_at: Moment | None = None
    feature: FeatureRef | None = None
    """The feature that fulfils it."""
    appeared: FeatureRef | None = None
    """A feature of the wanted name that stands in the project by now: the request may be closed with it."""


class RequestEntry(Model):
    """One thing that happened to a request; the newest comes first."""

    at: Moment
    by: str
    kind: EntryKind
    text: str | None = None
