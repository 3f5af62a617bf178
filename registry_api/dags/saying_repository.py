"""The SQL of what single events said of DAGs: how an earlier time, or an earlier knowledge, is answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_, type_coerce
from sqlalchemy.orm import Session

from festaf.registry_api.dags.repository import Sighted
from festaf.registry_api.dags.tables import (
    DagFactsTable,
    DagSayingTable,
    DagTable,
    DagVersionTable,
)
from festaf.registry_api.lineage.tables import EventTable
from festaf.registry_api.table import Moment
from festaf.registry_api.upsert import insert_missing
from festaf.registry_api.viewpoint import AS_OF, KNOWN_AT, Viewpoint

CHUNK = 200
Item = TypeVar("Item", int, str, tuple[int, str])
Saying = tuple[int, dict[str, Any], datetime, datetime, str]
"""DAG, facts, first and last time they were said, and the key of the event that said them last."""


class SayingRepository:
    """What events said of DAGs, as it is seen from a viewpoint."""

    def __init__(self, session: Session, view: Viewpoint) -> None:
        self.session = session
        self.view = view

    def facts(self, dag_pks: Collection[int]) -> list[Saying]:
        """Give every content of facts that was said of the DAGs by then."""
        first, last = self._bound(DagSayingTable.facts_pk == DagFactsTable.id)
        found: list[Saying] = []
        for chunk in _chunks(dag_pks):
            query = select(DagFactsTable.id, DagFactsTable.dag_pk, DagFactsTable.content, first, last)
            rows = self.session.execute(query.where(DagFactsTable.dag_pk.in_(chunk)), self.view.asked).all()
            said = {row[0]: row for row in rows if row[4] is not None}
            keys = self._keys({(pk, row[4]) for pk, row in said.items()})
            found += [(row[1], row[2], row[3], row[4], keys[pk]) for pk, row in said.items()]
        return found

    def _keys(self, pairs: Collection[tuple[int, datetime]]) -> dict[int, str]:
        """Give the greatest key among the events that said a content at that very time."""
        query = (
            select(DagSayingTable.facts_pk, func.max(EventTable.dedupe_key))
            .join(EventTable, EventTable.id == DagSayingTable.event_id)
            .where(tuple_(DagSayingTable.facts_pk, DagSayingTable.said_at).in_(sorted(pairs)), *self._seen())
            .group_by(DagSayingTable.facts_pk)
        )
        return {row[0]: row[1] for row in self.session.execute(query, self.view.asked)} if pairs else {}

    def next_run(self, dag_pk: int) -> tuple[datetime, str, datetime] | None:
        """Give when and by which event, by its key, a next run was said last, and the next run."""
        row = self.session.execute(
            select(DagSayingTable.said_at, EventTable.dedupe_key, DagSayingTable.next_run)
            .join(DagFactsTable, DagFactsTable.id == DagSayingTable.facts_pk)
            .join(EventTable, EventTable.id == DagSayingTable.event_id)
            .where(DagFactsTable.dag_pk == dag_pk, DagSayingTable.next_run.is_not(None), *self._seen())
            .order_by(DagSayingTable.said_at.desc(), EventTable.dedupe_key.desc())
            .limit(1),
            self.view.asked,
        ).first()
        return (row[0], row[1], row[2]) if row and row[2] else None

    def number(self, dag_pk: int, version_id: UUID) -> int | None:
        """Give the number of a version id, if an event that said it had come."""
        return self.session.scalar(
            select(DagSayingTable.number)
            .join(DagVersionTable, DagVersionTable.id == DagSayingTable.version_pk)
            .where(DagVersionTable.dag_pk == dag_pk, DagVersionTable.version_id == version_id)
            .where(DagSayingTable.number.is_not(None), *self._arrived())
            .order_by(DagSayingTable.event_id)
            .limit(1),
            self.view.asked,
        )

    def sourced_versions(self, dag_pk: int, version_id: UUID) -> list[Sighted]:
        """Give the contents with a source that were said under a version id."""
        first, last = self._bound(DagSayingTable.version_pk == DagVersionTable.id)
        query = select(DagVersionTable, first, last).where(
            DagVersionTable.dag_pk == dag_pk,
            DagVersionTable.version_id == version_id,
            DagVersionTable.source_sha256.is_not(None),
        )
        rows = self.session.execute(query, self.view.asked)
        return [(version, start, end) for version, start, end in rows if start and end]

    def versions(self, dag_pks: Collection[int]) -> list[tuple[DagVersionTable, DagTable, datetime, datetime]]:
        """Give every content that was said of the DAGs by then, with the first and last time."""
        first, last = self._bound(DagSayingTable.version_pk == DagVersionTable.id)
        query = (
            select(DagVersionTable, DagTable, first, last)
            .join(DagTable, DagTable.id == DagVersionTable.dag_pk)
            .where(DagVersionTable.dag_pk.in_(sorted(dag_pks)))
        )
        rows = self.session.execute(query, self.view.asked)
        return [(version, dag, start, end) for version, dag, start, end in rows if start and end]

    def keep_facts(self, contents: Mapping[tuple[int, str], Mapping[str, Any]]) -> dict[tuple[int, str], int]:
        """Give the ids of contents by DAG and hash, made if they are new."""
        rows = [
            {"dag_pk": pk, "sha256": sha256, "content": dict(contents[pk, sha256])} for pk, sha256 in sorted(contents)
        ]
        insert_missing(self.session, DagFactsTable, rows, ["dag_pk", "sha256"])
        found: dict[tuple[int, str], int] = {}
        for chunk in _chunks(contents):
            query = select(DagFactsTable.dag_pk, DagFactsTable.sha256, DagFactsTable.id)
            for pk, sha256, fact in self.session.execute(
                query.where(tuple_(DagFactsTable.dag_pk, DagFactsTable.sha256).in_(chunk))
            ):
                found[pk, sha256] = fact
        return found

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store what events said; each event once."""
        insert_missing(self.session, DagSayingTable, rows, ["event_id"])

    def version_pks(self, contents: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
        """Give the ids of DAG versions by DAG and hash of the content."""
        key = tuple_(DagVersionTable.dag_pk, DagVersionTable.content_sha256)
        found: dict[tuple[int, str], int] = {}
        for chunk in _chunks(contents):
            query = select(DagVersionTable.dag_pk, DagVersionTable.content_sha256, DagVersionTable.id)
            for pk, sha256, version in self.session.execute(query.where(key.in_(chunk))):
                found[pk, sha256] = version
        return found

    def silent_events(self, runs: Collection[UUID], before: int) -> list[tuple[int, UUID, datetime]]:
        """Give the events of runs, by id, run and time, that are not known to speak of a DAG.

        :param before: only those of a lesser id; a rebuild has yet to come to the others
        """
        query = (
            select(EventTable.id, EventTable.run_uuid, EventTable.event_time)
            .outerjoin(DagSayingTable, DagSayingTable.event_id == EventTable.id)
            .where(EventTable.run_uuid.in_(sorted(runs)), EventTable.id < before, DagSayingTable.event_id.is_(None))
        )
        return [(event, run, at) for event, run, at in self.session.execute(query) if run]

    def _bound(self, of: ColumnElement[bool]) -> tuple[ColumnElement[datetime | None], ColumnElement[datetime | None]]:
        """Give the first and the last time that rows were said, as sub-queries that one index answers."""
        first, last = (
            select(DagSayingTable.said_at).where(of, *self._seen()).order_by(order).limit(1).scalar_subquery()
            for order in (DagSayingTable.said_at.asc(), DagSayingTable.said_at.desc())
        )
        return type_coerce(first, Moment), type_coerce(last, Moment)

    def _seen(self) -> list[ColumnElement[bool]]:
        return [*([DagSayingTable.said_at <= AS_OF] if self.view.dated else []), *self._arrived()]

    def _arrived(self) -> list[ColumnElement[bool]]:
        return [DagSayingTable.recorded_at <= KNOWN_AT] if self.view.known else []


def _chunks(items: Collection[Item]) -> list[list[Item]]:
    ordered = sorted(items)
    return [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]
