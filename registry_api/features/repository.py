"""The SQL of features: what was said and written, and the newest of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from festaf.registry_api.features.first_told import first_said, first_written
from festaf.registry_api.features.tables import (
    DefinitionTable,
    FeatureSetTable,
    FeatureTable,
    FeatureVersionTable,
    WriteTable,
)
from festaf.registry_api.viewpoint import AS_OF, Viewpoint, standing

CHUNK = 400


class FeatureRepository:
    """Features and what is known of them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, project: str, feature_set: str, name: str) -> FeatureTable | None:
        """Give a feature that something speaks of, or spoke of until it was taken back."""
        asked = {"project": project, "feature_set": feature_set, "name": name}
        return self.session.scalars(_by_name(), asked).first()

    def find_set(self, project: str, feature_set: str) -> FeatureSetTable | None:
        """Give a feature set by name."""
        return self.session.scalars(
            select(FeatureSetTable).where(FeatureSetTable.project == project, FeatureSetTable.name == feature_set)
        ).first()

    def features(self, feature_set_id: int, ids: Collection[int] | None) -> list[FeatureTable]:
        """Give features of a set: those, or all."""
        query = select(FeatureTable).where(FeatureTable.feature_set_id == feature_set_id).order_by(FeatureTable.name)
        if ids is None:
            return list(self.session.scalars(query))
        return [
            row
            for chunk in _chunks(sorted(ids))
            for row in self.session.scalars(query.where(FeatureTable.id.in_(chunk)))
        ]

    def features_of_sets(self, asked: Mapping[int, Collection[int] | None]) -> dict[int, list[FeatureTable]]:
        """Give features of sets: those, or with None all of a set."""
        found: dict[int, list[FeatureTable]] = {set_id: [] for set_id in asked}
        whole = [set_id for set_id, ids in asked.items() if ids is None]
        some = [feature_id for ids in asked.values() for feature_id in ids or ()]
        for column, keys in ((FeatureTable.feature_set_id, whole), (FeatureTable.id, some)):
            for chunk in _chunks(sorted(keys)):
                for row in self.session.scalars(select(FeatureTable).where(column.in_(chunk))):
                    found[row.feature_set_id].append(row)
        return found

    def feature_set(self, feature_set_id: int) -> FeatureSetTable:
        """Give a feature set."""
        return self.session.get_one(FeatureSetTable, feature_set_id)

    def newest_definitions(self, feature_set_id: int, view: Viewpoint) -> dict[str, DefinitionTable]:
        """Give by kind the newest statement about a set as a whole."""
        return self.newest_definitions_of_sets([feature_set_id], view).get(feature_set_id, {})

    def newest_definitions_of_sets(
        self, feature_set_ids: Collection[int], view: Viewpoint
    ) -> dict[int, dict[str, DefinitionTable]]:
        """Give by set and kind the newest statement about sets as a whole."""
        ids: list[int] = []
        for chunk in _chunks(sorted(feature_set_ids)):
            asked = {"feature_sets": chunk, **view.asked}
            rows = self.session.execute(_newest_definitions(view.dated, view.known), asked)
            ids += [definition_id for row in rows for definition_id in row if definition_id is not None]
        found: dict[int, dict[str, DefinitionTable]] = {}
        for chunk in _chunks(sorted(ids)):
            for definition in self.session.scalars(select(DefinitionTable).where(DefinitionTable.id.in_(chunk))):
                found.setdefault(definition.feature_set_id, {})[definition.kind] = definition
        return found

    def writes(self, pairs: set[tuple[int, int]], view: Viewpoint) -> dict[tuple[int, int], WriteTable]:
        """Give what runs wrote into sets, by the ids of run and set."""
        found: dict[tuple[int, int], WriteTable] = {}
        for chunk in _chunks(sorted(pairs)):
            runs = sorted({run_id for run_id, _ in chunk})
            sets = sorted({set_id for _, set_id in chunk})
            rows = self.session.scalars(_writes(view.known), {"runs": runs, "sets": sets, **view.asked})
            found |= {pair: row for row in rows if (pair := (row.run_id, row.feature_set_id)) in pairs}
        return found

    def declared_orders(self, feature_ids: Collection[int], view: Viewpoint) -> dict[int, list[str]]:
        """Give by feature the hashes of every declared content that is still said, by when it was first said."""
        found: dict[int, list[tuple[datetime, str]]] = {}
        for chunk in _chunks(sorted(feature_ids)):
            asked = {"features": chunk, **view.asked}
            for feature_id, sha256, *known in self.session.execute(_declared_orders(view.known), asked):
                if moments := [moment for moment in known if moment]:
                    found.setdefault(feature_id, []).append((min(moments), sha256))
        return {feature_id: [sha256 for _, sha256 in sorted(items)] for feature_id, items in found.items()}

    def contents(self, feature_id: int, hashes: Collection[str]) -> dict[str, dict[str, Any]]:
        """Give contents of a feature by their hashes."""
        query = select(FeatureVersionTable.sha256, FeatureVersionTable.content)
        return {
            sha256: content
            for chunk in _chunks(sorted(hashes))
            for sha256, content in self.session.execute(
                query.where(FeatureVersionTable.feature_id == feature_id, FeatureVersionTable.sha256.in_(chunk))
            )
        }


@cache
def _by_name() -> Select[FeatureTable]:
    return (
        select(FeatureTable)
        .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
        .where(
            FeatureSetTable.project == bindparam("project"),
            FeatureSetTable.name == bindparam("feature_set"),
            FeatureTable.name == bindparam("name"),
        )
    )


@cache
def _writes(known: bool) -> Select[Any]:
    query = select(WriteTable).where(*standing(WriteTable, known))
    return query.where(
        WriteTable.run_id.in_(bindparam("runs", expanding=True)),
        WriteTable.feature_set_id.in_(bindparam("sets", expanding=True)),
    )


@cache
def _newest_definitions(dated: bool, known: bool) -> Select[Any]:
    kinds = ("declared", "described", "observed", "retired")
    seen = [DefinitionTable.said_at <= AS_OF] if dated else []
    return select(
        *(
            select(DefinitionTable.id)
            .where(DefinitionTable.feature_set_id == FeatureSetTable.id, DefinitionTable.kind == kind)
            .where(*standing(DefinitionTable, known), *seen)
            .order_by(DefinitionTable.said_at.desc(), DefinitionTable.sha256.desc())
            .limit(1)
            .scalar_subquery()
            for kind in kinds
        )
    ).where(FeatureSetTable.id.in_(bindparam("feature_sets", expanding=True)))


@cache
def _declared_orders(known: bool) -> Select[*tuple[Any, ...]]:
    version_id = FeatureVersionTable.id
    moments = (first_said(version_id, known=known), first_written(version_id, known=known))
    columns = (FeatureVersionTable.feature_id, FeatureVersionTable.sha256)
    return select(*columns, *moments).where(
        FeatureVersionTable.feature_id.in_(bindparam("features", expanding=True)),
        FeatureVersionTable.declared.is_(True),
    )


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
