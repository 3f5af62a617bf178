"""The SQL of what runs wrote: a write names a list of contents, and equal lists are one.

So what is the newest is asked, by index seeks, of each list that a content of the feature is in: there are as many as
the set was written with different contents, however often it was written.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.features.tables import (
    FeatureTable,
    FeatureVersionTable,
    ListedVersionTable,
    WriteTable,
)
from festaf.registry_api.table import Moment
from festaf.registry_api.viewpoint import AS_OF, Viewpoint, standing

FEATURES: BindParameter[Any] = bindparam("features", expanding=True)


@dataclass(frozen=True)
class Listing:
    """A content of a feature in a list that was written: when first, when last, and by which run."""

    version_id: int
    sha256: str
    declared: bool
    first_at: datetime
    last_at: datetime
    run_id: int
    run_uuid: str
    """As the database writes it: reading tens of thousands as UUIDs would take longer than finding them."""

    @property
    def content_order(self) -> tuple[datetime, str]:
        """Order contents; the hash decides between equal times."""
        return self.last_at, self.sha256

    @property
    def run_order(self) -> tuple[datetime, str]:
        """Order writes; the run's id decides between equal times."""
        return self.last_at, self.run_uuid


class WrittenRepository:
    """Reads which contents were written when."""

    def __init__(self, session: Session, view: Viewpoint) -> None:
        self.session = session
        self.view = view

    def of_features(self, feature_ids: Collection[int]) -> dict[int, list[Listing]]:
        """Give by feature the contents that were written, in each list that was."""
        asked = {"features": list(feature_ids), **self.view.asked}
        found: dict[int, list[Listing]] = {feature_id: [] for feature_id in feature_ids}
        for feature_id, *listing in self.session.execute(listings_query(self.view.dated, self.view.known), asked):
            found[feature_id].append(Listing(*listing))
        return found


@cache
def listings_query(dated: bool, known: bool) -> Select[*tuple[Any, ...]]:
    """Build the query for the lists that contents of features are in, with the first and the newest write of each."""
    version, listed, write = FeatureVersionTable, ListedVersionTable, aliased(WriteTable)
    lists = _lists(dated, known)
    contents = (version.feature_id, version.id, version.sha256, version.declared)
    return (
        select(
            *contents, type_coerce(lists.c.first_at, Moment), write.ended_at, write.run_id, cast(RunTable.uuid, Text)
        )
        .select_from(version)
        .join(listed, listed.version_id == version.id)
        .join(lists, lists.c.id == listed.feature_list_id)
        .join(write, write.id == lists.c.newest)
        .join(RunTable, RunTable.id == write.run_id)
        .where(version.feature_id.in_(FEATURES))
    )


def _lists(dated: bool, known: bool) -> Subquery:
    """Read the first and the newest write of lists that contents of features are in, of each list once."""
    version, listed = aliased(FeatureVersionTable), aliased(ListedVersionTable)
    seen = [WriteTable.ended_at <= AS_OF] if dated else []
    first = (
        select(func.min(WriteTable.ended_at))
        .where(WriteTable.feature_list_id == listed.feature_list_id, *standing(WriteTable, known), *seen)
        .scalar_subquery()
    )
    newest = newest_write(listed.feature_list_id, dated=dated, known=known)
    return (
        select(listed.feature_list_id.label("id"), first.label("first_at"), newest.label("newest"))
        .select_from(version)
        .join(listed, listed.version_id == version.id)
        .where(version.feature_id.in_(FEATURES))
        .group_by(listed.feature_list_id)
        .subquery()
    )


def newest_write(list_id: InstrumentedAttribute[int], *, dated: bool = False, known: bool = False) -> ScalarSelect[int]:
    """Read the id of the newest write of a list."""
    write = aliased(WriteTable)
    return _newest(write, write.feature_list_id == list_id, dated=dated, known=known).correlate(list_id.class_)


def newest_whole_write(*, dated: bool = False, known: bool = False) -> ScalarSelect[int]:
    """Read the id of the newest write that did not say which features it wrote, of the set of a feature's row."""
    write = aliased(WriteTable)
    of_set = and_(write.feature_set_id == FeatureTable.feature_set_id, write.lists_features.is_(False))
    return _newest(write, of_set, dated=dated, known=known).correlate(FeatureTable)


def _newest(write: type[WriteTable], which: ColumnElement[bool], *, dated: bool, known: bool) -> ScalarSelect[int]:
    """Read the id of the newest of some writes; the run's id decides between equal times."""
    run = aliased(RunTable)
    seen = [write.ended_at <= AS_OF] if dated else []
    newest = select(write.id).join(run, run.id == write.run_id).where(which, *standing(write, known), *seen)
    return newest.order_by(write.ended_at.desc(), run.uuid.desc()).limit(1).scalar_subquery()


def newest_write_of_feature() -> ScalarSelect[int]:
    """Read the id of the newest write that lists the feature of a row, now."""
    write, run = aliased(WriteTable), aliased(RunTable)
    listed, version = aliased(ListedVersionTable), aliased(FeatureVersionTable)
    return (
        select(write.id)
        .select_from(version)
        .join(listed, listed.version_id == version.id)
        .join(write, write.id == newest_write(listed.feature_list_id))
        .join(run, run.id == write.run_id)
        .where(version.feature_id == FeatureTable.id)
        .order_by(write.ended_at.desc(), run.uuid.desc())
        .limit(1)
        .correlate(FeatureTable)
        .scalar_subquery()
    )
