"""Feature sets and features by the names that a question lists, whatever projects they are of."""

from __future__ import annotations

from sqlalchemy import FromClause, and_, join

from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable
from festaf.registry_api.listed import listed


def named_sets(*, sqlite: bool) -> FromClause:
    """Give the feature sets of which project and name are listed."""
    given, (project, feature_set) = listed(2, sqlite=sqlite)
    return join(given, FeatureSetTable, and_(FeatureSetTable.project == project, FeatureSetTable.name == feature_set))


def named_features(*, sqlite: bool) -> FromClause:
    """Give the features of which project, set and name are listed, with their sets."""
    given, (project, feature_set, name) = listed(3, sqlite=sqlite)
    sets = join(given, FeatureSetTable, and_(FeatureSetTable.project == project, FeatureSetTable.name == feature_set))
    return join(sets, FeatureTable, and_(FeatureTable.feature_set_id == FeatureSetTable.id, FeatureTable.name == name))
