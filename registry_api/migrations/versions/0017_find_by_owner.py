"""Find the features of an owner at once."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_feature_owner", "feature", ["owner"], postgresql_using="hash")
