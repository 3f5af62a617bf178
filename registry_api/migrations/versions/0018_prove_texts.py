"""Prove the texts of versions of bundles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("airflow_dag", sa.Column("bundle_version", sa.Text()))
    op.add_column("airflow_dag", sa.Column("bundle_since", sa.DateTime(timezone=True)))
    op.add_column("airflow_dag", sa.Column("proven_version", sa.Text()))
