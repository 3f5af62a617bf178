"""The SQL of "what is the newest?": for many features at once, now or at an earlier time, by index seeks only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from festaf.registry_api.dags.tables import DagTable, RunTable
from festaf.registry_api.features.tables import (
    DeclarationTable,
    FeatureSetTable,
    FeatureTable,
    FeatureVersionTable,
    ProductionTable,
    WriteTable,
)
from festaf.registry_api.table import Moment
from festaf.registry_api.viewpoint import AS_OF, Viewpoint, standing

CHUNK = 200
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
    first_written: datetime | None
    last_said: datetime | None
    """The last time that a definition or a write named it."""
    saying: Saying | None
    """The newest declared content; the newest name and type when none was ever declared."""
    production: Production | None


class NewestRepository:
    """Reads the newest facts, as they were at a time when one is given."""

    def __init__(self, session: Session, view: Viewpoint) -> None:
        self.session = session
        self.view = view

    def of_sets(self, features: Mapping[int, Collection[FeatureTable]]) -> dict[int, list[Newest]]:
        """Give the newest of features by their sets, each set's by name."""
        wholes = self._whole_writes(features)
        ordered = sorted((feature for rows in features.values() for feature in rows), key=lambda feature: feature.name)
        found: dict[int, list[Newest]] = {set_id: [] for set_id in features}
        runs: dict[int, tuple[RunTable, str | None]] = {}
        for start in range(0, len(ordered), CHUNK):
            for newest in self._chunk(ordered[start : start + CHUNK], wholes, runs):
                found[newest.feature.feature_set_id].append(newest)
        return found

    def _chunk(
        self,
        features: Sequence[FeatureTable],
        wholes: Mapping[int, Production],
        runs: dict[int, tuple[RunTable, str | None]],
    ) -> list[Newest]:
        """Give the newest of some features.

        :param runs: those that are read already, to which more are added: the state of one is as wide as what it wrote
        """
        by_id = {feature.id: feature for feature in features}
        asked = {"features": list(by_id), **self.view.asked}
        rows = self.session.execute(newest_query(self.view.dated, self.view.known), asked).all()
        versions = self._versions({value for row in rows for value in row[5:9] if value is not None})
        runs |= self._runs({row.run_id for row in rows if row.run_id is not None} - runs.keys())
        by_row = {row.id: row for row in rows}
        return [
            self._newest(feature, by_row[feature.id], versions, runs, wholes.get(feature.feature_set_id))
            for feature in features
        ]

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
            first_written=row.first_written,
            last_said=max((moment for moment in (row.last_said, row.last_written) if moment), default=None),
            saying=declared or bare,
            production=max((item for item in (listed, whole) if item), key=lambda item: item.order, default=None),
        )

    def _whole_writes(self, feature_set_ids: Collection[int]) -> dict[int, Production]:
        """Give by set the newest write that did not say which features it wrote."""
        ordered = sorted(feature_set_ids)
        found: dict[int, Production] = {}
        for start in range(0, len(ordered), CHUNK):
            asked = {"feature_sets": ordered[start : start + CHUNK], **self.view.asked}
            rows = self.session.execute(whole_writes_query(self.view.dated, self.view.known), asked)
            found |= {row[0]: Production(*row[1:]) for row in rows}
        return found

    def _versions(self, ids: Collection[int]) -> dict[int, FeatureVersionTable]:
        return {row.id: row for row in self.session.scalars(_versions_query(), {"versions": sorted(ids)})}

    def _runs(self, ids: Collection[int]) -> dict[int, tuple[RunTable, str | None]]:
        rows = self.session.execute(_runs_query(), {"runs": sorted(ids)}) if ids else ()
        return {run.id: (run, dag_id) for run, dag_id in rows}


