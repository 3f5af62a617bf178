"""The SQL that asks the index: always a bounded number of rows, in an order in which the next ones can be asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Select, Text, cast, column, or_, select, table, tuple_, union_all
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from festaf.registry_api.bulk import fetch
from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable, FeatureVersionTable
from festaf.registry_api.search.expression import Expression
from festaf.registry_api.search.spelling import BEGINNING, variants
from festaf.registry_api.search.tables import DocumentTable, VariantTable

SEPARATE = 20
"""So many projects are each walked for themselves; of more, names are looked at in all projects and then chosen."""
NEAREST = 500
HIGHEST = "\U0010ffff"


@dataclass(frozen=True, order=True)
class Candidate:
    """A feature that the index named, with what it is ranked by."""

    feature_id: int
    compact: str
    name: str


class SearchRepository:
    """Asks for candidates, words and what is shown of features."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.postgres = session.get_bind().dialect.name == "postgresql"

    def beginning(self, prefix: str, projects: Collection[str] | None, limit: int) -> list[tuple[str, int]]:
        """Give the names that begin so, with their features, in order of the names."""
        key = (DocumentTable.compact, DocumentTable.feature_id)
        query = select(*key).where(DocumentTable.compact >= prefix, DocumentTable.compact < prefix + HIGHEST)
        if projects is not None and len(projects) <= SEPARATE:
            parts = [
                select(*query.where(DocumentTable.project == name).order_by(*key).limit(limit).subquery().c)
                for name in sorted(projects)
            ]
            found = union_all(*parts).subquery()
            query = select(found.c.compact, found.c.feature_id).order_by(found.c.compact, found.c.feature_id)
        else:
            query = query.order_by(*key)
        return [(row[0], row[1]) for row in self.session.execute(query.limit(limit))]

    def matching(self, asked: Expression, after: int, limit: int) -> list[int]:
        """Give the features whose documents match, in order of their ids."""
        if self.postgres:
            query: Select[int] = (
                select(DocumentTable.feature_id)
                .where(DocumentTable.lexemes.op("@@")(cast(asked.tsquery(), TSQUERY)), DocumentTable.feature_id > after)
                .order_by(DocumentTable.feature_id)
            )
        else:
            text, rowid = column("search_text", Text), column("rowid", BigInteger)
            full: Select[int] = select(rowid).select_from(table("search_text"))
            query = full.where(text.op("MATCH")(asked.fts5()), rowid > after).order_by(rowid)
        return list(self.session.scalars(query.limit(limit)))

    def candidates(
        self,
        ids: Collection[int],
        *,
        deleted: bool,
        written_since: datetime | None = None,
        not_written_since: datetime | None = None,
    ) -> list[Candidate]:
        """Give what candidates are ranked by, without those that were written too early or too late, or deleted."""
        query = (
            select(FeatureTable.id, DocumentTable.compact, FeatureTable.name)
            .join(DocumentTable, DocumentTable.feature_id == FeatureTable.id)
            .where(FeatureTable.id.in_(sorted(ids)))
        )
        if not deleted:
            query = query.where(FeatureTable.deleted.is_(False))
        if written_since is not None:
            query = query.where(FeatureTable.last_written >= written_since)
        if not_written_since is not None:
            never = FeatureTable.last_written.is_(None)
            query = query.where(or_(never, FeatureTable.last_written < not_written_since))
        return [Candidate(*row) for row in self.session.execute(query)]

    def agreeing(self, ids: Collection[int], asked: Expression) -> list[int]:
        """Choose the few features whose documents match, without asking the index for all that do."""
        query = select(DocumentTable.feature_id, DocumentTable.lexemes).where(DocumentTable.feature_id.in_(sorted(ids)))
        if self.postgres:
            matches = DocumentTable.lexemes.op("@@")(cast(asked.tsquery(), TSQUERY))
            return list(self.session.scalars(query.with_only_columns(DocumentTable.feature_id).where(matches)))
        return [row[0] for row in self.session.execute(query) if asked.matches(row[1].split())]

    def shown(self, ids: Sequence[int]) -> dict[int, tuple[FeatureTable, FeatureSetTable, FeatureVersionTable | None]]:
        """Give what is shown of features."""
        query = (
            select(FeatureTable, FeatureSetTable, FeatureVersionTable)
            .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
            .outerjoin(FeatureVersionTable, FeatureVersionTable.id == FeatureTable.version_id)
            .where(FeatureTable.id.in_(ids))
        )
        return {row[0].id: (row[0], row[1], row[2]) for row in self.session.execute(query)}

    def spelled(self, words: Collection[str]) -> set[str]:
        """Choose the words that stand in documents."""
        key = (VariantTable.variant, VariantTable.word)
        asked = [(word[:BEGINNING], word) for word in words]
        return {row[0] for row in fetch(self.session, select(VariantTable.word), tuple_(*key), asked)}

    def spelled_like(self, word: str) -> set[str]:
        """Give words of documents that share a variant with a word."""
        asked = select(VariantTable.word).where(VariantTable.variant.in_(sorted(variants(word))))
        return set(self.session.scalars(asked.order_by(VariantTable.variant, VariantTable.word).limit(NEAREST)))
