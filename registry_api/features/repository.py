"""The SQL of features: what was said and written, and the newest of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select, tuple_, type_coerce
from sqlalchemy.orm import Session

from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.features.tables import (
    DeclarationTable,
    DefinitionTable,
    FeatureSetTable,
    FeatureTable,
    FeatureVersionTable,
    ProductionTable,
    WriteTable,
)
from festaf.registry_api.table import Moment

CHUNK = 400


class FeatureRepository:
    """Features and what is known of them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, project: str, feature_set: str, name: str) -> FeatureTable | None:
        """Give a feature that something still speaks of."""
        return self.session.scalars(
            select(FeatureTable)
            .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
            .where(
                FeatureSetTable.project == project,
                FeatureSetTable.name == feature_set,
                FeatureTable.name == name,
                FeatureTable.first_seen.is_not(None),
            )
        ).first()

    def page(
        self,
        wanted: Mapping[str, str],
        text: str | None,
        as_of: datetime | None,
        after: tuple[str, ...] | None,
        limit: int,
    ) -> Sequence[Row[FeatureTable, FeatureSetTable]]:
        """List features by project, feature set and name.

        :param wanted: values that ``project``, ``feature_set``, ``owner`` and ``dag_id`` must have
        """
        key = (FeatureSetTable.project, FeatureSetTable.name, FeatureTable.name)
        columns = dict(zip(("project", "feature_set"), key, strict=False)) | {
            "owner": FeatureTable.owner,
            "dag_id": FeatureTable.dag_id,
        }
        query = (
            select(FeatureTable, FeatureSetTable)
            .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
            .where(FeatureTable.first_seen.is_not(None), *(columns[name] == value for name, value in wanted.items()))
            .order_by(*key)
            .limit(limit)
        )
        if as_of is not None:
            query = query.where(FeatureTable.first_seen <= as_of)
        if text:
            like = [column.icontains(text, autoescape=True) for column in (FeatureTable.name, FeatureTable.description)]
            query = query.where(or_(*like))
        if after is not None:
            query = query.where(tuple_(*key) > tuple_(*after))
        return self.session.execute(query).all()

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

    def feature_set(self, feature_set_id: int) -> FeatureSetTable:
        """Give a feature set."""
        return self.session.get_one(FeatureSetTable, feature_set_id)

    def newest_definition(self, feature_set_id: int, kind: str, as_of: datetime | None) -> DefinitionTable | None:
        """Give the newest statement of a kind about a set."""
        query = select(DefinitionTable).where(
            DefinitionTable.feature_set_id == feature_set_id,
            DefinitionTable.kind == kind,
            DefinitionTable.superseded_at.is_(None),
        )
        query = query.where(DefinitionTable.said_at <= as_of) if as_of else query
        return self.session.scalars(
            query.order_by(DefinitionTable.said_at.desc(), DefinitionTable.sha256.desc()).limit(1)
        ).first()

    def run_and_write(self, run_id: int, feature_set_id: int) -> tuple[RunTable, WriteTable]:
        """Give a run and what it wrote into a set."""
        query = (
            select(RunTable, WriteTable)
            .join(WriteTable, WriteTable.run_id == RunTable.id)
            .where(
                RunTable.id == run_id, WriteTable.feature_set_id == feature_set_id, WriteTable.superseded_at.is_(None)
            )
        )
        row = self.session.execute(query).one()
        return row[0], row[1]

    def declared_order(self, feature_id: int) -> list[str]:
        """Give the hashes of every declared content of a feature that is still said, by when it was first said."""
        said = (
            select(func.min(DeclarationTable.said_at))
            .where(DeclarationTable.version_id == FeatureVersionTable.id, DeclarationTable.superseded_at.is_(None))
            .scalar_subquery()
        )
        written = (
            select(func.min(ProductionTable.ended_at))
            .where(ProductionTable.version_id == FeatureVersionTable.id, ProductionTable.superseded_at.is_(None))
            .scalar_subquery()
        )
        query = select(FeatureVersionTable.sha256, type_coerce(said, Moment), type_coerce(written, Moment)).where(
            FeatureVersionTable.feature_id == feature_id, FeatureVersionTable.declared.is_(True)
        )
        found = [
            (min(moments), sha256)
            for sha256, *known in self.session.execute(query)
            if (moments := [moment for moment in known if moment])
        ]
        return [sha256 for _, sha256 in sorted(found)]


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
