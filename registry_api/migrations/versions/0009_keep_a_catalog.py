"""Keep a catalog of jobs and datasets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("namespace_key", sa.String(length=64), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("short", sa.String(length=200), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stamps", sa.JSON(), nullable=False),
        sa.Column("source_name", sa.String(length=255), nullable=False),
        sa.Column("source_uri", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset")),
        sa.UniqueConstraint("key", name=op.f("uq_dataset_key")),
    )
    op.create_index(op.f("ix_dataset_first_seen"), "dataset", ["first_seen"], unique=False)
    op.create_index(op.f("ix_dataset_namespace_key_short"), "dataset", ["namespace_key", "short"], unique=False)
    op.create_index(op.f("ix_dataset_source_name_first_seen"), "dataset", ["source_name", "first_seen"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("namespace_key", sa.String(length=64), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("short", sa.String(length=200), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stamps", sa.JSON(), nullable=False),
        sa.Column("latest_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("latest_run", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    op.create_index(op.f("ix_job_first_seen"), "job", ["first_seen"], unique=False)
    op.create_index(op.f("ix_job_last_seen_key"), "job", ["last_seen", "key"], unique=False)
    op.create_index(op.f("ix_job_namespace_key_short"), "job", ["namespace_key", "short"], unique=False)
    op.create_table(
        "namespace",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_namespace")),
    )
    op.create_table(
        "namespace_note",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_namespace_note")),
    )
    op.create_table(
        "removal",
        sa.Column("subject_key", sa.String(length=64), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_key", name=op.f("pk_removal")),
    )
    op.create_table(
        "tag",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tag")),
    )
    op.create_table(
        "tagging",
        sa.Column("subject_key", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=255), nullable=False),
        sa.Column("tag", sa.String(length=255), nullable=False),
        sa.Column("origin", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("subject_key", "field", "tag", "origin", name=op.f("pk_tagging")),
    )
    op.create_index(op.f("ix_tagging_tag"), "tagging", ["tag"], unique=False)
    op.create_table(
        "dataset_facet",
        sa.Column("subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["dataset.id"], name=op.f("fk_dataset_facet_subject_id")),
        sa.PrimaryKeyConstraint("subject_id", "name", name=op.f("pk_dataset_facet")),
    )
    op.create_table(
        "job_facet",
        sa.Column("subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["job.id"], name=op.f("fk_job_facet_subject_id")),
        sa.PrimaryKeyConstraint("subject_id", "name", name=op.f("pk_job_facet")),
    )
    op.create_table(
        "job_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_version_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_version")),
        sa.UniqueConstraint("uuid", "job_id", name=op.f("uq_job_version_uuid_job_id")),
    )
    op.create_table(
        "dataset_version",
        sa.Column("dataset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_uuid", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_dataset_version_dataset_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_dataset_version_run_id")),
        sa.PrimaryKeyConstraint("dataset_id", "run_id", name=op.f("pk_dataset_version")),
    )
    op.create_index(
        op.f("ix_dataset_version_dataset_id_at_run_uuid"),
        "dataset_version",
        ["dataset_id", "at", "run_uuid"],
        unique=False,
    )
    op.create_index(op.f("ix_dataset_version_run_id"), "dataset_version", ["run_id"], unique=False)
    op.create_table(
        "job_run",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_uuid", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_run_job_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_job_run_run_id")),
        sa.ForeignKeyConstraint(["version_id"], ["job_version.id"], name=op.f("fk_job_run_version_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_job_run")),
    )
    op.create_index(op.f("ix_job_run_job_id_at_run_uuid"), "job_run", ["job_id", "at", "run_uuid"], unique=False)
    op.create_index(op.f("ix_job_run_version_id_at"), "job_run", ["version_id", "at"], unique=False)
