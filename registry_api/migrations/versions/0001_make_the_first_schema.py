"""Make the first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dag",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("dag_id", sa.String(length=250), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dag")),
        sa.UniqueConstraint("key", name=op.f("uq_dag_key")),
    )
    op.create_index(op.f("ix_dag_dag_id_namespace"), "dag", ["dag_id", "namespace"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dedupe_key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("run_uuid", sa.Uuid(), nullable=True),
        sa.Column("event_type", sa.String(length=8), nullable=True),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_event_dedupe_key")),
    )
    op.create_index(op.f("ix_event_event_time_id"), "event", ["event_time", "id"], unique=False)
    op.create_index(op.f("ix_event_run_uuid"), "event", ["run_uuid"], unique=False)
    op.create_table(
        "feature_set",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_set")),
        sa.UniqueConstraint("project", "name", name=op.f("uq_feature_set_project_name")),
    )
    op.create_table(
        "node",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
        sa.UniqueConstraint("key", name=op.f("uq_node_key")),
    )
    op.create_table(
        "source_blob",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_source_blob")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("name", name=op.f("uq_token_name")),
        sa.UniqueConstraint("sha256", name=op.f("uq_token_sha256")),
    )
    op.create_table(
        "dag_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dag_pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("bundle_name", sa.Text(), nullable=True),
        sa.Column("bundle_version", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("source_sha256", sa.String(length=64), nullable=True),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dag_pk"], ["dag.id"], name=op.f("fk_dag_version_dag_pk")),
        sa.ForeignKeyConstraint(["source_sha256"], ["source_blob.sha256"], name=op.f("fk_dag_version_source_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dag_version")),
        sa.UniqueConstraint("dag_pk", "content_sha256", name=op.f("uq_dag_version_dag_pk_content_sha256")),
    )
    op.create_index(op.f("ix_dag_version_dag_pk_first_seen"), "dag_version", ["dag_pk", "first_seen"], unique=False)
    op.create_table(
        "dag_version_number",
        sa.Column("dag_pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dag_pk"], ["dag.id"], name=op.f("fk_dag_version_number_dag_pk")),
        sa.PrimaryKeyConstraint("dag_pk", "version_id", name=op.f("pk_dag_version_number")),
    )
    op.create_table(
        "edge_set",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asserter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_stated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_run", sa.Text(), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["asserter_id"], ["node.id"], name=op.f("fk_edge_set_asserter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edge_set")),
        sa.UniqueConstraint("asserter_id", "origin", "sha256", name=op.f("uq_edge_set_asserter_id_origin_sha256")),
    )
    op.create_table(
        "feature",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("feature_set_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("dag_id", sa.String(length=250), nullable=True),
        sa.Column("last_written", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["feature_set_id"], ["feature_set.id"], name=op.f("fk_feature_feature_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature")),
        sa.UniqueConstraint("feature_set_id", "name", name=op.f("uq_feature_feature_set_id_name")),
    )
    op.create_index(op.f("ix_feature_dag_id"), "feature", ["dag_id"], unique=False)
    op.create_table(
        "edge",
        sa.Column("edge_set_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("transformation", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["edge_set_id"], ["edge_set.id"], name=op.f("fk_edge_edge_set_id")),
        sa.ForeignKeyConstraint(["source_id"], ["node.id"], name=op.f("fk_edge_source_id")),
        sa.ForeignKeyConstraint(["target_id"], ["node.id"], name=op.f("fk_edge_target_id")),
        sa.PrimaryKeyConstraint("edge_set_id", "source_id", "target_id", name=op.f("pk_edge")),
    )
    op.create_index(op.f("ix_edge_source_id_edge_set_id"), "edge", ["source_id", "edge_set_id"], unique=False)
    op.create_index(op.f("ix_edge_target_id_edge_set_id"), "edge", ["target_id", "edge_set_id"], unique=False)
    op.create_table(
        "feature_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("feature_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["feature_id"], ["feature.id"], name=op.f("fk_feature_version_feature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_version")),
        sa.UniqueConstraint("feature_id", "sha256", name=op.f("uq_feature_version_feature_id_sha256")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("dag_pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("dag_version_pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("parent_uuid", sa.Uuid(), nullable=True),
        sa.Column("airflow_run_id", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_event_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["dag_pk"], ["dag.id"], name=op.f("fk_run_dag_pk")),
        sa.ForeignKeyConstraint(["dag_version_pk"], ["dag_version.id"], name=op.f("fk_run_dag_version_pk")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("uuid", name=op.f("uq_run_uuid")),
    )
    op.create_index(op.f("ix_run_dag_version_pk"), "run", ["dag_version_pk"], unique=False)
    op.create_index(op.f("ix_run_parent_uuid"), "run", ["parent_uuid"], unique=False)
    op.create_table(
        "definition",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("feature_set_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_definition_event_id")),
        sa.ForeignKeyConstraint(["feature_set_id"], ["feature_set.id"], name=op.f("fk_definition_feature_set_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_definition_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_definition")),
    )
    op.create_index(op.f("ix_definition_event_id"), "definition", ["event_id"], unique=False)
    op.create_index(
        op.f("ix_definition_feature_set_id_kind_said_at"),
        "definition",
        ["feature_set_id", "kind", "said_at"],
        unique=False,
    )
    op.create_index(op.f("ix_definition_run_id"), "definition", ["run_id"], unique=False)
    op.create_table(
        "feature_set_write",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("feature_set_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lists_features", sa.Boolean(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=True),
        sa.Column("rows_accepted", sa.BigInteger(), nullable=True),
        sa.Column("rows_rejected", sa.BigInteger(), nullable=True),
        sa.Column("last_event_time", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["feature_set_id"], ["feature_set.id"], name=op.f("fk_feature_set_write_feature_set_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_feature_set_write_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_set_write")),
        sa.UniqueConstraint("run_id", "feature_set_id", name=op.f("uq_feature_set_write_run_id_feature_set_id")),
    )
    op.create_index(
        op.f("ix_feature_set_write_feature_set_id_lists_features_ended_at"),
        "feature_set_write",
        ["feature_set_id", "lists_features", "ended_at"],
        unique=False,
    )
    op.create_table(
        "feature_source",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("node_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name=op.f("fk_feature_source_node_id")),
        sa.ForeignKeyConstraint(["version_id"], ["feature_version.id"], name=op.f("fk_feature_source_version_id")),
        sa.PrimaryKeyConstraint("version_id", "node_id", name=op.f("pk_feature_source")),
    )
    op.create_index(op.f("ix_feature_source_node_id"), "feature_source", ["node_id"], unique=False)
    op.create_table(
        "production",
        sa.Column("feature_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["feature_id"], ["feature.id"], name=op.f("fk_production_feature_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_production_run_id")),
        sa.ForeignKeyConstraint(["version_id"], ["feature_version.id"], name=op.f("fk_production_version_id")),
        sa.PrimaryKeyConstraint("feature_id", "ended_at", "run_id", name=op.f("pk_production")),
    )
    op.create_index(
        "ix_production_declared",
        "production",
        ["feature_id", "ended_at"],
        unique=False,
        sqlite_where=sa.text("declared IS 1"),
        postgresql_where=sa.text("declared IS true"),
    )
    op.create_index("ix_production_run_id", "production", ["run_id"], unique=False)
    op.create_index("ix_production_version_id", "production", ["version_id", "ended_at"], unique=False)
    op.create_table(
        "sighting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asserter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("edge_set_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closing", sa.Boolean(), nullable=False),
        sa.Column("last_run", sa.Text(), nullable=True),
        sa.Column("mapped_in", sa.Text(), nullable=True),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["asserter_id"], ["node.id"], name=op.f("fk_sighting_asserter_id")),
        sa.ForeignKeyConstraint(["edge_set_id"], ["edge_set.id"], name=op.f("fk_sighting_edge_set_id")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_sighting_event_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_sighting_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sighting")),
    )
    op.create_index(
        op.f("ix_sighting_asserter_id_origin_closing_stated_at"),
        "sighting",
        ["asserter_id", "origin", "closing", "stated_at"],
        unique=False,
    )
    op.create_index(op.f("ix_sighting_edge_set_id_stated_at"), "sighting", ["edge_set_id", "stated_at"], unique=False)
    op.create_index(op.f("ix_sighting_run_id"), "sighting", ["run_id"], unique=False)
    op.create_table(
        "declaration",
        sa.Column("definition_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("feature_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["definition_id"], ["definition.id"], name=op.f("fk_declaration_definition_id")),
        sa.ForeignKeyConstraint(["feature_id"], ["feature.id"], name=op.f("fk_declaration_feature_id")),
        sa.ForeignKeyConstraint(["version_id"], ["feature_version.id"], name=op.f("fk_declaration_version_id")),
        sa.PrimaryKeyConstraint("definition_id", "feature_id", name=op.f("pk_declaration")),
    )
    op.create_index(
        "ix_declaration_declared",
        "declaration",
        ["feature_id", "said_at"],
        unique=False,
        sqlite_where=sa.text("declared IS 1"),
        postgresql_where=sa.text("declared IS true"),
    )
    op.create_index("ix_declaration_feature_id_said_at", "declaration", ["feature_id", "said_at"], unique=False)
    op.create_index("ix_declaration_version_id", "declaration", ["version_id", "said_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_declaration_version_id", table_name="declaration")
    op.drop_index("ix_declaration_feature_id_said_at", table_name="declaration")
    op.drop_index(
        "ix_declaration_declared",
        table_name="declaration",
        sqlite_where=sa.text("declared IS 1"),
        postgresql_where=sa.text("declared IS true"),
    )
    op.drop_table("declaration")
    op.drop_index(op.f("ix_sighting_run_id"), table_name="sighting")
    op.drop_index(op.f("ix_sighting_edge_set_id_stated_at"), table_name="sighting")
    op.drop_index(op.f("ix_sighting_asserter_id_origin_closing_stated_at"), table_name="sighting")
    op.drop_table("sighting")
    op.drop_index("ix_production_version_id", table_name="production")
    op.drop_index("ix_production_run_id", table_name="production")
    op.drop_index(
        "ix_production_declared",
        table_name="production",
        sqlite_where=sa.text("declared IS 1"),
        postgresql_where=sa.text("declared IS true"),
    )
    op.drop_table("production")
    op.drop_index(op.f("ix_feature_source_node_id"), table_name="feature_source")
    op.drop_table("feature_source")
    op.drop_index(op.f("ix_feature_set_write_feature_set_id_lists_features_ended_at"), table_name="feature_set_write")
    op.drop_table("feature_set_write")
    op.drop_index(op.f("ix_definition_run_id"), table_name="definition")
    op.drop_index(op.f("ix_definition_feature_set_id_kind_said_at"), table_name="definition")
    op.drop_index(op.f("ix_definition_event_id"), table_name="definition")
    op.drop_table("definition")
    op.drop_index(op.f("ix_run_parent_uuid"), table_name="run")
    op.drop_index(op.f("ix_run_dag_version_pk"), table_name="run")
    op.drop_table("run")
    op.drop_table("feature_version")
    op.drop_index(op.f("ix_edge_target_id_edge_set_id"), table_name="edge")
    op.drop_index(op.f("ix_edge_source_id_edge_set_id"), table_name="edge")
    op.drop_table("edge")
    op.drop_index(op.f("ix_feature_dag_id"), table_name="feature")
    op.drop_table("feature")
    op.drop_table("edge_set")
    op.drop_table("dag_version_number")
    op.drop_index(op.f("ix_dag_version_dag_pk_first_seen"), table_name="dag_version")
    op.drop_table("dag_version")
    op.drop_table("token")
    op.drop_table("source_blob")
    op.drop_table("node")
    op.drop_table("feature_set")
    op.drop_index(op.f("ix_event_run_uuid"), table_name="event")
    op.drop_index(op.f("ix_event_event_time_id"), table_name="event")
    op.drop_table("event")
    op.drop_index(op.f("ix_dag_dag_id_namespace"), table_name="dag")
    op.drop_table("dag")
