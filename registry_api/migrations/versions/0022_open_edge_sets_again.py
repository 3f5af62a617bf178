"""Let edge sets stand that nothing has closed since they were stated last, and find those of an asserter by that time.

Until when a set stood was written wrong where it was closed already when it was told. So a run that failed after it had
completed did not open again what it had closed. It need not be written at all: what is opened again was stated no
earlier than what closes now.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

OPEN = """
UPDATE edge_set SET current = true WHERE current = false AND last_stated IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM sighting
    WHERE sighting.asserter_id = edge_set.asserter_id AND sighting.origin = edge_set.origin
    AND sighting.closing = true AND sighting.superseded_at IS NULL AND sighting.stated_at > edge_set.last_stated
)
"""


def upgrade() -> None:
    op.execute(OPEN)
    op.drop_index(op.f("ix_edge_set_asserter_id_origin_valid_to"), "edge_set")
    op.execute(sa.text("ALTER TABLE edge_set DROP COLUMN valid_to"))
    op.create_index(
        op.f("ix_edge_set_asserter_id_origin_last_stated"), "edge_set", ["asserter_id", "origin", "last_stated"]
    )
