"""Say of each transaction what it may have changed, so that answers outlive what does not concern them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("number", KEY, nullable=False),
        sa.Column("subjects", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_change"),
    )
