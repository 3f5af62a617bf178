"""Keep experiments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SENTENCE = "entries of experiments are append-only"


def upgrade() -> None:
    op.create_table(
        "experiment",
        sa.Column("id", KEY, nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("head_sha256", sa.String(length=64), nullable=False),
        sa.Column("last_recorded", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment")),
        sa.UniqueConstraint("project", "name", name=op.f("uq_experiment_project_name")),
    )
    op.create_table(
        "experiment_entry",
        sa.Column("id", KEY, nullable=False),
        sa.Column("experiment_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(length=256), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=500), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("previous_sha256", sa.String(length=64), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_entry_experiment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_entry")),
        sa.UniqueConstraint("experiment_id", "number", name=op.f("uq_experiment_entry_experiment_id_number")),
        sa.UniqueConstraint(
            "experiment_id", "content_sha256", name=op.f("uq_experiment_entry_experiment_id_content_sha256")
        ),
    )
    op.create_index(
        op.f("ix_experiment_entry_experiment_id_run_number"), "experiment_entry", ["experiment_id", "run", "number"]
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER experiment_entry_refuses_{verb.lower()} BEFORE {verb} ON experiment_entry "
                f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_experiment_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{SENTENCE}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER experiment_entry_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON experiment_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_experiment_change()"
    )
