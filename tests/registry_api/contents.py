"""What the derived tables say, in words instead of ids: two registries that learned the same say the same."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from festaf.registry_api.table import Table

if TYPE_CHECKING:
    from sqlalchemy import Table as SqlTable
    from sqlalchemy.orm import Session

    from festaf.registry_api.database import Database

FACTS = (
    *("definition", "declaration", "feature_set_write", "listed_version", "sighting", "edge", "lifecycle", "alias"),
)
PRODUCTIONS = """
SELECT count(*) FROM feature_set_write w JOIN listed_version l ON l.feature_list_id = w.feature_list_id
WHERE w.superseded_at IS NULL
"""
"""How often a run wrote a feature, as far as that stands."""
NAMES = (
    *("node", "run", "dag", "dag_version", "dag_version_number", "source_blob"),
    *("feature_set", "feature", "edge_set", "feature_list"),
)
CLOCKS = {"recorded_at", "superseded_at"}
IDENTITY = {
    "event": {"dedupe_key"},
    "run": {"uuid"},
    "node": {"key"},
    "dag": {"key"},
    "dag_version": {"dag_pk", "content_sha256"},
    "feature": {"feature_set_id", "name"},
    "feature_version": {"feature_id", "sha256"},
    "edge_set": {"asserter_id", "origin", "sha256"},
    "feature_list": {"feature_set_id", "sha256"},
}
"""What tells a row from the others where another row refers to it; of the other tables it is all that the row says."""
BARE_KEYS = {("feature", "version_id"): "feature_version", ("feature", "content_id"): "feature_version"}
"""Columns that hold an id without a foreign key."""


class _Reader:
    def __init__(self, session: Session, *, history: bool) -> None:
        self.session = session
        self.history = history
        self.words: dict[str, dict[Any, str]] = {}

    def rows(self, name: str) -> list[str]:
        """Give the rows of a table that stand, each as a text."""
        table = Table.metadata.tables[name]
        found = [row for row in self.session.execute(select(table)).mappings() if self._stands(name, row)]
        return sorted(self._text(table, row) for row in found)

    def _stands(self, name: str, row: Any) -> bool:
        if name == "edge_set" and row["last_stated"] is None:
            return False
        if name == "edge":
            return row["edge_set_id"] in self._stated()
        if name == "feature" and row["first_seen"] is None:
            return False
        return self.history or row.get("superseded_at") is None

    def _stated(self) -> set[int]:
        sets = Table.metadata.tables["edge_set"]
        return set(self.session.scalars(select(sets.c.id).where(sets.c.last_stated.is_not(None))))

    def _text(self, table: SqlTable, row: Any) -> str:
        return json.dumps(self._said(table, row), sort_keys=True, default=str)

    def _said(self, table: SqlTable, row: Any, only: set[str] | None = None) -> dict[str, Any]:
        said: dict[str, Any] = {}
        for column in table.columns:
            if only and column.name not in only:
                continue
            value = row[column.name]
            target = next((key.column.table.name for key in column.foreign_keys), None)
            target = target or BARE_KEYS.get((table.name, column.name))
            if column.name == "id" or (column.name in CLOCKS and not self.history):
                continue
            if column.name == "folded":
                value = json.loads(value)
            elif target and target != "source_blob" and value is not None:
                value = self._word(target, value)
            said[column.name] = value
        return said

    def _word(self, name: str, number: Any) -> str:
        """Give a row that another refers to, short."""
        if name not in self.words:
            table = Table.metadata.tables[name]
            self.words[name] = {}
            for row in self.session.execute(select(table)).mappings():
                text = json.dumps(self._said(table, row, IDENTITY.get(name)), sort_keys=True, default=str)
                self.words[name][row["id"]] = hashlib.sha256(text.encode()).hexdigest()
        return self.words[name][number]


def contents(database: Database, *, history: bool = False) -> dict[str, list[str]]:
    """Give the rows of the derived tables by table.

    :param history: with those that stand no longer, and with when each was learned
    """
    with database.reading() as session:
        reader = _Reader(session, history=history)
        return {name: reader.rows(name) for name in (*FACTS, *NAMES)}


def differences(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[tuple[str, list[str], list[str]]]:
    """Give by table the first rows that only one of the two has."""
    return [
        (name, sorted(set(one[name]) - set(other[name]))[:2], sorted(set(other[name]) - set(one[name]))[:2])
        for name in one
        if one[name] != other[name]
    ]
