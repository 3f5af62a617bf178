"""Keep operating: record whole batches without reading what grows with history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feature", sa.Column("content_id", sa.BigInteger(), nullable=True))
    op.add_column("feature", sa.Column("said_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_edge_set_asserter_id_origin_valid_to"), "edge_set", ["asserter_id", "origin", "valid_to"])
    op.create_index(
        "ix_edge_set_current",
        "edge_set",
        ["asserter_id"],
        sqlite_where=sa.text("current IS 1"),
        postgresql_where=sa.text("current IS true"),
    )
    op.create_index(
        "ix_sighting_mapped",
        "sighting",
        ["asserter_id", "mapped_in"],
        sqlite_where=sa.text("mapped_in IS NOT NULL"),
        postgresql_where=sa.text("mapped_in IS NOT NULL"),
    )
    generation = op.create_table(
        "generation", sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False, nullable=False)
    )
    op.bulk_insert(generation, [{"number": 1}])
