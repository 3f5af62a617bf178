"""Keep what each event said of DAGs, and what tasks said of training sets, models, endpoints and monitors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "dag_facts",
        sa.Column("id", KEY, nullable=False),
        sa.Column("dag_pk", KEY, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["dag_pk"], ["dag.id"], name=op.f("fk_dag_facts_dag_pk")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dag_facts")),
        sa.UniqueConstraint("dag_pk", "sha256", name=op.f("uq_dag_facts_dag_pk_sha256")),
    )
    op.create_table(
        "dag_saying",
        sa.Column("event_id", KEY, nullable=False),
        sa.Column("facts_pk", KEY, nullable=False),
        sa.Column("version_pk", KEY, nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("next_run", MOMENT, nullable=True),
        sa.Column("said_at", MOMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_dag_saying_event_id")),
        sa.ForeignKeyConstraint(["facts_pk"], ["dag_facts.id"], name=op.f("fk_dag_saying_facts_pk")),
        sa.ForeignKeyConstraint(["version_pk"], ["dag_version.id"], name=op.f("fk_dag_saying_version_pk")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_dag_saying")),
    )
    op.create_index(op.f("ix_dag_saying_facts_pk_said_at"), "dag_saying", ["facts_pk", "said_at"])
    op.create_index(op.f("ix_dag_saying_version_pk_said_at"), "dag_saying", ["version_pk", "said_at"])
    op.create_table(
        "artifact_fact",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("said_at", MOMENT, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("run_id", KEY, nullable=True),
        sa.Column("event_id", KEY, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("superseded_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_artifact_fact_run_id")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_artifact_fact_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_fact")),
    )
    op.create_index(
        op.f("ix_artifact_fact_kind_project_name_said_at"), "artifact_fact", ["kind", "project", "name", "said_at"]
    )
    op.create_index(op.f("ix_artifact_fact_run_id"), "artifact_fact", ["run_id"])
    op.create_index(op.f("ix_artifact_fact_event_id"), "artifact_fact", ["event_id"])
