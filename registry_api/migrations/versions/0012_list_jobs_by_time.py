"""List the jobs of a namespace by when they were spoken of last."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_job_namespace_key_last_seen"), "job", ["namespace_key", "last_seen"], unique=False)
