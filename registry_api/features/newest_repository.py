"""The SQL of "what is the newest?": for many features at once, now or at an earlier time, by index seeks only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select, type_coerce
from sqlalchemy.orm import Session, aliased

from festaf.registry_api.dags.tables import DagTable, RunTable
from festaf.registry_api.features.tables import (
    DeclarationTable,
    FeatureTable,
    FeatureVersionTable,
    WriteTable,
)
from festaf.registry_api.features.written_repository import Listing, WrittenRepository, newest_whole_write
from festaf.registry_api.table import Moment
from festaf.registry_api.viewpoint import AS_OF, Viewpoint, standing

CHUNK = 200
Ran = tuple[RunTable, str | None, str | None]
"""A run with the id and the Airflow of its DAG."""


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
    dag_namespace: str | None

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
    """The newest declared content; the newest name and type when none is declared."""
    production: Production | None


class NewestRepository:
    """Reads the newest facts, as they were at a time when one is given."""

    def __init__(self, session: Session, view: Viewpoint) -> None:
        self.session = session
        self.view = view
        self.written = WrittenRepository(session, view)

    def of_sets(self, features: Mapping[int, Collection[FeatureTable]]) -> dict[int, list[Newest]]:
        """Give the newest of features by their sets, each set's by name."""
        ordered = sorted((feature for rows in features.values() for feature in rows), key=lambda feature: feature.name)
        found: dict[int, list[Newest]] = {set_id: [] for set_id in features}
        runs: dict[int, Ran] = {}
        for start in range(0, len(ordered), CHUNK):
            for newest in self._chunk(ordered[start : start + CHUNK], runs):
                found[newest.feature.feature_set_id].append(newest)
        return found

    def _chunk(self, features: Sequence[FeatureTable], runs: dict[int, Ran]) -> list[Newest]:
        """Give the newest of some features.

        :param runs: those that are read already, to which more are added: the state of one is as wide as what it wrote
        """
        by_id = {feature.id: feature for feature in features}
        asked = {"features": list(by_id), **self.view.asked}
        rows = {row.id: row for row in self.session.execute(newest_query(self.view.dated, self.view.known), asked)}
        written = {feature_id: _NewestWrites.of(items) for feature_id, items in self.written.of_features(by_id).items()}
        said = {number for row in rows.values() for number in (row.said_declared, row.said) if number is not None}
        versions = self._versions(said.union(*(item.versions for item in written.values())))
        made = {item.run.run_id for item in written.values() if item.run}
        made |= {row.whole_run_id for row in rows.values() if row.whole_run_id is not None}
        runs |= self._runs(made - runs.keys())
        return [self._newest(feature, rows[feature.id], written[feature.id], versions, runs) for feature in features]

    def _newest(
        self,
        feature: FeatureTable,
        row: Any,
        written: _NewestWrites,
        versions: dict[int, FeatureVersionTable],
        runs: dict[int, Ran],
    ) -> Newest:
        last_written = written.run.last_at if written.run else None
        declared = _later(
            _saying(row.said_declared_at, row.said_declared, versions), _saying_of(written.declared, versions)
        )
        # A call that said no more than a type took everything else back: then the newest name and type count again.
        bare = _later(_saying(row.last_said, row.said, versions), _saying_of(written.content, versions))
        listed = Production(written.run.last_at, *runs[written.run.run_id]) if written.run else None
        whole = Production(row.whole_at, *runs[row.whole_run_id]) if row.whole_at else None
        return Newest(
            feature=feature,
            first_said=min((moment for moment in (row.first_said, written.first_at) if moment), default=None),
            first_written=written.first_at,
            last_said=max((moment for moment in (row.last_said, last_written) if moment), default=None),
            saying=declared if declared and declared.version.declared else bare,
            production=max((item for item in (listed, whole) if item), key=lambda item: item.order, default=None),
        )

    def _versions(self, ids: Collection[int]) -> dict[int, FeatureVersionTable]:
        return {row.id: row for row in self.session.scalars(_versions_query(), {"versions": sorted(ids)})}

    def _runs(self, ids: Collection[int]) -> dict[int, Ran]:
        rows = self.session.execute(_runs_query(), {"runs": sorted(ids)}) if ids else ()
        return {run.id: (run, dag_id, dag_namespace) for run, dag_id, dag_namespace in rows}