@cache
def whole_writes_query(dated: bool, known: bool) -> Select[*tuple[Any, ...]]:
    """Build the query for the newest write of each set that did not say which features it wrote."""
    write, run = aliased(WriteTable), aliased(RunTable)
    newest = (
        select(write.id)
        .join(run, run.id == write.run_id)
        .where(write.feature_set_id == FeatureSetTable.id, write.lists_features.is_(False))
        .where(*standing(write, known), *([write.ended_at <= AS_OF] if dated else []))
        .order_by(write.ended_at.desc(), run.uuid.desc())
        .limit(1)
        .correlate(FeatureSetTable)
        .scalar_subquery()
    )
    return (
        select(FeatureSetTable.id, WriteTable.ended_at, RunTable, DagTable.dag_id)
        .select_from(FeatureSetTable)
        .join(WriteTable, WriteTable.id == newest)
        .join(RunTable, RunTable.id == WriteTable.run_id)
        .outerjoin(DagTable, DagTable.id == RunTable.dag_pk)
        .where(FeatureSetTable.id.in_(bindparam("feature_sets", expanding=True)))
    )


@cache
def _versions_query() -> Select[Any]:
    return select(FeatureVersionTable).where(FeatureVersionTable.id.in_(bindparam("versions", expanding=True)))


@cache
def _runs_query() -> Select[*tuple[Any, ...]]:
    dag = DagTable.id == RunTable.dag_pk
    query = select(RunTable, DagTable.dag_id).outerjoin(DagTable, dag)
    return query.where(RunTable.id.in_(bindparam("runs", expanding=True)))


@cache
def newest_query(dated: bool, known: bool) -> Select[*tuple[Any, ...]]:
    """Build the query once: that takes longer than running it."""
    said, written = _Told(DeclarationTable, dated, known), _Told(ProductionTable, dated, known)
    run = (
        select(ProductionTable.run_id)
        .join(RunTable, RunTable.id == ProductionTable.run_id)
        .where(*written.conditions())
        .order_by(ProductionTable.ended_at.desc(), RunTable.uuid.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(
        FeatureTable.id,
        said.bound(func.min).label("first_said"),
        written.bound(func.min).label("first_written"),
        said.bound(func.max).label("last_said"),
        written.bound(func.max).label("last_written"),
        said.version(declared=True).label("said_declared"),
        written.version(declared=True).label("written_declared"),
        said.version().label("said"),
        written.version().label("written"),
        said.bound(func.max, declared=True).label("said_declared_at"),
        written.bound(func.max, declared=True).label("written_declared_at"),
        run.label("run_id"),
    ).where(FeatureTable.id.in_(bindparam("features", expanding=True)))


@dataclass(frozen=True)
class _Told:
    """The rows of one table that speak of a feature, as they are seen from a viewpoint."""

    table: Said
    dated: bool
    known: bool

    def conditions(self, *, declared: bool = False) -> list[ColumnElement[bool]]:
        found = [self.table.feature_id == FeatureTable.id, *standing(self.table, self.known)]
        if declared:
            found.append(self.table.declared.is_(True))
        if self.dated:
            found.append(_moment(self.table) <= AS_OF)
        return found

    def bound(self, bound: Any, *, declared: bool = False) -> ColumnElement[datetime | None]:
        query = select(bound(_moment(self.table))).where(*self.conditions(declared=declared))
        return type_coerce(query.scalar_subquery(), Moment)

    def version(self, *, declared: bool = False) -> ColumnElement[int | None]:
        query = (
            select(self.table.version_id)
            .join(FeatureVersionTable, FeatureVersionTable.id == self.table.version_id)
            .where(*self.conditions(declared=declared))
            .order_by(_moment(self.table).desc(), FeatureVersionTable.sha256.desc())
            .limit(1)
        )
        return query.scalar_subquery()


def _later(*said: tuple[datetime | None, FeatureVersionTable | None]) -> Saying | None:
    found = [Saying(at, version) for at, version in said if at and version]
    return max(found, key=lambda item: item.order, default=None)


def _moment(table: Said) -> InstrumentedAttribute[datetime]:
    return table.said_at if table is DeclarationTable else ProductionTable.ended_at
