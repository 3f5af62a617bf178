"""Index features with sources anew: words of sources are found only by who may see these."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SOURCED = """
UPDATE feature SET indexed = NULL WHERE indexed IS NOT NULL AND id IN (
    SELECT feature_version.feature_id FROM feature_source
    JOIN feature_version ON feature_version.id = feature_source.version_id
)
"""


def upgrade() -> None:
    op.execute(sa.text(SOURCED))
