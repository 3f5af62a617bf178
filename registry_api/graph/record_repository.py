"""The SQL of recording edges: each table is read and written once for a whole batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, delete, func, or_, select, tuple_, type_coerce, update
from sqlalchemy.orm import Session, aliased

from festaf.registry_api.bulk import Key, add_rows, change, change_rows, chunks, ensure, fetch
from festaf.registry_api.graph.names import NodeName
from festaf.registry_api.graph.standing import stands
from festaf.registry_api.graph.tables import EdgeSetTable, EdgeTable, NodeTable, SightingTable
from festaf.registry_api.table import Moment
from festaf.registry_api.upsert import insert_missing

SIGHTED = ("asserter_id", "origin", "edge_set_id", "stated_at", "closing", "last_run", "mapped_in", "run_id")
REFRESHED = ("valid_from", "last_stated", "last_run", "current")
Asserted = tuple[int, str]
"""An asserter and an origin: what stands or falls together."""


class EdgeRecordRepository:
    """Edge sets and sightings, as batches change them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def ensure_sets(self, keys: Collection[tuple[int, str, str]]) -> tuple[dict[Key, int], set[Key]]:
        """Give the ids of edge sets by asserter, origin and hash, and which are new."""
        rows = {key: {"asserter_id": key[0], "origin": key[1], "sha256": key[2], "current": False} for key in keys}
        unique = (EdgeSetTable.asserter_id, EdgeSetTable.origin, EdgeSetTable.sha256)
        return ensure(self.session, EdgeSetTable, EdgeSetTable.id, unique, rows)

    def add_edges(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store the edges of new sets."""
        insert_missing(self.session, EdgeTable, rows, ["edge_set_id", "source_id", "target_id"])

    def sightings(self, run_ids: Collection[int]) -> dict[int, Key]:
        """Give what runs state: by id the columns ``SIGHTED``."""
        columns = [getattr(SightingTable, name) for name in SIGHTED]
        query = select(SightingTable.id, *columns).where(SightingTable.superseded_at.is_(None))
        return {row[0]: tuple(row[1:]) for row in fetch(self.session, query, SightingTable.run_id, run_ids)}

    def end(self, ids: Collection[int], now: datetime) -> None:
        """End sightings."""
        change(self.session, delete(SightingTable).where(SightingTable.recorded_at == now), SightingTable.id, ids)
        change(self.session, update(SightingTable).values(superseded_at=now), SightingTable.id, ids)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store sightings."""
        add_rows(self.session, SightingTable, rows)

    def last_closings(self, asserted: Iterable[Asserted]) -> dict[Asserted, datetime]:
        """Give when asserters last ended what they did not state."""
        by_origin: dict[str, set[int]] = defaultdict(set)
        for asserter, origin in asserted:
            by_origin[origin].add(asserter)
        found: dict[Asserted, datetime] = {}
        for origin, asserters in by_origin.items():
            for asserter, last in fetch(self.session, _last_closings(origin), NodeTable.id, asserters):
                if last is not None:
                    found[asserter, origin] = last
        return found

    def current(self, asserted: Collection[Asserted]) -> dict[Asserted, dict[int, datetime | None]]:
        """Give the sets of asserters that stand, with when each was stated last."""
        query = select(EdgeSetTable.asserter_id, EdgeSetTable.origin, EdgeSetTable.id, EdgeSetTable.last_stated)
        query = query.where(EdgeSetTable.current.is_(True))
        found: dict[Asserted, dict[int, datetime | None]] = {key: {} for key in asserted}
        asserters = {asserter for asserter, _ in asserted}
        for asserter, origin, set_id, last in fetch(self.session, query, EdgeSetTable.asserter_id, asserters):
            if (asserter, origin) in found:
                found[asserter, origin][set_id] = last
        return found

    def restate(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write on edge sets that stand, and go on to do so, when they were stated last and by which run."""
        change_rows(self.session, EdgeSetTable, EdgeSetTable.id, rows)

    def stated_since(self, moments: Mapping[Asserted, datetime]) -> set[int]:
        """Give the sets of asserters that were stated last at a time or later."""
        found: set[int] = set()
        for chunk in chunks(sorted(moments.items()), 100):
            conditions = [
                (EdgeSetTable.asserter_id == asserter)
                & (EdgeSetTable.origin == origin)
                & (EdgeSetTable.last_stated >= moment)
                for (asserter, origin), moment in chunk
            ]
            found |= set(self.session.connection().execute(select(EdgeSetTable.id).where(or_(*conditions))).scalars())
        return found

    def mapped(self, instances: Collection[tuple[int, str]]) -> set[int]:
        """Give the sets that asserters stated as instances of a task mapped in a DAG run."""
        column = tuple_(SightingTable.asserter_id, SightingTable.mapped_in)
        return {row[0] for row in fetch(self.session, select(SightingTable.edge_set_id), column, instances)}

    def mapped_at(self, moments: Mapping[Asserted, datetime]) -> set[tuple[int, str]]:
        """Give the asserters whose closing statement at a time is of a mapped task, with the DAG run of that."""
        found: set[tuple[int, str]] = set()
        for (asserter, origin), last in moments.items():
            query = select(SightingTable.mapped_in).where(
                SightingTable.asserter_id == asserter,
                SightingTable.origin == origin,
                SightingTable.closing.is_(True),
                SightingTable.stated_at == last,
                SightingTable.mapped_in.is_not(None),
                SightingTable.superseded_at.is_(None),
            )
            found |= {(asserter, text) for text in self.session.connection().execute(query).scalars() if text}
        return found

    def ends(self, sets: Collection[int]) -> set[NodeName]:
        """Give the datasets and jobs that edges of some sets join; of a field, the dataset."""
        found: set[NodeName] = set()
        for end in (EdgeTable.source_id, EdgeTable.target_id):
            query = select(NodeTable.kind, NodeTable.namespace, NodeTable.name).distinct()
            query = query.join(EdgeTable, end == NodeTable.id)
            found |= {NodeName(*row) for row in fetch(self.session, query, EdgeTable.edge_set_id, sets)}
        return found

    def refresh(self, ids: Collection[int]) -> None:
        """Write on edge sets whether they stand, since when and until when, where it is not written already."""
        changes: list[dict[str, Any]] = []
        for row in fetch(self.session, _standing(), EdgeSetTable.id, ids):
            new = _refreshed(row)
            if new != tuple(row[1:5]):
                changes.append({"which": row[0], **dict(zip(REFRESHED, new, strict=True))})
        change_rows(self.session, EdgeSetTable, EdgeSetTable.id, changes)


def _refreshed(row: Row[*tuple[Any, ...]]) -> tuple[Any, ...]:
    first, last, last_run, current = row[5:9]
    return first, last, last_run if last else None, bool(current)


@cache
def _last_closings(origin: str) -> Select[*tuple[Any, ...]]:
    """Build the query for the last closing statements of asserters from one origin: one index seek for each."""
    last = (
        select(func.max(SightingTable.stated_at))
        .where(
            SightingTable.asserter_id == NodeTable.id,
            SightingTable.origin == origin,
            SightingTable.closing.is_(True),
            SightingTable.superseded_at.is_(None),
        )
        .scalar_subquery()
    )
    return select(NodeTable.id, type_coerce(last, Moment))


@cache
def _standing() -> Select[*tuple[Any, ...]]:
    """Build the query for what sightings say of edge sets, beside what is written on them."""
    own = aliased(SightingTable)
    mine = (own.edge_set_id == EdgeSetTable.id, own.superseded_at.is_(None))
    first, last = (select(bound(own.stated_at)).where(*mine).scalar_subquery() for bound in (func.min, func.max))
    last_run = (
        select(own.last_run)
        .where(*mine)
        .order_by(own.stated_at.desc(), own.last_run.desc().nulls_last())
        .limit(1)
        .scalar_subquery()
    )
    return select(
        EdgeSetTable.id,
        *(getattr(EdgeSetTable, name) for name in REFRESHED),
        type_coerce(first, Moment),
        type_coerce(last, Moment),
        last_run,
        stands(dated=False, known=False),
    )
