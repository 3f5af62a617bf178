"""The SQL that keeps the documents and the words of the search."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Insert, Table, cast, delete, func, insert, select
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable
from festaf.registry_api.memory import recall
from festaf.registry_api.search.document import Described
from festaf.registry_api.search.repository import SearchRepository
from festaf.registry_api.search.spelling import variants
from festaf.registry_api.search.tables import DocumentTable, VariantTable

CHUNK = 400
Item = TypeVar("Item")


class IndexRepository:
    """Documents and words, kept."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.search = SearchRepository(session)
        self.postgres = session.get_bind().dialect.name == "postgresql"

    def keep(self, described: Sequence[Described]) -> None:
        """Write the documents of features, new or changed, and learn their words."""
        if not described:
            return
        rows = [
            {
                "feature_id": item.feature_id,
                "project": item.project,
                "compact": item.compact,
                "lexemes": item.lexemes() if self.postgres else " ".join(item.lexemes()),
            }
            for item in described
        ]
        self.session.connection().execute(_statement(self.postgres), rows)
        self._learn({word for item in described for word in item.spelled_words()})

    def feature_sets(self, ids: Collection[int]) -> dict[int, FeatureSetTable]:
        """Give feature sets by their ids."""
        found: dict[int, FeatureSetTable] = {}
        for chunk in _chunks(sorted(ids)):
            rows = self.session.scalars(select(FeatureSetTable).where(FeatureSetTable.id.in_(chunk)))
            found |= {row.id: row for row in rows}
        return found

    def remove(self, feature_ids: Collection[int]) -> None:
        """Remove the documents of features."""
        for chunk in _chunks(sorted(feature_ids)):
            self.session.execute(delete(DocumentTable).where(DocumentTable.feature_id.in_(chunk)))

    def missing(self) -> tuple[int, set[int]] | None:
        """Give some features of one set that were never indexed; None when there are none."""
        never = select(FeatureTable.id).where(FeatureTable.indexed.is_(None), FeatureTable.first_seen.is_not(None))
        set_id = self.session.scalars(never.with_only_columns(FeatureTable.feature_set_id).limit(1)).first()
        if set_id is None:
            return None
        ids = never.where(FeatureTable.feature_set_id == set_id).order_by(FeatureTable.id).limit(CHUNK)
        return set_id, set(self.session.scalars(ids))

    def _learn(self, words: Collection[str]) -> None:
        memory = recall(self.session)
        for chunk in _chunks(sorted(word for word in words if memory.get(("word", word)) is None)):
            known = self.search.spelled(chunk)
            for word in chunk:
                memory.put(("word", word), True)
            new = [
                {"variant": item, "word": word}
                for word in chunk
                if word not in known
                for item in sorted(variants(word))
            ]
            if new:
                self.session.connection().execute(insert(VariantTable), new)


def _chunks(items: Sequence[Item]) -> Iterable[Sequence[Item]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


@cache
def _statement(postgres: bool) -> Insert:
    table: Any = DocumentTable.__table__
    assert isinstance(table, Table)
    statement: postgresql.Insert | sqlite.Insert
    if postgres:
        vector = func.array_to_tsvector(cast(bind("lexemes", type_=ARRAY(Text)), ARRAY(Text)))
        statement = postgresql.insert(table).values(
            feature_id=bind("feature_id"), project=bind("project"), compact=bind("compact"), lexemes=vector
        )
    else:
        statement = sqlite.insert(table)
    new = statement.excluded
    changed = {name: new[name] for name in ("project", "compact", "lexemes")}
    return statement.on_conflict_do_update(index_elements=["feature_id"], set_=changed)
