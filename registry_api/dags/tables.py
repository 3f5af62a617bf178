"""DAGs, the contents they had, their code, and the runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from festaf.registry_api.table import Key, LongText, Table

UNFINISHED = text("state IS NULL OR state IN ('START', 'RUNNING', 'OTHER')")
"""Of a run that no event ended."""


class SourceBlobTable(Table):
    """A text of code, stored once by its hash."""

    __tablename__ = "source_blob"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class DagTable(Table):
    """A DAG of one Airflow; its facts are the newest that any event said."""

    __tablename__ = "dag"
    __table_args__ = (Index(None, "dag_id", "namespace"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """``natural_key(namespace, dag_id)``."""
    namespace: Mapped[str] = mapped_column(Text)
    dag_id: Mapped[str] = mapped_column(String(250))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    """``{fact: [time, event key, value]}``: each fact is replaced by a newer event's, never by a later arrival."""
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


class DagVersionTable(Table):
    """One content of a DAG: hash over Airflow's version id, the bundle and the source."""

    __tablename__ = "dag_version"
    __table_args__ = (UniqueConstraint("dag_pk", "content_sha256"), Index(None, "dag_pk", "first_seen"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    dag_pk: Mapped[int] = mapped_column(ForeignKey("dag.id"))
    content_sha256: Mapped[str] = mapped_column(String(64))
    version_id: Mapped[UUID | None]
    bundle_name: Mapped[str | None] = mapped_column(Text)
    bundle_version: Mapped[str | None] = mapped_column(Text)
    path: Mapped[str | None] = mapped_column(Text)
    source_sha256: Mapped[str | None] = mapped_column(ForeignKey("source_blob.sha256"))
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


class DagVersionNumberTable(Table):
    """The number that Airflow gave a version id; the scheduler's events say it, a worker's do not."""

    __tablename__ = "dag_version_number"

    dag_pk: Mapped[int] = mapped_column(ForeignKey("dag.id"), primary_key=True)
    version_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer)


class DagFactsTable(Table):
    """Owners, tags, description and schedule of a DAG as one or more events said them, stored once by content."""

    __tablename__ = "dag_facts"
    __table_args__ = (UniqueConstraint("dag_pk", "sha256"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    dag_pk: Mapped[int] = mapped_column(ForeignKey("dag.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


class DagSayingTable(Table):
    """One event spoke of a DAG: from these rows an earlier time is answered, the present from the DAG's own row."""

    __tablename__ = "dag_saying"
    __table_args__ = (Index(None, "facts_pk", "said_at"), Index(None, "version_pk", "said_at"))

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True)
    facts_pk: Mapped[int] = mapped_column(ForeignKey("dag_facts.id"))
    version_pk: Mapped[int | None] = mapped_column(ForeignKey("dag_version.id"))
    number: Mapped[int | None] = mapped_column(Integer)
    next_run: Mapped[datetime | None]
    said_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class RunTable(Table):
    """A run, folded from its events by event time."""

    __tablename__ = "run"
    __table_args__ = (
        Index(None, "parent_uuid"),
        Index(None, "dag_version_pk"),
        Index(None, "airflow_run_id"),
        Index(
            "ix_run_unfinished",
            "namespace",
            "last_event_at",
            sqlite_where=UNFINISHED,
            postgresql_where=UNFINISHED,
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True)
    namespace: Mapped[str] = mapped_column(Text)
    job: Mapped[str] = mapped_column(Text)
    dag_pk: Mapped[int | None] = mapped_column(ForeignKey("dag.id"))
    dag_version_pk: Mapped[int | None] = mapped_column(ForeignKey("dag_version.id"))
    version_id: Mapped[UUID | None]
    parent_uuid: Mapped[UUID | None]
    """The parent's id, known or not: the two runs meet in either order."""
    airflow_run_id: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str | None] = mapped_column(String(8))
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    last_event_at: Mapped[datetime]
    folded: Mapped[str] = mapped_column(LongText)
    """The whole folded run as JSON; the columns are what queries need of it."""
