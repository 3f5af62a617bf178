"""The SQL of names: symlinks, and what happened to datasets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from festaf.registry_api.graph.tables import AliasTable, EdgeTable, LifecycleTable, SightingTable
from festaf.registry_api.upsert import insert_missing
from festaf.registry_api.viewpoint import AS_OF, KNOWN_AT, Viewpoint, standing

CHUNK = 400


class AliasRepository:
    """Symlinks and lifecycle changes."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def keep_symlinks(self, pairs: Iterable[tuple[int, int]], now: datetime) -> None:
        """Store that names mean the same; of one that is known keep when it was learned first."""
        rows = [{"node_id": one, "other_id": other, "recorded_at": now} for one, other in sorted(pairs)]
        insert_missing(self.session, AliasTable, rows, ["node_id", "other_id"], earliest="recorded_at")

    def changes(self, run_ids: Collection[int]) -> list[LifecycleTable]:
        """Give the changes that stand of some runs."""
        ordered = sorted(run_ids)
        return [
            row
            for start in range(0, len(ordered), CHUNK)
            for row in self.session.scalars(
                select(LifecycleTable).where(
                    LifecycleTable.run_id.in_(ordered[start : start + CHUNK]), LifecycleTable.superseded_at.is_(None)
                )
            )
        ]

    def any(self) -> bool:
        """Tell whether anything was ever said of names or of what happened to datasets."""
        return bool(self.session.connection().execute(_any()).scalar())

    def symlinks(self, ids: Collection[int], view: Viewpoint) -> set[tuple[int, int]]:
        """Give the pairs that name one of the nodes."""
        query = select(AliasTable.node_id, AliasTable.other_id).where(
            or_(AliasTable.node_id.in_(ids), AliasTable.other_id.in_(ids))
        )
        if view.known:
            query = query.where(AliasTable.recorded_at <= KNOWN_AT)
        return {(one, other) for one, other in self.session.execute(query, view.asked)}

    def renames(self, ids: Collection[int], view: Viewpoint) -> set[tuple[datetime, int, int]]:
        """Give time, older and newer name of the renames that name one of the nodes."""
        query = select(LifecycleTable.said_at, LifecycleTable.other_id, LifecycleTable.node_id).where(
            LifecycleTable.change == "RENAME",
            LifecycleTable.other_id.is_not(None),
            or_(LifecycleTable.node_id.in_(ids), LifecycleTable.other_id.in_(ids)),
            *standing(LifecycleTable, view.known),
        )
        return {(at, old, new) for at, old, new in self.session.execute(query, view.asked) if old is not None}

    def dropped(self, ids: Collection[int], view: Viewpoint) -> dict[int, datetime]:
        """Give when nodes were last dropped."""
        query = (
            select(LifecycleTable.node_id, func.max(LifecycleTable.said_at))
            .where(
                LifecycleTable.node_id.in_(ids),
                LifecycleTable.change == "DROP",
                *standing(LifecycleTable, view.known),
                *([LifecycleTable.said_at <= AS_OF] if view.dated else []),
            )
            .group_by(LifecycleTable.node_id)
        )
        return {node: at for node, at in self.session.execute(query, view.asked) if at is not None}

    def named_since(self, moments: Mapping[int, datetime], view: Viewpoint, *, written: bool) -> set[int]:
        """Give the nodes that an edge named after a moment; if ``written``, as what was written."""
        return {
            node
            for node, moment in moments.items()
            if self.session.scalar(
                _named(written, view.dated, view.known), {"node": node, "since": moment, **view.asked}
            )
        }


@cache
def _any() -> Select[Any]:
    return select(or_(exists(select(AliasTable.id)), exists(select(LifecycleTable.id))))


@cache
def _named(written: bool, dated: bool, known: bool) -> Select[Any]:
    node: ColumnElement[Any] = bindparam("node")
    since: ColumnElement[Any] = bindparam("since", type_=SightingTable.stated_at.type)
    ends = EdgeTable.target_id == node
    return (
        select(literal(1))
        .select_from(EdgeTable)
        .join(SightingTable, SightingTable.edge_set_id == EdgeTable.edge_set_id)
        .where(
            ends if written else or_(ends, EdgeTable.source_id == node),
            and_(SightingTable.stated_at > since, *standing(SightingTable, known)),
            *([SightingTable.stated_at <= AS_OF] if dated else []),
        )
        .limit(1)
    )
