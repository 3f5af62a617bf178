"""Deployments, how far each was read, and what was told of it. No answer is derived from these tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from festaf.registry_api.table import Key, Table


class AirflowTable(Table):
    """One Airflow, its cursors, and the lease of the server that reads it."""

    __tablename__ = "airflow"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    base_url: Mapped[str] = mapped_column(Text)
    namespace: Mapped[str] = mapped_column(String(250), unique=True)
    username: Mapped[str | None] = mapped_column(String(200))
    secret: Mapped[str | None] = mapped_column(Text)
    """Where the secret stands; never the secret."""
    enabled: Mapped[bool]
    poll_seconds: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    lease_holder: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    """When the next cycle may begin."""
    events_read_to: Mapped[datetime | None]
    runs_read_to: Mapped[datetime | None]
    assets_read_at: Mapped[datetime | None]
    dags_read_at: Mapped[datetime | None]
    stumbled_on: Mapped[int | None] = mapped_column(BigInteger)
    """The asset event whose details Airflow answered with status 500."""
    stumbles: Mapped[int] = mapped_column(Integer)
    last_success_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    last_error_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer)
    """Cycles that failed since the last success."""
    behind: Mapped[bool]
    """True when the last cycle ended before it had read everything."""
    counts: Mapped[dict[str, int]] = mapped_column(JSON)


class SeenEventTable(Table):
    """An asset event near the cursor that was read, so that it is not asked about again."""

    __tablename__ = "airflow_event"
    __table_args__ = (Index(None, "airflow_pk", "at"),)

    airflow_pk: Mapped[int] = mapped_column(ForeignKey("airflow.id"), primary_key=True)
    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]


class AirflowDagTable(Table):
    """What was told of a DAG last, and what its tasks read."""

    __tablename__ = "airflow_dag"

    airflow_pk: Mapped[int] = mapped_column(ForeignKey("airflow.id"), primary_key=True)
    dag_id: Mapped[str] = mapped_column(String(250), primary_key=True)
    said: Mapped[str | None] = mapped_column(String(64))
    """Hash of the snapshot that was told last."""
    path: Mapped[str | None] = mapped_column(Text)
    version_id: Mapped[UUID | None]
    """The newest version."""
    version_number: Mapped[int | None] = mapped_column(Integer)
    source_sha256: Mapped[str | None] = mapped_column(String(64))
    source_read_at: Mapped[datetime | None]
    bundle_version: Mapped[str | None] = mapped_column(Text)
    """What the DAG was parsed from last."""
    bundle_since: Mapped[datetime | None]
    """The first parse that was seen of it."""
    proven_version: Mapped[str | None] = mapped_column(Text)
    """The version of the bundle that was told to hold the text of ``source_sha256``."""
    uses_assets: Mapped[bool]
    inlets: Mapped[dict[str, Any]] = mapped_column(JSON)
    """By task, the URIs of its inlets."""
    waits_for: Mapped[list[str] | None] = mapped_column(JSON)
    """The URIs of the assets that its schedule waits for; None when the assets were not read yet."""


class AskedRunTable(Table):
    """An unfinished run that Airflow was asked about, so that it is not asked too often."""

    __tablename__ = "airflow_run"

    airflow_pk: Mapped[int] = mapped_column(ForeignKey("airflow.id"), primary_key=True)
    run_uuid: Mapped[UUID] = mapped_column(primary_key=True)
    asks: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[datetime | None]
    """None when Airflow has no such run any more."""
