"""Find features by words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SORTED = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
LEXEMES = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")

FORGET = "INSERT INTO search_text(search_text, rowid, lexemes) VALUES ('delete', old.feature_id, old.lexemes);"
LEARN = "INSERT INTO search_text(rowid, lexemes) VALUES (new.feature_id, new.lexemes);"


def upgrade() -> None:
    op.add_column("feature", sa.Column("indexed", sa.String(16), nullable=True))
    op.create_table(
        "search_document",
        sa.Column("feature_id", KEY, nullable=False, autoincrement=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("compact", SORTED, nullable=False),
        sa.Column("lexemes", LEXEMES, nullable=False),
        sa.ForeignKeyConstraint(["feature_id"], ["feature.id"], name=op.f("fk_search_document_feature_id")),
        sa.PrimaryKeyConstraint("feature_id", name=op.f("pk_search_document")),
    )
    for columns in (["compact", "feature_id"], ["project", "compact", "feature_id"]):
        op.create_index(op.f(f"ix_search_document_{'_'.join(columns)}"), "search_document", columns)
    op.create_table(
        "search_variant",
        sa.Column("id", KEY, nullable=False),
        sa.Column("variant", sa.String(8), nullable=False),
        sa.Column("word", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_variant")),
    )
    op.create_index(op.f("ix_search_variant_variant_word"), "search_variant", ["variant", "word"])
    if op.get_bind().dialect.name == "sqlite":
        _make_full_text()
    else:
        op.create_index("ix_search_document_lexemes", "search_document", ["lexemes"], postgresql_using="gin")


def _make_full_text() -> None:
    """Let SQLite's full-text table hold what stands in ``search_document``, and nothing twice."""
    op.execute(
        "CREATE VIRTUAL TABLE search_text USING fts5(lexemes, content='search_document', content_rowid='feature_id',"
        " detail=none, columnsize=0, tokenize='ascii', prefix='2 3')"
    )
    for moment, actions in (("INSERT", LEARN), ("DELETE", FORGET), ("UPDATE OF lexemes", f"{FORGET} {LEARN}")):
        name = moment.split()[0].lower()
        op.execute(f"CREATE TRIGGER search_document_{name} AFTER {moment} ON search_document BEGIN {actions} END")
