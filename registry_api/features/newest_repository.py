"""The SQL of "what is the newest?": for many features at once, now or at an earlier time, by index seeks only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from festaf.registry_api.dags.tables import DagTable, RunTable
from festaf.registry_api.features.tables import (
    DeclarationTable,
    FeatureTable,
    FeatureVersionTable,
    ProductionTable,
    WriteTable,
)
from festaf.registry_api.table import Moment

CHUNK = 200
AS_OF = bindparam("as_of", type_=Moment())
Said = type[DeclarationTable] | type[ProductionTable]


@dataclass(frozen=True)
class Saying:
    """A content of a feature and when it was said."""

    at: datetime
    version: FeatureVersionTable

    @property
    def order(self) -> tuple[datetime, str]:
        """Order sayings; the hash decides between equal times."""
        return self.at, self.version.sha256


@dataclass(frozen=True)
class Production:
    """A run that wrote."""

    ended_at: datetime
    run: RunTable
    dag_id: str | None

    @property
    def order(self) -> tuple[datetime, str]:
        """Order productions; the run's id decides between equal times."""
        return self.ended_at, self.run.uuid.hex


@dataclass(frozen=True)
class Newest:
    """The newest of what was said and written of one feature."""

    feature: FeatureTable
    first_said: datetime | None
    last_said: datetime | None
    """The last time that a definition or a write named it."""
    saying: Saying | None
    """The newest declared content; the newest name and type when none was ever declared."""
    production: Production | None


class NewestRepository:
    """Reads the newest facts, as they were at a time when one is given."""

    def __init__(self, session: Session, as_of: datetime | None) -> None:
        self.session = session
        self.as_of = as_of

    def of(self, feature_set_id: int, features: Collection[FeatureTable]) -> list[Newest]:
        """Give the newest of each feature of one set."""
        whole = self._whole_write(feature_set_id)
        ordered = sorted(features, key=lambda feature: feature.name)
        found: list[Newest] = []
        for start in range(0, len(ordered), CHUNK):
            found += self._chunk(ordered[start : start + CHUNK], whole)
        return found

    def _chunk(self, features: Sequence[FeatureTable], whole: Production | None) -> list[Newest]:
        by_id = {feature.id: feature for feature in features}
        asked = {"features": list(by_id)} | ({"as_of": self.as_of} if self.as_of else {})
        rows = self.session.execute(newest_query(dated=self.as_of is not None), asked).all()
        versions = self._versions({value for row in rows for value in row[5:9] if value is not None})
        runs = self._runs({row.run_id for row in rows if row.run_id is not None})
        by_row = {row.id: row for row in rows}
        return [self._newest(feature, by_row[feature.id], versions, runs, whole) for feature in features]

    def _newest(
        self,
        feature: FeatureTable,
        row: Any,
        versions: dict[int, FeatureVersionTable],
        runs: dict[int, tuple[RunTable, str | None]],
        whole: Production | None,
    ) -> Newest:
        declared = _later(
            (row.said_declared_at, versions.get(row.said_declared)),
            (row.written_declared_at, versions.get(row.written_declared)),
        )
        bare = _later((row.last_said, versions.get(row.said)), (row.last_written, versions.get(row.written)))
        listed = Production(row.last_written, *runs[row.run_id]) if row.run_id is not None else None
        return Newest(
            feature=feature,
            first_said=min((moment for moment in (row.first_said, row.first_written) if moment), default=None),
            last_said=max((moment for moment in (row.last_said, row.last_written) if moment), default=None),
            saying=declared or bare,
            production=max((item for item in (listed, whole) if item), key=lambda item: item.order, default=None),
        )

    def _whole_write(self, feature_set_id: int) -> Production | None:
        """Give the newest write that did not say which features it wrote."""
        query = (
            select(WriteTable.ended_at, RunTable, DagTable.dag_id)
            .join(RunTable, RunTable.id == WriteTable.run_id)
            .outerjoin(DagTable, DagTable.id == RunTable.dag_pk)
            .where(WriteTable.feature_set_id == feature_set_id, WriteTable.lists_features.is_(False))
            .where(WriteTable.superseded_at.is_(None))
            .order_by(WriteTable.ended_at.desc(), RunTable.uuid.desc())
            .limit(1)
        )
        if self.as_of is not None:
            query = query.where(WriteTable.ended_at <= self.as_of)
        row = self.session.execute(query).first()
        return Production(*row) if row else None

    def _versions(self, ids: Collection[int]) -> dict[int, FeatureVersionTable]:
        query = select(FeatureVersionTable).where(FeatureVersionTable.id.in_(sorted(ids)))
        return {row.id: row for row in self.session.scalars(query)}

    def _runs(self, ids: Collection[int]) -> dict[int, tuple[RunTable, str | None]]:
        query = (
            select(RunTable, DagTable.dag_id)
            .outerjoin(DagTable, DagTable.id == RunTable.dag_pk)
            .where(RunTable.id.in_(sorted(ids)))
        )
        return {run.id: (run, dag_id) for run, dag_id in self.session.execute(query)}


@cache
def newest_query(*, dated: bool) -> Select[*tuple[Any, ...]]:
    """Build the query once: that takes longer than running it."""
    said, written = DeclarationTable, ProductionTable
    run = (
        select(ProductionTable.run_id)
        .join(RunTable, RunTable.id == ProductionTable.run_id)
        .where(*_of(ProductionTable, dated))
        .order_by(ProductionTable.ended_at.desc(), RunTable.uuid.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(
        FeatureTable.id,
        _bound(said, func.min, dated).label("first_said"),
        _bound(written, func.min, dated).label("first_written"),
        _bound(said, func.max, dated).label("last_said"),
        _bound(written, func.max, dated).label("last_written"),
        _version(said, dated, declared=True).label("said_declared"),
        _version(written, dated, declared=True).label("written_declared"),
        _version(said, dated).label("said"),
        _version(written, dated).label("written"),
        _bound(said, func.max, dated, declared=True).label("said_declared_at"),
        _bound(written, func.max, dated, declared=True).label("written_declared_at"),
        run.label("run_id"),
    ).where(FeatureTable.id.in_(bindparam("features", expanding=True)))


def _of(table: Said, dated: bool, *, declared: bool = False) -> list[ColumnElement[bool]]:
    conditions = [table.feature_id == FeatureTable.id, table.superseded_at.is_(None)]
    if declared:
        conditions.append(table.declared.is_(True))
    if dated:
        conditions.append(_moment(table) <= AS_OF)
    return conditions


def _bound(table: Said, bound: Any, dated: bool, *, declared: bool = False) -> ColumnElement[datetime | None]:
    query = select(bound(_moment(table))).where(*_of(table, dated, declared=declared))
    return type_coerce(query.scalar_subquery(), Moment)


def _version(table: Said, dated: bool, *, declared: bool = False) -> ColumnElement[int | None]:
    query = (
        select(table.version_id)
        .join(FeatureVersionTable, FeatureVersionTable.id == table.version_id)
        .where(*_of(table, dated, declared=declared))
        .order_by(_moment(table).desc(), FeatureVersionTable.sha256.desc())
        .limit(1)
    )
    return query.scalar_subquery()


def _moment(table: Said) -> InstrumentedAttribute[datetime]:
    return table.said_at if table is DeclarationTable else ProductionTable.ended_at


def _later(*said: tuple[datetime | None, FeatureVersionTable | None]) -> Saying | None:
    found = [Saying(at, version) for at, version in said if at and version]
    return max(found, key=lambda item: item.order, default=None)
