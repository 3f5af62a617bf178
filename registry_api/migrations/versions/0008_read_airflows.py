"""Read Airflows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "airflow",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("namespace", sa.String(250), nullable=False),
        sa.Column("username", sa.String(200)),
        sa.Column("secret", sa.Text()),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("poll_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("lease_holder", sa.Uuid()),
        sa.Column("lease_until", MOMENT),
        sa.Column("next_at", MOMENT),
        sa.Column("events_read_to", MOMENT),
        sa.Column("runs_read_to", MOMENT),
        sa.Column("assets_read_at", MOMENT),
        sa.Column("dags_read_at", MOMENT),
        sa.Column("stumbled_on", sa.BigInteger()),
        sa.Column("stumbles", sa.Integer(), nullable=False),
        sa.Column("last_success_at", MOMENT),
        sa.Column("last_error", sa.Text()),
        sa.Column("last_error_at", MOMENT),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("behind", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_airflow")),
        sa.UniqueConstraint("name", name=op.f("uq_airflow_name")),
        sa.UniqueConstraint("namespace", name=op.f("uq_airflow_namespace")),
    )
    _belonging(
        "airflow_event",
        ["event_id"],
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index(op.f("ix_airflow_event_airflow_pk_at"), "airflow_event", ["airflow_pk", "at"])
    _belonging(
        "airflow_dag",
        ["dag_id"],
        sa.Column("dag_id", sa.String(250), nullable=False),
        sa.Column("said", sa.String(64)),
        sa.Column("path", sa.Text()),
        sa.Column("version_id", sa.Uuid()),
        sa.Column("version_number", sa.Integer()),
        sa.Column("source_sha256", sa.String(64)),
        sa.Column("source_read_at", MOMENT),
        sa.Column("uses_assets", sa.Boolean(), nullable=False),
        sa.Column("inlets", sa.JSON(), nullable=False),
    )
    _belonging(
        "airflow_run",
        ["run_uuid"],
        sa.Column("run_uuid", sa.Uuid(), nullable=False),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("next_at", MOMENT),
    )
    op.create_index(op.f("ix_run_airflow_run_id"), "run", ["airflow_run_id"])
    unfinished = sa.text("state IS NULL OR state IN ('START', 'RUNNING', 'OTHER')")
    op.create_index(
        "ix_run_unfinished",
        "run",
        ["namespace", "last_event_at"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )


def _belonging(table: str, key: list[str], *columns: sa.Column[object]) -> None:
    """Make a table whose rows belong to a deployment."""
    op.create_table(
        table,
        sa.Column("airflow_pk", KEY, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["airflow_pk"], ["airflow.id"], name=op.f(f"fk_{table}_airflow_pk")),
        sa.PrimaryKeyConstraint("airflow_pk", *key, name=op.f(f"pk_{table}")),
    )
