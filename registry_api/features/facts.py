"""What runs and events say about feature sets and features, before it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from festaf.contract.feature_set import FeatureDeclaration
from festaf.registry_api.graph.names import can_be_named
from festaf.registry_api.table import content_sha256

CAPACITY = 50_000
CONTENTS: dict[str, FeatureContent] = {}
"""What declarations say, by their hash: most are said again and again."""
StatementKind = Literal["declared", "described", "retired", "observed", "mentioned"]


@dataclass(frozen=True)
class FeatureContent:
    """What was said of one feature; ``declared`` is False when it was no more than a name and a type."""

    name: str
    declared: bool
    content: Mapping[str, Any]
    sha256: str
    called: bool = False
    """Whether a call said it, which says the whole: then a type alone unsays what was declared before."""

    @property
    def decides(self) -> bool:
        """Tell whether it takes the place of what was declared before."""
        return self.declared or self.called

    @property
    def sources(self) -> tuple[str, ...]:
        """Give the URIs that the feature is made from."""
        return tuple(self.content.get("sources", ()))


@dataclass(frozen=True)
class SetStatement:
    """What was said of a feature set as a whole, and of its features."""

    project: str
    feature_set: str
    kind: StatementKind
    said_at: datetime
    content: Mapping[str, Any]
    features: tuple[FeatureContent, ...] = ()


@dataclass(frozen=True)
class SetWrite:
    """What a run wrote; ``features`` is None when it did not say which."""

    project: str
    feature_set: str
    ended_at: datetime
    features: tuple[FeatureContent, ...] | None
    rows_read: int | None = None
    rows_accepted: int | None = None
    rows_rejected: int | None = None
    last_event_time: datetime | None = None


def called_features(declarations: Iterable[FeatureDeclaration]) -> tuple[FeatureContent, ...]:
    """Read what a call declared."""
    return tuple(replace(item, called=True) for item in declared_features(declarations))


def declared_features(declarations: Iterable[FeatureDeclaration]) -> tuple[FeatureContent, ...]:
    """Read declarations; one that says nothing beyond the type does not count as declared."""
    return tuple({item.name: _declared(item) for item in declarations}.values())


def _declared(item: FeatureDeclaration) -> FeatureContent:
    known = CONTENTS.get(item.sha256)
    if known is None:
        said = item.model_dump(exclude={"name", "type", "collection", "dimension"}, exclude_defaults=True)
        known = FeatureContent(item.name, any(said.values()), item.model_dump(mode="json"), item.sha256)
        if len(CONTENTS) >= CAPACITY:
            CONTENTS.clear()
        CONTENTS[item.sha256] = known
    return known


def observed_features(fields: Mapping[str, Mapping[str, str | None]]) -> tuple[FeatureContent, ...]:
    """Read the fields of a schema facet."""
    contents = {name: {"name": name, **field} for name, field in fields.items() if can_be_named(name)}
    return tuple(FeatureContent(name, False, item, content_sha256(item)) for name, item in contents.items())
