"""What a training set is made of, as the manifest beside its Parquet files and the asset event of its task tell it."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeFloat, NonNegativeInt

from festaf.contract.feature_set import Name
from festaf.contract.model import Model, Moment, Sha256
from festaf.contract.names import DEFAULT_PROJECT, feature_set_uri

TRAINING_SET_FACET = "festaf_training_set"
"""The output dataset facet that carries a TrainingSetWritten under the key ``training_set``."""

ColumnRole = Literal["entity", "event_time", "label", "context", "feature", "feature_time"]
"""What a column is for.

``context`` came with the entity rows and is neither key, time nor label; ``feature_time`` holds the event time of the
record that the row's features came from.
"""


class TrainingSetColumn(Model):
    """One column of a training set."""

    name: str
    type: str
    """In Glue's words: ``bigint``, ``double``, ``string``, ``timestamp``, ``array<double>``."""
    role: ColumnRole
    feature_set: str | None = None
    """For a feature and a feature time: where the values come from, by ``FeatureSetUse.feature_set``."""
    feature: str | None = None
    sources: tuple[str, ...] = ()
    """URIs with ``#column``: the feature, or the column of the entity table."""


class FeatureSetUse(Model):
    """One feature set as it stood when a training set was built, and how its records were joined."""

    project: str = DEFAULT_PROJECT
    feature_set: Name
    arn: str
    created_at: Moment
    version: Sha256
    """Hash of the names and types of all its features, its record identifier and its event time."""
    table: str
    """``database.table`` of the offline store."""
    record_identifier: Name
    event_time: Name
    entity_column: str
    """The column of the entity table whose values are compared with the record identifier."""
    point_in_time: bool
    """False when the latest value was taken, whatever its event time."""
    strict: bool = False
    """True when a record of the very moment of the entity row was left out."""
    max_age_seconds: NonNegativeFloat | None = None
    features: tuple[Name, ...]
    rows_matched: NonNegativeInt
    """Rows of the training set for which there was a record."""
    rows_unmatched: NonNegativeInt

    @property
    def uri(self) -> str:
        """Name the feature set as an asset."""
        return feature_set_uri(self.project, self.feature_set)


class EntitySource(Model):
    """The rows that features were joined to."""

    kind: Literal["table", "query", "parquet"]
    text: str
    """``database.table``, the query, or the URI, as the task was given it."""
    uri: str | None = None
    """The dataset as OpenLineage names it; None for a query."""
    event_time: str | None = None


class DataFile(Model):
    """One Parquet file of a training set."""

    uri: str
    bytes: NonNegativeInt
    etag: str | None = None


class Statement(Model):
    """One query exactly as Athena ran it."""

    step: str
    """``entities``, ``match 1`` and on, one for each feature set, ``training set``, ``counts``."""
    text: str
    query_execution_id: str
    scanned_bytes: NonNegativeInt = 0


class TrainingSetManifest(Model):
    """Everything that is known of one build of a training set; a build without a manifest is not done."""

    format: Literal[1] = 1
    project: str = DEFAULT_PROJECT
    training_set: str
    build: str
    """The build's own name: the start of the specification's hash."""
    specification: Sha256
    """Hash of what was asked for, the snapshot and the feature sets' versions."""
    snapshot: Moment
    """Only records that the offline store had written by then were used."""
    created_at: Moment
    uri: str
    """The folder of the Parquet files."""
    files: tuple[DataFile, ...]
    table: str | None = None
    """``database.table`` through which SQL sees the training set; None when none was asked for."""
    statements: tuple[Statement, ...]
    """In the order in which they read one another."""
    entities: EntitySource
    columns: tuple[TrainingSetColumn, ...]
    feature_sets: tuple[FeatureSetUse, ...]
    rows_entities: NonNegativeInt
    rows: NonNegativeInt
    region: str | None = None
    account: str | None = None
    dag_id: str | None = None
    task_id: str | None = None
    run_id: str | None = None

    @property
    def features(self) -> tuple[TrainingSetColumn, ...]:
        """Give the columns that are features, in order: what a model is trained on."""
        return tuple(column for column in self.columns if column.role == "feature")

    @property
    def labels(self) -> tuple[TrainingSetColumn, ...]:
        """Give the columns that are labels."""
        return tuple(column for column in self.columns if column.role == "label")


class TrainingSetWritten(Model):
    """What one task run says of the training set that it built or found built."""

    kind: Literal["training_set"] = "training_set"
    project: str = DEFAULT_PROJECT
    training_set: str
    build: str
    uri: str
    """The folder of the Parquet files."""
    manifest: str
    """URI of the manifest."""
    manifest_sha256: Sha256
    table: str | None = None
    snapshot: Moment
    rows: NonNegativeInt
    bytes: NonNegativeInt = 0
    files: NonNegativeInt = 0
    reused: bool = False
    """True when the same training set stood already."""
    entities: EntitySource
    columns: tuple[TrainingSetColumn, ...]
    feature_sets: tuple[FeatureSetUse, ...]
