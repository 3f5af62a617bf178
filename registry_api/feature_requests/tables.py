"""Requests for features. They are said by people, not by events: no rebuild touches them, and they name features."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import JSON, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from festaf.registry_api.table import Key, Table

STANDING = text("state IN ('open', 'planned', 'declined')")


class FeatureRequestTable(Table):
    """A request; of those that stand there is one for each wanted name."""

    __tablename__ = "feature_request"
    __table_args__ = (
        UniqueConstraint("asked_by", "asked_key"),
        Index(
            "uq_feature_request_standing",
            "project",
            "compact",
            unique=True,
            sqlite_where=STANDING,
            postgresql_where=STANDING,
        ),
        Index(None, "project", "compact"),
        Index(None, "votes", "id"),
        Index(None, "feature_project", "feature_set", "feature_name"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    project: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(64))
    compact: Mapped[str] = mapped_column(String(64))
    """The name without what separates its words: ``a_b`` and ``aB`` are the same wish."""
    words: Mapped[str] = mapped_column(Text)
    """The words of name and purpose, each behind a blank."""
    purpose: Mapped[str] = mapped_column(Text)
    wanted_by: Mapped[date | None] = mapped_column(Date)
    sources: Mapped[list[str]] = mapped_column(JSON)
    asked_by: Mapped[str] = mapped_column(String(500))
    asked_at: Mapped[datetime]
    asked_key: Mapped[str | None] = mapped_column(String(200))
    """The asker's own key for this request, so that asking twice asks once."""
    asked_sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    votes: Mapped[int] = mapped_column(Integer)
    planned_by: Mapped[str | None] = mapped_column(String(200))
    planned_until: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(String(500))
    decided_at: Mapped[datetime | None]
    feature_project: Mapped[str | None] = mapped_column(String(64))
    feature_set: Mapped[str | None] = mapped_column(String(64))
    feature_name: Mapped[str | None] = mapped_column(String(64))


class VoteTable(Table):
    """Somebody wants it, too."""

    __tablename__ = "feature_request_vote"

    request_id: Mapped[int] = mapped_column(ForeignKey("feature_request.id"), primary_key=True)
    principal: Mapped[str] = mapped_column(String(500), primary_key=True)
    at: Mapped[datetime]


class EntryTable(Table):
    """Something happened to a request; rows are only ever added."""

    __tablename__ = "feature_request_entry"
    __table_args__ = (UniqueConstraint("request_id", "by", "key"), Index(None, "request_id", "id"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("feature_request.id"))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(500))
    kind: Mapped[str] = mapped_column(String(16))
    text: Mapped[str | None] = mapped_column(Text)
    key: Mapped[str | None] = mapped_column(String(200))
    """The author's own key for a comment, so that sending it twice adds it once."""
