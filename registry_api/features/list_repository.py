"""The SQL of lists of features, by project, set and name: built once for each kind of list."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, or_, select, tuple_
from sqlalchemy.orm import Session

from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable

KEY = (FeatureSetTable.project, FeatureSetTable.name, FeatureTable.name)
FILTERS = {
    "project": FeatureSetTable.project,
    "feature_set": FeatureSetTable.name,
    "owner": FeatureTable.owner,
    "dag_id": FeatureTable.dag_id,
    "dag_namespace": FeatureTable.dag_namespace,
}
SUMMARY = (
    FeatureSetTable.project,
    FeatureSetTable.name.label("feature_set"),
    FeatureTable.name,
    FeatureTable.type,
    FeatureTable.description,
    FeatureTable.owner,
    FeatureTable.dag_id,
    FeatureTable.dag_namespace,
    FeatureTable.last_written,
    FeatureTable.deleted,
)
"""What a list shows of a feature, under the names of the contract."""
ESCAPE = "/"
ESCAPED = re.compile(r"[%_/]")
"""What has a meaning of its own in a pattern."""


class Kind(NamedTuple):
    """What a query is built by."""

    wanted: tuple[str, ...]
    text: bool
    further: bool
    bounded: bool


@dataclass(frozen=True)
class Asked:
    """Which features are asked for, and where the page begins and ends."""

    wanted: Mapping[str, str]
    """Values that columns must have, by the names in ``FILTERS``."""
    limit: int
    text: str | None = None
    """A part of the name or the description, in any case."""
    after: tuple[str, ...] | None = None
    projects: Collection[str] | None = None
    """Those that may be seen; None for all."""

    @property
    def kind(self) -> Kind:
        """Give the kind of query."""
        return Kind(tuple(sorted(self.wanted)), bool(self.text), self.after is not None, self.projects is not None)

    @property
    def values(self) -> dict[str, Any]:
        """Give the parameters of the query."""
        found: dict[str, Any] = {**self.wanted, "most": self.limit}
        if self.text:
            found["text"] = ESCAPED.sub(rf"{ESCAPE}\g<0>", self.text)
        if self.after is not None:
            found |= {f"after_{place}": value for place, value in enumerate(self.after)}
        if self.projects is not None:
            found["projects"] = sorted(self.projects)
        return found


class ListRepository:
    """Lists features."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def summaries(self, asked: Asked) -> list[dict[str, Any]]:
        """Give what a list shows of features of which anything stands now."""
        query = _query(asked.kind, present=True)
        return [dict(row) for row in self.session.connection().execute(query, asked.values).mappings()]

    def rows(self, asked: Asked) -> list[tuple[FeatureTable, FeatureSetTable]]:
        """Give features of which anything stands now, or stood."""
        return [
            (feature, group) for feature, group in self.session.execute(_query(asked.kind, present=False), asked.values)
        ]


@lru_cache(maxsize=400)
def _query(kind: Kind, *, present: bool) -> Select[*tuple[Any, ...]]:
    query = select(*SUMMARY) if present else select(FeatureTable, FeatureSetTable)
    query = query.join_from(FeatureTable, FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
    query = query.where(*(FILTERS[name] == bindparam(name) for name in kind.wanted))
    if present:
        query = query.where(FeatureTable.first_seen.is_not(None))
    if kind.bounded:
        query = query.where(FeatureSetTable.project.in_(bindparam("projects", expanding=True)))
    if kind.text:
        said = (FeatureTable.name, FeatureTable.description)
        query = query.where(or_(*(column.icontains(bindparam("text"), escape=ESCAPE) for column in said)))
    if kind.further:
        query = query.where(tuple_(*KEY) > tuple_(*(bindparam(f"after_{place}") for place in range(len(KEY)))))
    return query.order_by(*KEY).limit(bindparam("most"))
