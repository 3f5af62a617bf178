"""The answer to "what breaks if I change this feature?"."""

from __future__ import annotations

from pydantic import Field

from festaf.contract.feature import Access, ConsumerKind, Origin
from festaf.contract.model import Model, Moment


class Affected(Model):
    """Something downstream of a feature; without a name when the caller may not see it."""

    id: str | None
    """As the lineage graph names it; None when it is hidden."""
    kind: ConsumerKind
    namespace: str | None
    name: str | None
    distance: int
    via: tuple[str, ...] = ()
    """The ids of the nodes between the feature and it, on one shortest way; ``restricted`` for a hidden one."""
    owners: tuple[str, ...] = ()
    version: int | None = None
    """Of a model: the newest version that uses the feature."""
    approval: str | None = None
    """Of that version."""
    last_read: Moment | None = None
    """When the edge that leads to it was last stated."""
    origin: Origin
    access: Access = "accessible"


class Impact(Model):
    """Everything downstream within the bounds, the nearest first."""

    project: str
    feature_set: str
    feature: str
    affected: tuple[Affected, ...]
    counts: dict[str, int] = Field(default_factory=dict)
    """By kind."""
    owners: tuple[str, ...] = ()
    """Who is to be told, each once."""
    truncated: bool = False
    """True when a bound cut it: there is more downstream."""
