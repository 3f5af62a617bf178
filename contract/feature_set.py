"""What people declare about a feature set, and what a task says that it wrote into one.

Both travel twice: in the ``extra`` of an Airflow asset event under the key ``festaf`` (Airflow stores it in the
transaction of the task's success, so it cannot be lost), and as a facet of an OpenLineage event (fast).
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, StringConstraints

from festaf.contract.model import Model, Moment, Sha256
from festaf.contract.names import DEFAULT_PROJECT, sha256_of

EXTRA_KEY = "festaf"
"""Where an asset event's ``extra`` carries a FeatureSetDefinition or a FeatureWrite."""

DEFINITION_FACET = "festaf_definition"
"""The dataset facet that carries a FeatureSetDefinition under the key ``definition``."""

WRITE_FACET = "festaf_write"
"""The output dataset facet that carries a FeatureWrite under the key ``write``."""

DECLARATION_FACET = "festaf_declaration"
"""The dataset facet that carries a FeatureSetDeclaration under the key ``declaration``."""

FeatureType = Literal["Integral", "Fractional", "String"]
CollectionType = Literal["List", "Set", "Vector"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
LATER_FIELDS = frozenset({"fresh_within_seconds", "deleted"})


class FeatureDeclaration(Model):
    """One feature as its author declares it; what is None was not said."""

    name: Name
    type: FeatureType
    collection: CollectionType | None = None
    dimension: int | None = None
    description: str | None = None
    owner: str | None = None
    purpose: str | None = None
    technique: str | None = None
    logic: str | None = None
    """The code or SQL that computes the values, as text."""
    sources: tuple[str, ...] = ()
    """URIs, with ``#column`` where a column is meant: ``s3://bucket/flights.parquet#dep_delay``."""
    tags: tuple[str, ...] = ()
    fresh_within_seconds: PositiveFloat | None = None
    """How old the newest values may be at most: the author's promise to those who read them."""
    deleted: bool = False
    """True when this feature was retired while its feature set goes on."""

    @cached_property
    def sha256(self) -> Sha256:
        """Hash the content: two declarations are one version of the feature if and only if this is equal.

        Fields that came later count only when they were said, so that what was declared before keeps its hash.
        """
        content = self.model_dump(mode="json")
        said = {name: value for name, value in content.items() if value or name not in LATER_FIELDS}
        return sha256_of(json.dumps(said, sort_keys=True, separators=(",", ":")))


class FeatureSetDefinition(Model):
    """A feature set as its author declares it."""

    kind: Literal["definition"] = "definition"
    project: str = DEFAULT_PROJECT
    feature_set: Name
    record_identifier: Name
    event_time: Name
    online: bool
    offline: bool
    description: str | None = None
    owner: str | None = None
    purpose: str | None = None
    fresh_within_seconds: PositiveFloat | None = None
    """For those of its features that do not say their own."""
    features: tuple[FeatureDeclaration, ...]
    region: str | None = None
    account: str | None = None
    deleted: bool = False
    """True when the task retired the feature set."""


class FeatureSetDescription(Model):
    """What a person says of a feature set as a whole; what is None was not said."""

    description: str | None = None
    owner: str | None = None
    purpose: str | None = None
    fresh_within_seconds: PositiveFloat | None = None
    deleted: bool = False
    """True when the feature set was retired."""


class FeatureSetDeclaration(Model):
    """What was declared by a call instead of a task: of a feature set, or of features in it."""

    kind: Literal["declaration"] = "declaration"
    project: str = DEFAULT_PROJECT
    feature_set: Name
    about: FeatureSetDescription | None = None
    features: tuple[FeatureDeclaration, ...] = ()
    declared_by: str | None = None
    """Who called: the name of the token or the person."""


class FeatureWrite(Model):
    """What one task run wrote into a feature set: the raw material of a production."""

    kind: Literal["write"] = "write"
    project: str = DEFAULT_PROJECT
    feature_set: Name
    source: str | None = None
    """URI of the rows."""
    inputs: tuple[str, ...] = ()
    """URIs of what else the task read for it."""
    rows_read: NonNegativeInt | None = None
    """None, as the next, when nobody counted."""
    rows_accepted: NonNegativeInt | None = None
    """Rows that stand in the feature set because of this task, an earlier try's rows included."""
    rows_rejected: NonNegativeInt = 0
    rows_resumed: NonNegativeInt = 0
    """Those of the accepted that an earlier try had sent."""
    first_event_time: Moment | None = None
    last_event_time: Moment | None = None
    features: tuple[FeatureDeclaration, ...] = Field(default=())
    """The features that the rows carry; with what was declared of them, if it was."""
    logic_sha256: Sha256 | None = None
    """Hash of the DAG file's text as the worker ran it."""
    bundle_name: str | None = None
    bundle_version: str | None = None
    dead_letter: str | None = None
    """URI of the file that keeps the rejected rows."""