@cache
def _versions_query() -> Select[Any]:
    return select(FeatureVersionTable).where(FeatureVersionTable.id.in_(bindparam("versions", expanding=True)))


@cache
def _runs_query() -> Select[*tuple[Any, ...]]:
    dag = DagTable.id == RunTable.dag_pk
    query = select(RunTable, DagTable.dag_id, DagTable.namespace).outerjoin(DagTable, dag)
    return query.where(RunTable.id.in_(bindparam("runs", expanding=True)))


@cache
def newest_query(dated: bool, known: bool) -> Select[*tuple[Any, ...]]:
    """Build the query once: that takes longer than running it."""
    whole = aliased(WriteTable)
    return (
        select(
            FeatureTable.id,
            _bound(func.min, dated, known).label("first_said"),
            _bound(func.max, dated, known).label("last_said"),
            _bound(func.max, dated, known, declared=True).label("said_declared_at"),
            _version(dated, known, declared=True).label("said_declared"),
            _version(dated, known).label("said"),
            whole.ended_at.label("whole_at"),
            whole.run_id.label("whole_run_id"),
        )
        .outerjoin(whole, whole.id == newest_whole_write(dated=dated, known=known))
        .where(FeatureTable.id.in_(bindparam("features", expanding=True)))
    )


def _conditions(dated: bool, known: bool, declared: bool) -> list[ColumnElement[bool]]:
    found = [DeclarationTable.feature_id == FeatureTable.id, *standing(DeclarationTable, known)]
    if declared:
        found.append(DeclarationTable.declared.is_(True))
    if dated:
        found.append(DeclarationTable.said_at <= AS_OF)
    return found


def _bound(bound: Any, dated: bool, known: bool, *, declared: bool = False) -> ColumnElement[datetime | None]:
    query = select(bound(DeclarationTable.said_at)).where(*_conditions(dated, known, declared))
    return type_coerce(query.scalar_subquery(), Moment)


def _version(dated: bool, known: bool, *, declared: bool = False) -> ColumnElement[int | None]:
    query = (
        select(DeclarationTable.version_id)
        .join(FeatureVersionTable, FeatureVersionTable.id == DeclarationTable.version_id)
        .where(*_conditions(dated, known, declared))
        .order_by(DeclarationTable.said_at.desc(), FeatureVersionTable.sha256.desc())
        .limit(1)
    )
    return query.scalar_subquery()


@dataclass(frozen=True)
class _NewestWrites:
    """The newest of what was written of one feature."""

    first_at: datetime | None
    content: Listing | None
    declared: Listing | None
    run: Listing | None
    """Where the newest run is found."""

    @classmethod
    def of(cls, listings: Sequence[Listing]) -> _NewestWrites:
        declared = [item for item in listings if item.declared]
        return cls(
            min((item.first_at for item in listings), default=None),
            max(listings, key=lambda item: item.content_order, default=None),
            max(declared, key=lambda item: item.content_order, default=None),
            max(listings, key=lambda item: item.run_order, default=None),
        )

    @property
    def versions(self) -> set[int]:
        return {item.version_id for item in (self.content, self.declared) if item}


def _saying(at: datetime | None, version_id: int | None, versions: Mapping[int, FeatureVersionTable]) -> Saying | None:
    return Saying(at, versions[version_id]) if at and version_id is not None else None


def _saying_of(listing: Listing | None, versions: Mapping[int, FeatureVersionTable]) -> Saying | None:
    return _saying(listing.last_at, listing.version_id, versions) if listing else None


def _later(*said: Saying | None) -> Saying | None:
    return max((item for item in said if item), key=lambda item: item.order, default=None)
