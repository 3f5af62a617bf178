"""Keep operating: record whole batches without reading what grows with history."""

from __future__ import annotations

import hashlib
import zlib

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
    key_events_by_their_bodies()


def key_events_by_their_bodies() -> None:
    """Make the keys as this version does, so that an event which is sent again after the upgrade is known."""
    connection = op.get_bind()
    event = sa.table(
        "event", sa.column("id", sa.BigInteger), sa.column("dedupe_key", sa.String), sa.column("body", sa.LargeBinary)
    )
    change = event.update().where(event.c.id == sa.bindparam("which")).values(dedupe_key=sa.bindparam("key"))
    chunk, last = sa.select(event.c.id, event.c.body).order_by(event.c.id).limit(500), 0
    while rows := connection.execute(chunk.where(event.c.id > last)).all():
        keys = [{"which": row[0], "key": hashlib.sha256(zlib.decompress(row[1])).hexdigest()} for row in rows]
        connection.execute(change, keys)
        last = rows[-1][0]
