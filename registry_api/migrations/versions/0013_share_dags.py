"""Share DAGs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
BYTEWISE = sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "dag_package",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("namespace", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("look_alike", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=210), nullable=False),
        sa.Column("latest_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dag_package")),
        sa.UniqueConstraint("namespace", "name", name=op.f("uq_dag_package_namespace_name")),
    )
    op.create_index(op.f("ix_dag_package_look_alike"), "dag_package", ["look_alike"], unique=False)
    op.create_table(
        "dag_package_change",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("namespace", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_dag_package_change")),
    )
    op.create_index(
        op.f("ix_dag_package_change_namespace_sequence"), "dag_package_change", ["namespace", "sequence"], unique=False
    )
    op.create_table(
        "package_rules",
        sa.Column("namespace", sa.String(length=64), nullable=False),
        sa.Column("approvals", sa.Integer(), nullable=False),
        sa.Column("cooldown_hours", sa.Integer(), nullable=False),
        sa.Column("signatures_required", sa.Boolean(), nullable=False),
        sa.Column("max_packages", sa.BigInteger(), nullable=False),
        sa.Column("max_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", name=op.f("pk_package_rules")),
    )
    op.create_table(
        "publisher_key",
        sa.Column("namespace", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("public_key", sa.String(length=44), nullable=False),
        sa.Column("comment", sa.String(length=200), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(length=210), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("namespace", "key_id", name=op.f("pk_publisher_key")),
    )
    op.create_table(
        "dag_package_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("package_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("state_before", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.String(length=210), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.String(length=210), nullable=True),
        sa.Column("origin", sa.String(length=500), nullable=True),
        sa.Column("summary", sa.String(length=255), nullable=False),
        sa.Column("maturity", sa.String(length=12), nullable=False),
        sa.Column("airflow", sa.String(length=500), nullable=False),
        sa.Column("ancestor_namespace", sa.String(length=64), nullable=True),
        sa.Column("ancestor_name", sa.String(length=64), nullable=True),
        sa.Column("ancestor_version", sa.String(length=64), nullable=True),
        sa.Column("ancestor_digest", sa.String(length=64), nullable=True),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("inspection", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["dag_package.id"], name=op.f("fk_dag_package_version_package_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dag_package_version")),
        sa.UniqueConstraint("package_id", "identity", name=op.f("uq_dag_package_version_package_id_identity")),
    )
    op.create_index(
        op.f("ix_dag_package_version_ancestor_namespace_ancestor_name"),
        "dag_package_version",
        ["ancestor_namespace", "ancestor_name"],
        unique=False,
    )
    op.create_index(op.f("ix_dag_package_version_digest"), "dag_package_version", ["digest"], unique=False)
    op.create_table(
        "dag_package_approval",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("approved_by", sa.String(length=210), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dag_package_version.id"], name=op.f("fk_dag_package_approval_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "approved_by", name=op.f("pk_dag_package_approval")),
    )
    op.create_table(
        "dag_package_download",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("fetched", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dag_package_version.id"], name=op.f("fk_dag_package_download_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "on_day", "slot", name=op.f("pk_dag_package_download")),
    )
    op.create_table(
        "dag_package_fact",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("value", BYTEWISE, nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dag_package_version.id"], name=op.f("fk_dag_package_fact_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "kind", "value", name=op.f("pk_dag_package_fact")),
    )
    op.create_index(
        op.f("ix_dag_package_fact_kind_value_version_id"),
        "dag_package_fact",
        ["kind", "value", "version_id"],
        unique=False,
    )
    op.create_table(
        "dag_package_signature",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("envelope", sa.JSON(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dag_package_version.id"], name=op.f("fk_dag_package_signature_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "key_id", name=op.f("pk_dag_package_signature")),
    )
    op.create_table(
        "dag_package_upload",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("uploaded_by", sa.String(length=210), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dag_package_version.id"], name=op.f("fk_dag_package_upload_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "digest", "uploaded_by", name=op.f("pk_dag_package_upload")),
    )
