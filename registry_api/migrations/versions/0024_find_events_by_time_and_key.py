"""Find events by their time and key: an index of hashes alone is written at another place for each event."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("event") as batch:
        batch.create_unique_constraint(op.f("uq_event_event_time_dedupe_key"), ["event_time", "dedupe_key"])
        batch.drop_constraint("uq_event_dedupe_key", type_="unique")
        batch.drop_index("ix_event_event_time_id")
