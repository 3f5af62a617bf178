"""Feature sets and features by the names that a question lists, whatever projects they are of.

PostgreSQL takes a list for a hundred rows, and would rather read every feature set once than ask an index so often. So
each name is looked up by itself there.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, and_, join, select
from sqlalchemy.orm import aliased

from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable
from festaf.registry_api.listed import listed


def named_sets(*, sqlite: bool) -> FromClause:
    """Give the feature sets of which project and name are listed."""
    given, (project, feature_set) = listed(2, sqlite=sqlite)
    return join(given, FeatureSetTable, _is_set(project, feature_set, sqlite=sqlite))


def named_features(*, sqlite: bool) -> FromClause:
    """Give the features of which project, set and name are listed, with their sets."""
    given, (project, feature_set, name) = listed(3, sqlite=sqlite)
    sets = join(given, FeatureSetTable, _is_set(project, feature_set, sqlite=sqlite))
    return join(sets, FeatureTable, _is_feature(name, sqlite=sqlite))


def _is_set(project: ColumnElement[str], name: ColumnElement[str], *, sqlite: bool) -> ColumnElement[bool]:
    if sqlite:
        return and_(FeatureSetTable.project == project, FeatureSetTable.name == name)
    named = aliased(FeatureSetTable)
    found = select(named.id).where(named.project == project, named.name == name)
    return FeatureSetTable.id == found.correlate_except(named).scalar_subquery()


def _is_feature(name: ColumnElement[str], *, sqlite: bool) -> ColumnElement[bool]:
    if sqlite:
        return and_(FeatureTable.feature_set_id == FeatureSetTable.id, FeatureTable.name == name)
    named = aliased(FeatureTable)
    found = select(named.id).where(named.feature_set_id == FeatureSetTable.id, named.name == name)
    return FeatureTable.id == found.correlate_except(named).scalar_subquery()
