"""Keep what DAGs wait for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("airflow_dag", sa.Column("waits_for", sa.JSON()))
