"""What a search reads: a document for each feature, and the words that a typo may have meant."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from festaf.registry_api.table import Key, Table

Sorted = String(64).with_variant(String(64, collation="C"), "postgresql")
"""A text in the order of its characters' numbers, so that what begins alike stands together."""


class DocumentTable(Table):
    """A feature as the search sees it. On SQLite the full-text table ``search_text`` follows it by triggers."""

    __tablename__ = "search_document"
    __table_args__ = (
        Index(None, "compact", "feature_id"),
        Index(None, "project", "compact", "feature_id"),
        Index("ix_search_document_lexemes", "lexemes", postgresql_using="gin", info={"only": "postgresql"}),
    )

    feature_id: Mapped[int] = mapped_column(ForeignKey("feature.id"), primary_key=True, autoincrement=False)
    project: Mapped[str] = mapped_column(String(64))
    compact: Mapped[str] = mapped_column(Sorted)
    """The name without what separates its words."""
    lexemes: Mapped[str] = mapped_column(Text().with_variant(TSVECTOR(), "postgresql"))
    """See ``expression.py``."""


class VariantTable(Table):
    """A word of some document with up to two letters left out; what a mistyped word shares with the word it meant.

    Two transactions that meet the same new word at once may both keep it; the reader takes each word once.
    """

    __tablename__ = "search_variant"
    __table_args__ = (Index(None, "variant", "word"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    variant: Mapped[str] = mapped_column(String(8))
    word: Mapped[str] = mapped_column(String(32))
