"""The SQL that keeps the documents and the words of the search."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Table, Text, delete, func, literal_column, select
from sqlalchemy.orm import Session

from festaf.registry_api.bulk import add_rows, change, fetch
from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable
from festaf.registry_api.memory import recall
from festaf.registry_api.prepared import STATEMENTS, Prepared, given, inserting, prepare
from festaf.registry_api.search.document import Described
from festaf.registry_api.search.repository import SearchRepository
from festaf.registry_api.search.spelling import variants
from festaf.registry_api.search.tables import DocumentTable, VariantTable

CHUNK = 400
KEPT = ("feature_id", "project", "compact", "lexemes")


class IndexRepository:
    """Documents and words, kept."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.search = SearchRepository(session)

    def keep(self, described: Sequence[Described]) -> None:
        """Write the documents of features, new or changed, and learn their words."""
        if not described:
            return
        rows = [
            {
                "feature_id": item.feature_id,
                "project": item.project,
                "compact": item.compact,
                "lexemes": " ".join(item.lexemes()),
            }
            for item in {item.feature_id: item for item in described}.values()
        ]
        connection = self.session.connection()
        _keeping(connection.dialect).run(connection, rows)
        self._learn({word for item in described for word in item.spelled_words()})

    def feature_sets(self, ids: Collection[int]) -> dict[int, tuple[str, str]]:
        """Give project and name of feature sets by their ids."""
        query = select(FeatureSetTable.id, FeatureSetTable.project, FeatureSetTable.name)
        return {row[0]: (row[1], row[2]) for row in fetch(self.session, query, FeatureSetTable.id, ids)}

    def remove(self, feature_ids: Collection[int]) -> None:
        """Remove the documents of features."""
        change(self.session, delete(DocumentTable), DocumentTable.feature_id, feature_ids)

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
        met = {word for word in words if memory.get(("word", word)) is None}
        new = sorted(met - self.search.spelled(met))
        add_rows(
            self.session,
            VariantTable,
            [{"variant": item, "word": word} for word in new for item in sorted(variants(word))],
        )
        for word in met:
            memory.put(("word", word), True)


@lru_cache(maxsize=STATEMENTS)
def _keeping(dialect: Dialect) -> Prepared:
    table: Any = DocumentTable.__table__
    assert isinstance(table, Table)
    types = {name: Text() if name == "lexemes" else table.c[name].type for name in KEPT}
    row = given(dialect, types)
    if dialect.name == "postgresql":
        row["lexemes"] = func.array_to_tsvector(func.string_to_array(row["lexemes"], literal_column("' '")))
    statement = inserting(dialect, table, row)
    changed = {name: statement.excluded[name] for name in KEPT if name != "feature_id"}
    return prepare(statement.on_conflict_do_update(index_elements=["feature_id"], set_=changed), dialect, types)
