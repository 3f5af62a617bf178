"""The SQL of the present: what is repeated on the features' rows, joined with what it stands for in one statement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, and_, func, join, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.features.first_told import first_said, first_written
from festaf.registry_api.features.named import named_features
from festaf.registry_api.features.tables import (
    FeatureSetTable,
    FeatureSourceTable,
    FeatureTable,
    FeatureVersionTable,
    WriteTable,
)
from festaf.registry_api.features.written_repository import newest_whole_write, newest_write_of_feature
from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.graph.tables import NodeTable
from festaf.registry_api.listed import is_sqlite, one_of, write_listed, write_values
from festaf.registry_api.table import Moment

FeatureName = tuple[str, str, str]
"""Project, feature set and feature."""


@dataclass(frozen=True, slots=True)
class DeclaredSource:
    """A source that the content of a feature names, which is in force now."""

    feature: FeatureName
    source: NodeName
    source_id: int
    since: datetime
    said_at: datetime
    last_run: str | None
    """Airflow's run id of the newest write, if it said that content."""


class PresentRepository:
    """Features as they are now."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.sqlite = is_sqlite(session)

    def sources_of(self, features: Collection[FeatureName]) -> list[DeclaredSource]:
        """Give the sources that the authors of features declare."""
        return _declared(self._rows(declared_query("feature", self.sqlite), write_listed(sorted(features))))

    def fed_by(self, node_ids: Collection[int]) -> list[DeclaredSource]:
        """Give the declared sources that are among some nodes."""
        asked = {"nodes": write_values(sorted(node_ids))}
        return _declared(self._rows(declared_query("source", self.sqlite), asked))

    def retired(self, features: Collection[FeatureName]) -> set[FeatureName]:
        """Give those of the features that were retired."""
        rows = self._rows(_retired(self.sqlite), write_listed(sorted(features))) if features else []
        return {(project, feature_set, name) for project, feature_set, name in rows}

    def _rows(self, query: Select[*tuple[Any, ...]], asked: dict[str, Any]) -> list[Any]:
        return list(self.session.connection().execute(query, asked))


def _declared(rows: Iterable[Any]) -> list[DeclaredSource]:
    found: list[DeclaredSource] = []
    for row in rows:
        moments = [moment for moment in (row.since_said, row.since_written) if moment]
        if moments and row.said_at:
            source = NodeName(row.kind, row.namespace, row.source, row.field)
            name = (row.project, row.feature_set, row.feature)
            found.append(DeclaredSource(name, source, row.node_id, min(moments), row.said_at, _last_run(row)))
    return found


def _last_run(row: Any) -> str | None:
    """Choose between the newest write that listed the feature and the newest of the whole set."""
    listed: tuple[datetime | None, UUID | None, str | None] = (row.listed_at, row.listed_uuid, row.listed_run)
    whole: tuple[datetime | None, UUID | None, str | None] = (row.whole_at, row.whole_uuid, row.whole_run)
    written = [(at, uuid.hex, run) for at, uuid, run in (listed, whole) if at and uuid]
    newest = max(written, key=lambda item: item[:2], default=None)
    return newest[2] if newest and newest[0] >= row.said_at else None


@cache
def declared_query(by: Literal["feature", "source"], sqlite: bool) -> Select[*tuple[Any, ...]]:
    """Build the query for the sources of the contents in force, of some features or at some nodes."""
    listed, whole = aliased(WriteTable), aliased(WriteTable)
    listed_run, whole_run = aliased(RunTable), aliased(RunTable)
    query = (
        select(
            FeatureSetTable.project,
            FeatureSetTable.name.label("feature_set"),
            FeatureTable.name.label("feature"),
            FeatureTable.said_at,
            NodeTable.id.label("node_id"),
            NodeTable.kind,
            NodeTable.namespace,
            NodeTable.name.label("source"),
            NodeTable.field,
            _first_named(first_said).label("since_said"),
            _first_named(first_written).label("since_written"),
            listed.ended_at.label("listed_at"),
            listed_run.uuid.label("listed_uuid"),
            listed_run.airflow_run_id.label("listed_run"),
            whole.ended_at.label("whole_at"),
            whole_run.uuid.label("whole_uuid"),
            whole_run.airflow_run_id.label("whole_run"),
        )
        .select_from(_sourced() if by == "source" else _naming_sources(sqlite=sqlite))
        .join(NodeTable, NodeTable.id == FeatureSourceTable.node_id)
        .outerjoin(listed, listed.id == newest_write_of_feature())
        .outerjoin(listed_run, listed_run.id == listed.run_id)
        .outerjoin(whole, whole.id == newest_whole_write())
        .outerjoin(whole_run, whole_run.id == whole.run_id)
    )
    if by == "feature":
        return query
    return query.where(one_of(FeatureSourceTable.node_id, "nodes", sqlite=sqlite))


def _naming_sources(*, sqlite: bool) -> FromClause:
    """Join features that are named with the sources that their contents in force name."""
    of_content = FeatureSourceTable.version_id == FeatureTable.content_id
    return join(named_features(sqlite=sqlite), FeatureSourceTable, of_content)


def _sourced() -> FromClause:
    """Join sources with the features of which a content in force names them; the content knows its feature."""
    contents = join(FeatureSourceTable, FeatureVersionTable, FeatureVersionTable.id == FeatureSourceTable.version_id)
    of_feature = FeatureTable.id == FeatureVersionTable.feature_id
    in_force = FeatureTable.content_id == FeatureVersionTable.id
    features = join(contents, FeatureTable, and_(of_feature, in_force))
    return join(features, FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)


@cache
def _retired(sqlite: bool) -> Select[*tuple[Any, ...]]:
    columns = (FeatureSetTable.project, FeatureSetTable.name, FeatureTable.name)
    return select(*columns).select_from(named_features(sqlite=sqlite)).where(FeatureTable.deleted.is_(True))


def _first_named(first: Callable[[InstrumentedAttribute[int]], ColumnElement[datetime | None]]) -> Any:
    """Read when any content of the feature that names the source was first said; earlier ones may have named it."""
    version, source = aliased(FeatureVersionTable), aliased(FeatureSourceTable)
    query = (
        select(func.min(first(version.id)))
        .select_from(version)
        .join(source, source.version_id == version.id)
        .where(version.feature_id == FeatureTable.id, source.node_id == FeatureSourceTable.node_id)
    )
    return type_coerce(query.correlate(FeatureTable, FeatureSourceTable).scalar_subquery(), Moment)
