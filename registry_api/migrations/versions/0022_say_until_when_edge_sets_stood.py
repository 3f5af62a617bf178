"""Say again until when edge sets stood: where a late statement was closed already, that was not written.

Without it, a run that failed after it had completed, or was corrected, did not open again what it had closed. A set
that was stated and that nothing has closed since stands.
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

CLOSED = """
UPDATE edge_set SET valid_to = (
    SELECT min(sighting.stated_at) FROM sighting
    WHERE sighting.asserter_id = edge_set.asserter_id AND sighting.origin = edge_set.origin
    AND sighting.closing = true AND sighting.superseded_at IS NULL AND sighting.stated_at > edge_set.last_stated
) WHERE current = false AND last_stated IS NOT NULL
"""
OPENED = "UPDATE edge_set SET current = true WHERE current = false AND last_stated IS NOT NULL AND valid_to IS NULL"


def upgrade() -> None:
    op.execute(CLOSED)
    op.execute(OPENED)
