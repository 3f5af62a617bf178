"""Find at once whether an edge or a change hangs on an event, so that an old event can be removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
SAID = sa.text("event_id IS NOT NULL")


def upgrade() -> None:
    for table in ("sighting", "lifecycle"):
        op.create_index(f"ix_{table}_event_id", table, ["event_id"], sqlite_where=SAID, postgresql_where=SAID)
