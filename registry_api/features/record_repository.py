"""The SQL of recording what batches say of features: each table is read and written once for a whole batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Dialect, delete, or_, select, update
from sqlalchemy.orm import Session

from festaf.registry_api.bulk import Key, add_numbered, add_rows, change, change_rows, ensure, fetch
from festaf.registry_api.features.tables import (
    DeclarationTable,
    DefinitionTable,
    FeatureListTable,
    FeatureSetTable,
    FeatureSourceTable,
    FeatureTable,
    FeatureVersionTable,
    ListedVersionTable,
    WriteTable,
)
from festaf.registry_api.prepared import STATEMENTS, Prepared, given, prepare
from festaf.registry_api.upsert import insert_missing

Rows = list[dict[str, Any]]
DEFINED = ("run_id", "feature_set_id", "kind", "said_at", "sha256")
FOLLOWED = ("which", "content", "declares", "dag", "namespace", "first_at", "last_at")
"""A feature, the content said, whether it is declared, the writing DAG and its Airflow, and the first and last time."""


class WriteRow(NamedTuple):
    """What a write says."""

    run_id: int
    feature_set_id: int
    ended_at: datetime
    lists_features: bool
    feature_list_id: int | None
    rows_read: int | None
    rows_accepted: int | None
    rows_rejected: int | None
    last_event_time: datetime | None


class RecordRepository:
    """Rows of features, as batches change them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def ensure_sets(self, names: Iterable[tuple[str, str]]) -> tuple[dict[Key, int], set[Key]]:
        """Give the ids of feature sets by project and name, and which are new."""
        rows = {name: {"project": name[0], "name": name[1]} for name in names}
        unique = (FeatureSetTable.project, FeatureSetTable.name)
        return ensure(self.session, FeatureSetTable, FeatureSetTable.id, unique, rows)

    def ensure_features(self, names: Iterable[tuple[int, str]]) -> tuple[dict[Key, int], set[Key]]:
        """Give the ids of features by set and name, and which are new."""
        rows = {name: {"feature_set_id": name[0], "name": name[1], "deleted": False} for name in names}
        unique = (FeatureTable.feature_set_id, FeatureTable.name)
        return ensure(self.session, FeatureTable, FeatureTable.id, unique, rows, remembered=False)

    def ensure_versions(self, rows: Mapping[Key, Mapping[str, Any]]) -> tuple[dict[Key, int], set[Key]]:
        """Give the ids of contents by feature and hash, and which are new."""
        unique = (FeatureVersionTable.feature_id, FeatureVersionTable.sha256)
        return ensure(self.session, FeatureVersionTable, FeatureVersionTable.id, unique, rows, remembered=False)

    def ensure_lists(self, keys: Iterable[tuple[int, str]]) -> tuple[dict[Key, int], set[Key]]:
        """Give the ids of lists of contents by set and hash, and which are new."""
        rows = {key: {"feature_set_id": key[0], "sha256": key[1]} for key in keys}
        unique = (FeatureListTable.feature_set_id, FeatureListTable.sha256)
        return ensure(self.session, FeatureListTable, FeatureListTable.id, unique, rows)

    def fill_lists(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Store which contents, by id, are in which list."""
        rows = [{"version_id": version, "feature_list_id": number} for version, number in sorted(pairs)]
        insert_missing(self.session, ListedVersionTable, rows, ["version_id", "feature_list_id"])

    def keep_sources(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Store which content, by version id, names which node."""
        rows = [{"version_id": version, "node_id": node} for version, node in sorted(pairs)]
        insert_missing(self.session, FeatureSourceTable, rows, ["version_id", "node_id"])

    def definitions(self, run_ids: Collection[int]) -> list[tuple[int, Key, dict[int, tuple[int, bool]]]]:
        """Give what runs say of sets: id, the columns ``DEFINED``, and version by feature."""
        columns = [getattr(DefinitionTable, name) for name in DEFINED]
        query = select(DefinitionTable.id, *columns).where(DefinitionTable.superseded_at.is_(None))
        found = list(fetch(self.session, query, DefinitionTable.run_id, run_ids))
        declared: dict[int, dict[int, tuple[int, bool]]] = defaultdict(dict)
        said = select(
            DeclarationTable.definition_id,
            DeclarationTable.feature_id,
            DeclarationTable.version_id,
            DeclarationTable.declared,
        )
        for definition, feature, version, flag in fetch(
            self.session, said, DeclarationTable.definition_id, [row[0] for row in found]
        ):
            declared[definition][feature] = (version, flag)
        return [(row[0], tuple(row[1:]), declared[row[0]]) for row in found]

    def writes(self, run_ids: Collection[int]) -> list[tuple[int, WriteRow]]:
        """Give what runs wrote, by id."""
        columns = [getattr(WriteTable, name) for name in WriteRow._fields]
        query = select(WriteTable.id, *columns).where(WriteTable.superseded_at.is_(None))
        return [(row[0], WriteRow(*row[1:])) for row in fetch(self.session, query, WriteTable.run_id, run_ids)]

    def listed(self, list_ids: Collection[int]) -> dict[int | None, dict[int, int]]:
        """Give by list the content of each feature, by ids."""
        query = select(ListedVersionTable.feature_list_id, FeatureVersionTable.feature_id, FeatureVersionTable.id)
        query = query.join(FeatureVersionTable, FeatureVersionTable.id == ListedVersionTable.version_id)
        found: dict[int | None, dict[int, int]] = defaultdict(dict)
        for number, feature, version in fetch(self.session, query, ListedVersionTable.feature_list_id, list_ids):
            found[number][feature] = version
        return found

    def end_definitions(self, ids: Collection[int], now: datetime) -> None:
        """End definitions with their declarations."""
        own, parts = DefinitionTable.id, DeclarationTable.definition_id
        change(self.session, delete(DeclarationTable).where(DeclarationTable.recorded_at == now), parts, ids)
        change(self.session, delete(DefinitionTable).where(DefinitionTable.recorded_at == now), own, ids)
        change(self.session, update(DeclarationTable).values(superseded_at=now), parts, ids)
        change(self.session, update(DefinitionTable).values(superseded_at=now), own, ids)

    def end_writes(self, ids: Collection[int], now: datetime) -> None:
        """End writes."""
        change(self.session, delete(WriteTable).where(WriteTable.recorded_at == now), WriteTable.id, ids)
        change(self.session, update(WriteTable).values(superseded_at=now), WriteTable.id, ids)

    def add_definitions(self, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Store definitions; give their ids."""
        return add_numbered(self.session, DefinitionTable, DefinitionTable.id, rows)

    def add_declarations(self, rows: Rows) -> None:
        """Store declarations."""
        add_rows(self.session, DeclarationTable, rows)

    def add_writes(self, rows: Rows) -> None:
        """Store writes."""
        add_rows(self.session, WriteTable, rows)

    def follow(self, columns: Mapping[str, Sequence[Any]]) -> int:
        """Note on features' rows a write that is newer than all they repeat and changes nothing else they repeat.

        Rows that would repeat something else are left alone; give how many were changed.

        :param columns: ``FOLLOWED`` of each feature
        """
        connection = self.session.connection()
        return _following(connection.dialect).run_columns(connection, columns)

    def change_features(self, rows: Rows) -> None:
        """Change what features' own rows repeat."""
        change_rows(self.session, FeatureTable, FeatureTable.id, rows)

    def rows_of(self, feature_ids: Collection[int]) -> dict[int, Any]:
        """Give what is repeated on features' own rows."""
        query = select(
            FeatureTable.id,
            FeatureTable.first_seen,
            FeatureTable.last_written,
            FeatureTable.deleted,
            FeatureTable.version_id,
            FeatureTable.content_id,
            FeatureTable.said_at,
            FeatureTable.dag_id,
            FeatureTable.dag_namespace,
        )
        return {row.id: row for row in fetch(self.session, query, FeatureTable.id, feature_ids)}


@lru_cache(maxsize=STATEMENTS)
def _following(dialect: Dialect) -> Prepared:
    own = FeatureTable
    like = (own.id, own.content_id, own.deleted, own.dag_id, own.dag_namespace, own.said_at, own.said_at)
    types = {name: column.type for name, column in zip(FOLLOWED, like, strict=True)}
    row = given(dialect, types)
    statement = (
        update(own)
        .where(
            own.id == row["which"],
            own.first_seen.is_not(None),
            own.deleted.is_(False),
            own.version_id.is_not(None) == row["declares"],
            own.content_id == row["content"],
            own.dag_id.is_not_distinct_from(row["dag"]),
            own.dag_namespace.is_not_distinct_from(row["namespace"]),
            own.said_at < row["first_at"],
            or_(own.last_written.is_(None), own.last_written < row["first_at"]),
        )
        .values({"said_at": row["last_at"], "last_written": row["last_at"]})
    )
    return prepare(statement, dialect, types)
