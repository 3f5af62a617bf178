"""Feature sets, features, what was declared of them and when, and which run wrote them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from festaf.registry_api.table import CHANGING, Key, Learned, Table


class FeatureSetTable(Table):
    """A feature set by project and name."""

    __tablename__ = "feature_set"
    __table_args__ = (UniqueConstraint("project", "name"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    project: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(64))


class DefinitionTable(Learned, Table):
    """What one run or event said about a feature set as a whole."""

    __tablename__ = "definition"
    __table_args__ = (
        Index(None, "feature_set_id", "kind", "said_at"),
        Index(None, "run_id"),
        Index(None, "event_id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    feature_set_id: Mapped[int] = mapped_column(ForeignKey("feature_set.id"))
    kind: Mapped[str] = mapped_column(String(16))
    """``declared`` (our definition), ``described`` (by a call), ``retired``, ``observed`` (standard facets) or
    ``mentioned``."""
    said_at: Mapped[datetime]
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))


class WriteTable(Learned, Table):
    """What one run wrote into a feature set."""

    __tablename__ = "feature_set_write"
    __table_args__ = (
        UniqueConstraint("run_id", "feature_set_id", "recorded_at"),
        Index(
            "ix_feature_set_write_whole",
            "feature_set_id",
            "ended_at",
            sqlite_where=text("lists_features IS 0"),
            postgresql_where=text("lists_features IS false"),
        ),
        Index(
            "ix_feature_set_write_feature_list_id",
            "feature_list_id",
            "ended_at",
            sqlite_where=text("feature_list_id IS NOT NULL"),
            postgresql_where=text("feature_list_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    feature_set_id: Mapped[int] = mapped_column(ForeignKey("feature_set.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    ended_at: Mapped[datetime]
    lists_features: Mapped[bool] = mapped_column(Boolean)
    """False when the run did not say which features: then it wrote all of them."""
    feature_list_id: Mapped[int | None] = mapped_column(ForeignKey("feature_list.id"))
    """Which features, with which contents; None when it listed none."""
    rows_read: Mapped[int | None] = mapped_column(BigInteger)
    rows_accepted: Mapped[int | None] = mapped_column(BigInteger)
    rows_rejected: Mapped[int | None] = mapped_column(BigInteger)
    last_event_time: Mapped[datetime | None]


class FeatureTable(Table):
    """A feature; everything below ``name`` repeats the newest facts of the other tables so that lists are one query."""

    __tablename__ = "feature"
    __table_args__ = (
        UniqueConstraint("feature_set_id", "name"),
        Index(None, "dag_id"),
        # A tree of PostgreSQL takes no text that is longer than a third of a page; an owner may be.
        Index("ix_feature_owner", "owner", postgresql_using="hash"),
        CHANGING,
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    feature_set_id: Mapped[int] = mapped_column(ForeignKey("feature_set.id"))
    name: Mapped[str] = mapped_column(String(64))
    first_seen: Mapped[datetime | None]
    """None when nothing that still counts speaks of it: then it is not shown."""
    type: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(Text)
    dag_id: Mapped[str | None] = mapped_column(String(250))
    dag_namespace: Mapped[str | None] = mapped_column(Text)
    last_written: Mapped[datetime | None]
    deleted: Mapped[bool] = mapped_column(Boolean, default=False)
    version_id: Mapped[int | None] = mapped_column(BigInteger)
    """The newest declared content, unless a call took it back."""
    content_id: Mapped[int | None] = mapped_column(BigInteger)
    """The content that type and description are of: what is declared, else the newest name and type."""
    said_at: Mapped[datetime | None]
    """When that content was said last."""
    indexed: Mapped[str | None] = mapped_column(String(16))
    """A hash of what the search's index says of it; None when it was not indexed yet."""


class FeatureVersionTable(Table):
    """One content that a feature's declaration had; ``declared`` is False when it was only a name and a type."""

    __tablename__ = "feature_version"
    __table_args__ = (UniqueConstraint("feature_id", "sha256"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    feature_id: Mapped[int] = mapped_column(ForeignKey("feature.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    declared: Mapped[bool] = mapped_column(Boolean)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


class FeatureSourceTable(Table):
    """A declared content names a source: an edge that stands while the content is the feature's newest."""

    __tablename__ = "feature_source"
    __table_args__ = (Index(None, "node_id"),)

    version_id: Mapped[int] = mapped_column(ForeignKey("feature_version.id"), primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True)


class DeclarationTable(Learned, Table):
    """A definition spoke of a feature, with this content."""

    __tablename__ = "declaration"
    __table_args__ = (
        Index("ix_declaration_feature_id_said_at", "feature_id", "said_at"),
        Index(
            "ix_declaration_declared",
            "feature_id",
            "said_at",
            sqlite_where=text("declared IS 1"),
            postgresql_where=text("declared IS true"),
        ),
        Index("ix_declaration_version_id", "version_id", "said_at"),
    )

    definition_id: Mapped[int] = mapped_column(ForeignKey("definition.id"), primary_key=True)
    feature_id: Mapped[int] = mapped_column(ForeignKey("feature.id"), primary_key=True)
    said_at: Mapped[datetime]
    version_id: Mapped[int] = mapped_column(ForeignKey("feature_version.id"))
    declared: Mapped[bool] = mapped_column(Boolean)
    """Whether it takes the place of what was declared before: the content is declared, or a call said it."""


class FeatureListTable(Table):
    """The contents of features that a run wrote together; runs that wrote the same have the same list."""

    __tablename__ = "feature_list"
    __table_args__ = (UniqueConstraint("feature_set_id", "sha256"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    feature_set_id: Mapped[int] = mapped_column(ForeignKey("feature_set.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    """A hash of the contents' hashes, by the names of the features."""


class ListedVersionTable(Table):
    """A content of a feature is in a list."""

    __tablename__ = "listed_version"
    __table_args__ = (Index(None, "feature_list_id"),)

    version_id: Mapped[int] = mapped_column(ForeignKey("feature_version.id"), primary_key=True)
    feature_list_id: Mapped[int] = mapped_column(ForeignKey("feature_list.id"), primary_key=True)
