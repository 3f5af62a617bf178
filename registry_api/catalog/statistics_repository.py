"""The SQL of counts by time, of the search by name, and of the list of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, case, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from festaf.registry_api.access.sight import Sight
from festaf.registry_api.catalog.read_repository import namespaces_of
from festaf.registry_api.catalog.tables import DatasetTable, JobTable
from festaf.registry_api.dags.tables import RunTable
from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.table import natural_key
from festaf.registry_api.viewpoint import Viewpoint

FoundRow = Row[str, str, str, datetime]
"""JOB or DATASET, namespace, name, last seen"""
COUNTED = 100_000
"""How far the events of a list are counted."""


@dataclass(frozen=True)
class EventFilter:
    """Which events are asked for, and in which order."""

    view: Viewpoint
    after: datetime | None = None
    before: datetime | None = None
    namespace: str | None = None
    """Of whose jobs' runs."""
    of_runs: bool = False
    """Leave out the events of a job or dataset alone."""
    newest_first: bool = True

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Say which events are meant."""
        if self.of_runs:
            yield EventTable.run_uuid.is_not(None)
        if self.view.as_of:
            yield EventTable.event_time <= self.view.as_of
        if self.view.known_at:
            yield EventTable.received_at <= self.view.known_at
        if self.after:
            yield EventTable.event_time >= self.after
        if self.before:
            yield EventTable.event_time < self.before
        if self.namespace is not None:
            yield EventTable.run_uuid.in_(select(RunTable.uuid).where(RunTable.namespace == self.namespace))


class StatisticsReads:
    """Counts and finds what a caller may see."""

    def __init__(self, session: Session, sight: Sight) -> None:
        self.session = session
        self.namespaces = namespaces_of(sight)
        self.keys = None if self.namespaces is None else sorted(natural_key(name) for name in self.namespaces)

    def first_seen(self, what: Literal["jobs", "datasets", "sources"], bounds: Sequence[datetime]) -> list[int]:
        """Count what was first seen before the first bound, and then between each bound and the next."""
        if what == "sources":
            grouped = select(func.min(DatasetTable.first_seen).label("at")).group_by(DatasetTable.source_name)
            moments = grouped.where(*self._visible(DatasetTable)).subquery()
        else:
            table = JobTable if what == "jobs" else DatasetTable
            moments = select(table.first_seen.label("at")).where(*self._visible(table)).subquery()
        bucket = _bucket(moments.c.at, bounds)
        query = select(bucket, func.count()).select_from(moments).where(moments.c.at < bounds[-1]).group_by(bucket)
        counts: dict[int, int] = dict(self.session.execute(query).all())
        return [counts.get(number, 0) for number in range(len(bounds))]

    def events_by_type(self, bounds: Sequence[datetime]) -> dict[tuple[int, str], int]:
        """Count run events by the interval between two bounds (from 1) and by type."""
        bucket = _bucket(EventTable.event_time, bounds)
        query = select(bucket, EventTable.event_type, func.count()).where(
            EventTable.event_time >= bounds[0], EventTable.event_time < bounds[-1], EventTable.event_type.is_not(None)
        )
        query = self._of_visible_runs(query)
        rows = self.session.execute(query.group_by(bucket, EventTable.event_type))
        return {(number, kind): count for number, kind, count in rows}

    def search(
        self,
        text: str,
        kinds: Sequence[str],
        namespace: str | None,
        between: tuple[datetime | None, datetime | None],
        newest_first: bool,
        limit: int,
    ) -> list[FoundRow]:
        """Find jobs and datasets by a part of their names: kind, namespace, name, last seen."""
        after, before = between
        parts = []
        for kind, table in (("JOB", JobTable), ("DATASET", DatasetTable)):
            if kind not in kinds:
                continue
            here = [table.name.ilike(f"%{text}%"), *self._visible(table)]
            here += [table.namespace_key == natural_key(namespace)] if namespace is not None else []
            here += [table.last_seen > after] if after else []
            here += [table.last_seen < before] if before else []
            parts.append(select(literal(kind).label("kind"), table.namespace, table.name, table.last_seen).where(*here))
        found = union_all(*parts).subquery()
        order = (found.c.last_seen.desc(), found.c.name) if newest_first else (found.c.name, found.c.namespace)
        return list(self.session.execute(select(found).order_by(*order, found.c.kind).limit(limit)))

    def events(self, asked: EventFilter, limit: int, offset: int) -> tuple[Sequence[EventTable], int]:
        """Give a part of the events, and how many there are, counted up to a bound."""
        query = select(EventTable).where(*asked.conditions())
        query = self._of_visible_runs(query)
        order = (
            (EventTable.event_time.desc(), EventTable.dedupe_key.desc())
            if asked.newest_first
            else (EventTable.event_time, EventTable.dedupe_key)
        )
        rows = self.session.scalars(query.order_by(*order).limit(limit).offset(offset)).all()
        bounded = query.with_only_columns(EventTable.id).limit(COUNTED).subquery()
        return rows, self.session.scalar(select(func.count()).select_from(bounded)) or 0

    def _of_visible_runs(self, query: Select[Any]) -> Select[Any]:
        """Leave out the events that are not of a visible job's run: nobody can tell whose they are."""
        if self.namespaces is None:
            return query
        runs = select(RunTable.uuid).where(RunTable.namespace.in_(sorted(self.namespaces)))
        return query.where(EventTable.run_uuid.in_(runs))

    def _visible(self, table: type[JobTable] | type[DatasetTable]) -> list[ColumnElement[bool]]:
        return [] if self.keys is None else [table.namespace_key.in_(self.keys)]


def _bucket(column: Any | InstrumentedAttribute[datetime], bounds: Sequence[datetime]) -> Any:
    return case(*((column < bound, number) for number, bound in enumerate(bounds)), else_=len(bounds))
