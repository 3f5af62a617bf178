"""What a person or a program declares of a feature by calling the registry, instead of by a task."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, PositiveFloat

from festaf.contract.feature_set import CollectionType, FeatureType
from festaf.contract.model import Model, Moment, Sha256


def _not_masked(owner: str | None) -> str | None:
    if owner is not None and "***" in owner:
        raise ValueError("'***' is what a masker leaves of a name: say who it is")
    return owner


Owner = Annotated[str | None, AfterValidator(_not_masked)]


class FeatureSaid(Model):
    """The whole declaration of a feature; what is left out is not declared any more."""

    type: FeatureType | None = None
    """The type that is known, when none is said; a feature that nobody spoke of needs one."""
    collection: CollectionType | None = None
    dimension: int | None = None
    description: str | None = None
    owner: Owner = None
    purpose: str | None = None
    technique: str | None = None
    logic: str | None = None
    """The code or SQL that computes the values, as text."""
    sources: tuple[str, ...] = ()
    """URIs, with ``#column`` where a column is meant."""
    tags: tuple[str, ...] = ()
    fresh_within_seconds: PositiveFloat | None = None
    """How old the newest values may be at most."""


class FeatureSetSaid(Model):
    """What is declared of a feature set as a whole; it holds for those of its features that do not say their own."""

    description: str | None = None
    owner: Owner = None
    purpose: str | None = None
    fresh_within_seconds: PositiveFloat | None = None


class Declared(Model):
    """What came of a declaration."""

    project: str
    feature_set: str
    feature: str | None = None
    """None when the feature set as a whole was declared."""
    version: int | None = None
    version_sha256: Sha256 | None = None
    """Of the content that is in force now; it is the entity tag, too."""
    declared_at: Moment
    """When the content that is in force was said last."""
    changed: bool
    """False when it was in force already: then nothing was recorded."""
