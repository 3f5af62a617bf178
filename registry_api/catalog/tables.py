"""Jobs and datasets with the facets that stand, their versions, their namespaces and tags.

What events say can be built anew from them. What people set by the API (``TagTable``, ``TaggingTable`` of the origin
``api``, ``NamespaceNoteTable``, ``RemovalTable``) is kept by name, not by id, so that it outlives a rebuild.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from festaf.registry_api.table import CHANGING, Key, Table

SHORT = 200
LONGEST = 255
"""The longest name of a facet, tag or tagged field that the catalog keeps; indexes hold no more."""
Stamps = dict[str, list[str | None]]
"""By facet: the time of the event that said it last, that event's key, and the hash of the body; None if deleted.

A minus stands before the time if it is what a reader said, while nobody who knows the whole has said more.
"""


class NamespaceTable(Table):
    """A namespace that some job or dataset has."""

    __tablename__ = "namespace"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """``natural_key(name)``."""
    name: Mapped[str] = mapped_column(Text)
    first_seen: Mapped[datetime]


class NamespaceNoteTable(Table):
    """What people set of a namespace, which may have no job or dataset yet."""

    __tablename__ = "namespace_note"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class JobTable(Table):
    """A job; ``stamps`` says which facets stand, ``JobFacetTable`` what they say."""

    __tablename__ = "job"
    __table_args__ = (
        Index(None, "namespace_key", "short"),
        Index(None, "namespace_key", "last_seen"),
        Index(None, "first_seen"),
        Index(None, "last_seen", "key"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """``natural_key("job", namespace, name)``."""
    namespace_key: Mapped[str] = mapped_column(String(64))
    namespace: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    short: Mapped[str] = mapped_column(String(SHORT))
    """The beginning of the name: lists go by it, since a name may be longer than an index allows."""
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    stamps: Mapped[Stamps] = mapped_column(JSON)
    latest_at: Mapped[datetime | None]
    latest_run: Mapped[UUID | None]
    """The run whose event of this job is the newest."""


class JobFacetTable(Table):
    """A facet that stands for a job; it is written only when its content changes."""

    __tablename__ = "job_facet"

    subject_id: Mapped[int] = mapped_column(ForeignKey("job.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class DatasetTable(Table):
    """A dataset; feature sets and other artifacts of ours are datasets, too."""

    __tablename__ = "dataset"
    __table_args__ = (
        Index(None, "namespace_key", "short"),
        Index(None, "first_seen"),
        Index(None, "source_name", "first_seen"),
        CHANGING,
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """``natural_key("dataset", namespace, name)``."""
    namespace_key: Mapped[str] = mapped_column(String(64))
    namespace: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    short: Mapped[str] = mapped_column(String(SHORT))
    """The beginning of the name: lists go by it, since a name may be longer than an index allows."""
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    stamps: Mapped[Stamps] = mapped_column(JSON)
    source_name: Mapped[str] = mapped_column(String(LONGEST))
    """Of the ``dataSource`` facet; ``default`` when nobody said it."""
    source_uri: Mapped[str | None] = mapped_column(Text)


class DatasetFacetTable(Table):
    """A facet that stands for a dataset; it is written only when its content changes."""

    __tablename__ = "dataset_facet"

    subject_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class JobVersionTable(Table):
    """What a job did and by which code: it is the same version as long as nothing of that changes."""

    __tablename__ = "job_version"
    __table_args__ = (UniqueConstraint("uuid", "job_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"))
    uuid: Mapped[UUID]
    """Made of the job's name and the content."""
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


class JobRunTable(Table):
    """A run of a job, and the version it ran once it is complete."""

    __tablename__ = "job_run"
    __table_args__ = (Index(None, "job_id", "at", "run_uuid"), Index(None, "version_id", "at"))

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"))
    run_uuid: Mapped[UUID]
    at: Mapped[datetime]
    """Of its last event."""
    version_id: Mapped[int | None] = mapped_column(ForeignKey("job_version.id"))


class DatasetVersionTable(Table):
    """A run wrote a dataset. Its version's id is made of the dataset's name and the run's id."""

    __tablename__ = "dataset_version"
    __table_args__ = (Index(None, "dataset_id", "at", "run_uuid"), Index(None, "run_id"))

    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    run_uuid: Mapped[UUID]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class TagTable(Table):
    """A tag that has a description, or was made before anything bore it."""

    __tablename__ = "tag"

    name: Mapped[str] = mapped_column(String(LONGEST), primary_key=True)
    description: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[datetime]


class TaggingTable(Table):
    """A job, a dataset or a field of one bears a tag: a facet said so, or somebody by the API."""

    __tablename__ = "tagging"
    __table_args__ = (Index(None, "tag"),)

    subject_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The key of the job or dataset."""
    field: Mapped[str] = mapped_column(String(LONGEST), primary_key=True)
    """Empty for the whole."""
    tag: Mapped[str] = mapped_column(String(LONGEST), primary_key=True)
    origin: Mapped[str] = mapped_column(String(8), primary_key=True)
    """``facet`` or ``api``."""


class RemovalTable(Table):
    """Somebody removed a job or dataset; it is hidden until an event of a later time speaks of it."""

    __tablename__ = "removal"

    subject_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    removed_at: Mapped[datetime]
