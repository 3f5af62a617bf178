"""The SQL of declared sources: the edges into features that their authors named."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from festaf.registry_api.features.first_told import first_said, first_written
from festaf.registry_api.features.named import named_features, named_sets
from festaf.registry_api.features.present_repository import FeatureName
from festaf.registry_api.features.tables import (
    FeatureSetTable,
    FeatureSourceTable,
    FeatureTable,
    FeatureVersionTable,
)
from festaf.registry_api.listed import is_sqlite, write_listed
from festaf.registry_api.viewpoint import Viewpoint

CHUNK = 200


class SourceRepository:
    """Sources of declared contents."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def features(self, names: Collection[FeatureName]) -> dict[FeatureName, FeatureTable]:
        """Give features by project, set and name."""
        asked = write_listed(sorted(names))
        rows = self.session.execute(_features(is_sqlite(self.session)), asked) if names else ()
        return {(project, feature_set, row.name): row for project, feature_set, row in rows}

    def sets(self, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Give the ids of feature sets by project and name."""
        asked = write_listed(sorted(names))
        rows = self.session.connection().execute(_sets(is_sqlite(self.session)), asked) if names else ()
        return {(project, name): set_id for project, name, set_id in rows}

    def names(self, project: str, feature_set: str) -> list[str]:
        """Give the names of the features of a set."""
        asked = {"project": project, "feature_set": feature_set}
        return list(self.session.connection().execute(_names(), asked).scalars())

    def fed_by(self, node_ids: Collection[int]) -> list[tuple[FeatureTable, FeatureSetTable]]:
        """Give the features that any declared content ever made from one of the nodes."""
        query = (
            select(FeatureTable, FeatureSetTable)
            .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
            .join(FeatureVersionTable, FeatureVersionTable.feature_id == FeatureTable.id)
            .join(FeatureSourceTable, FeatureSourceTable.version_id == FeatureVersionTable.id)
            .order_by(FeatureTable.id)
        )
        ordered = sorted(node_ids)
        found: dict[int, tuple[FeatureTable, FeatureSetTable]] = {}
        for start in range(0, len(ordered), CHUNK):
            chunk = FeatureSourceTable.node_id.in_(ordered[start : start + CHUNK])
            for feature, feature_set in self.session.execute(query.where(chunk)):
                found[feature.id] = (feature, feature_set)
        return list(found.values())

    def sources(self, feature_ids: Collection[int], view: Viewpoint) -> list[tuple[int, int, int, datetime | None]]:
        """Give feature id, version id, node id, and when that version was first said, of every declared content."""
        query = _sources(view.known)
        ordered = sorted(feature_ids)
        return [
            (feature, version, node, min((moment for moment in moments if moment), default=None))
            for start in range(0, len(ordered), CHUNK)
            for feature, version, node, *moments in self.session.execute(
                query, {"features": ordered[start : start + CHUNK], **view.asked}
            )
        ]


@cache
def _features(sqlite: bool) -> Select[*tuple[Any, ...]]:
    columns = (FeatureSetTable.project, FeatureSetTable.name, FeatureTable)
    return select(*columns).select_from(named_features(sqlite=sqlite))


@cache
def _sets(sqlite: bool) -> Select[*tuple[Any, ...]]:
    columns = (FeatureSetTable.project, FeatureSetTable.name, FeatureSetTable.id)
    return select(*columns).select_from(named_sets(sqlite=sqlite))


@cache
def _names() -> Select[Any]:
    return (
        select(FeatureTable.name)
        .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
        .where(FeatureSetTable.project == bindparam("project"), FeatureSetTable.name == bindparam("feature_set"))
        .order_by(FeatureTable.name)
    )


@cache
def _sources(known: bool) -> Select[*tuple[Any, ...]]:
    return (
        select(
            FeatureVersionTable.feature_id,
            FeatureVersionTable.id,
            FeatureSourceTable.node_id,
            first_said(FeatureVersionTable.id, known=known),
            first_written(FeatureVersionTable.id, known=known),
        )
        .join(FeatureSourceTable, FeatureSourceTable.version_id == FeatureVersionTable.id)
        .where(FeatureVersionTable.feature_id.in_(bindparam("features", expanding=True)))
    )
