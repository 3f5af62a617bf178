"""Leave room in PostgreSQL's pages for rows that change often; pages that are full already get it as rows move."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

CHANGING = ("feature", "dataset", "edge_set")


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        for table in CHANGING:
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")
