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

FeatureType = Literal["Integral", "Fractional", "String"]
CollectionType = Literal["List", "Set", "Vector"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


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
    """How old the newest values may be before something is wrong."""

    @cached_property
    def sha256(self) -> Sha256:
        """Hash the content: two declarations are one version of the feature if and only if this is equal."""
        said = self.model_dump(mode="json")
        if self.fresh_within_seconds is None:
            # Hashes that were made before there was this field stay what they are.
            del said["fresh_within_seconds"]
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
    features: tuple[FeatureDeclaration, ...]
    region: str | None = None
    account: str | None = None
    deleted: bool = False
    """True when the task retired the feature set."""


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
