"""Ask for features."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
STANDING = sa.text("state IN ('open', 'planned', 'declined')")


def upgrade() -> None:
    op.create_table(
        "feature_request",
        sa.Column("id", KEY, nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("compact", sa.String(64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("wanted_by", sa.Date(), nullable=True),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.String(500), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("asked_key", sa.String(200), nullable=True),
        sa.Column("asked_sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("planned_by", sa.String(200), nullable=True),
        sa.Column("planned_until", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(500), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("feature_project", sa.String(64), nullable=True),
        sa.Column("feature_set", sa.String(64), nullable=True),
        sa.Column("feature_name", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_request")),
        sa.UniqueConstraint("uuid", name=op.f("uq_feature_request_uuid")),
        sa.UniqueConstraint("asked_by", "asked_key", name=op.f("uq_feature_request_asked_by_asked_key")),
    )
    op.create_index(
        "uq_feature_request_standing",
        "feature_request",
        ["project", "compact"],
        unique=True,
        sqlite_where=STANDING,
        postgresql_where=STANDING,
    )
    for columns in (["project", "compact"], ["votes", "id"], ["feature_project", "feature_set", "feature_name"]):
        op.create_index(op.f(f"ix_feature_request_{'_'.join(columns)}"), "feature_request", columns)
    op.create_table(
        "feature_request_vote",
        sa.Column("request_id", KEY, nullable=False),
        sa.Column("principal", sa.String(500), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["feature_request.id"], name=op.f("fk_feature_request_vote_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", "principal", name=op.f("pk_feature_request_vote")),
    )
    op.create_table(
        "feature_request_entry",
        sa.Column("id", KEY, nullable=False),
        sa.Column("request_id", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(500), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("key", sa.String(200), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"], ["feature_request.id"], name=op.f("fk_feature_request_entry_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_request_entry")),
        sa.UniqueConstraint("request_id", "by", "key", name=op.f("uq_feature_request_entry_request_id_by_key")),
    )
    op.create_index(op.f("ix_feature_request_entry_request_id_id"), "feature_request_entry", ["request_id", "id"])
