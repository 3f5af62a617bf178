"""The SQL of facts about artifacts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session

from festaf.contract.names import ArtifactKind
from festaf.registry_api.artifacts.tables import ArtifactFactTable
from festaf.registry_api.viewpoint import AS_OF, Viewpoint, standing

CHUNK = 200
NEWEST = 50
ArtifactName = tuple[ArtifactKind, str, str]
"""Kind, project and name."""


class ArtifactRepository:
    """Facts about artifacts."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, rows: Sequence[ArtifactFactTable]) -> None:
        """Store facts."""
        self.session.add_all(rows)
        self.session.flush()

    def standing_of(self, run_ids: Collection[int]) -> list[ArtifactFactTable]:
        """Give what runs said that stands."""
        ordered = sorted(run_ids)
        found: list[ArtifactFactTable] = []
        for start in range(0, len(ordered), CHUNK):
            of = ArtifactFactTable.run_id.in_(ordered[start : start + CHUNK])
            query = select(ArtifactFactTable).where(of, ArtifactFactTable.superseded_at.is_(None))
            found += self.session.scalars(query)
        return found

    def end(self, rows: Collection[ArtifactFactTable], now: datetime) -> None:
        """End facts; what was learned at this very moment was never known, and is removed."""
        for row in rows:
            if row.recorded_at == now:
                self.session.delete(row)
            else:
                row.superseded_at = now

    def newest(
        self, kind: ArtifactKind, project: str, name: str, view: Viewpoint, limit: int = 100
    ) -> Sequence[ArtifactFactTable]:
        """Give what was said of one artifact, the newest first."""
        query = _seen(view).where(
            ArtifactFactTable.kind == kind, ArtifactFactTable.project == project, ArtifactFactTable.name == name
        )
        return self.session.scalars(query.limit(limit), view.asked).all()

    def newest_of(self, names: Collection[ArtifactName], view: Viewpoint) -> Sequence[ArtifactFactTable]:
        """Give the newest facts about artifacts, the newest first; of each at most ``NEWEST``."""
        key = tuple_(ArtifactFactTable.kind, ArtifactFactTable.project, ArtifactFactTable.name)
        rank = func.row_number().over(
            partition_by=(ArtifactFactTable.kind, ArtifactFactTable.project, ArtifactFactTable.name),
            order_by=(ArtifactFactTable.said_at.desc(), ArtifactFactTable.sha256.desc()),
        )
        ordered = sorted(names)
        found: list[ArtifactFactTable] = []
        for start in range(0, len(ordered), CHUNK):
            ranked = select(ArtifactFactTable.id, rank.label("rank")).where(
                key.in_(ordered[start : start + CHUNK]), *_conditions(view)
            )
            few = ranked.subquery()
            query = select(ArtifactFactTable).join(few, few.c.id == ArtifactFactTable.id).where(few.c.rank <= NEWEST)
            found += self.session.scalars(query.order_by(*_ORDER), view.asked)
        return found


_ORDER = (ArtifactFactTable.said_at.desc(), ArtifactFactTable.sha256.desc())


def _conditions(view: Viewpoint) -> list[ColumnElement[bool]]:
    dated = [ArtifactFactTable.said_at <= AS_OF] if view.dated else []
    return [*standing(ArtifactFactTable, view.known), *dated]


def _seen(view: Viewpoint) -> Select[ArtifactFactTable]:
    return select(ArtifactFactTable).where(*_conditions(view)).order_by(*_ORDER)
