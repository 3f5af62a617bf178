"""The SQL of feature requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Literal
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, delete, or_, select, tuple_
from sqlalchemy.orm import Session

from festaf.contract.feature_request import FeatureRef
from festaf.registry_api.feature_requests.tables import EntryTable, FeatureRequestTable, VoteTable
from festaf.registry_api.features.present_repository import FeatureName
from festaf.registry_api.features.tables import FeatureSetTable, FeatureTable
from festaf.registry_api.search.tables import DocumentTable
from festaf.registry_api.upsert import insert_missing

Order = Literal["votes", "newest"]


@dataclass(frozen=True)
class Wanted:
    """Which requests are listed; what is None does not matter."""

    projects: Collection[str] | None = None
    states: Collection[str] = ()
    asked_by: str | None = None
    words: Collection[str] = ()


class RequestRepository:
    """Requests, votes and entries."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, request: FeatureRequestTable) -> None:
        """Store a new request."""
        self.session.add(request)
        self.session.flush()

    def find(self, uuid: UUID, *, changing: bool = False) -> FeatureRequestTable | None:
        """Find a request.

        :param changing: whether to let no other transaction change it until this one ends
        """
        query = select(FeatureRequestTable).where(FeatureRequestTable.uuid == uuid)
        return self.session.scalars(query.with_for_update() if changing else query).first()

    def by_key(self, asked_by: str, key: str) -> FeatureRequestTable | None:
        """Find what somebody asked for under a key."""
        query = select(FeatureRequestTable).where(FeatureRequestTable.asked_by == asked_by)
        return self.session.scalars(query.where(FeatureRequestTable.asked_key == key)).first()

    def for_name(self, project: str, compact: str) -> Sequence[FeatureRequestTable]:
        """Give the requests for a name, the newest first."""
        query = select(FeatureRequestTable).where(
            FeatureRequestTable.project == project, FeatureRequestTable.compact == compact
        )
        return self.session.scalars(query.order_by(FeatureRequestTable.id.desc())).all()

    def page(
        self, wanted: Wanted, order: Order, after: tuple[int, int] | None, limit: int
    ) -> Sequence[FeatureRequestTable]:
        """List requests by votes, or the newest first."""
        table = FeatureRequestTable
        query = select(table).limit(limit)
        if wanted.projects is not None:
            query = query.where(table.project.in_(sorted(wanted.projects)))
        if wanted.states:
            query = query.where(table.state.in_(sorted(wanted.states)))
        if wanted.asked_by is not None:
            query = query.where(table.asked_by == wanted.asked_by)
        for word in wanted.words:
            query = query.where(table.words.contains(f" {word}", autoescape=True))
        if order == "votes":
            query = query.order_by(table.votes.desc(), table.id.desc())
            if after is not None:
                votes, last = after
                query = query.where(or_(table.votes < votes, and_(table.votes == votes, table.id < last)))
        else:
            query = query.order_by(table.id.desc())
            query = query.where(table.id < after[1]) if after is not None else query
        return self.session.scalars(query).all()

    def vote(self, request: FeatureRequestTable, principal: str, at: datetime) -> None:
        """Count somebody's vote once."""
        row = {"request_id": request.id, "principal": principal, "at": at}
        request.votes += insert_missing(self.session, VoteTable, [row], ["request_id", "principal"])
        self.session.flush()

    def unvote(self, request: FeatureRequestTable, principal: str) -> None:
        """Take somebody's vote back."""
        gone = delete(VoteTable).where(VoteTable.request_id == request.id, VoteTable.principal == principal)
        request.votes -= len(self.session.execute(gone.returning(VoteTable.request_id)).all())
        self.session.flush()

    def voted(self, ids: Collection[int], principal: str) -> set[int]:
        """Choose the requests that somebody voted for."""
        query = select(VoteTable.request_id).where(VoteTable.request_id.in_(sorted(ids)))
        return set(self.session.scalars(query.where(VoteTable.principal == principal)))

    def note(
        self, request: FeatureRequestTable, by: str, at: datetime, kind: str, text: str | None, key: str | None = None
    ) -> bool:
        """Add an entry; one with a key only once. Tell whether it is new."""
        row = {"request_id": request.id, "by": by, "at": at, "kind": kind, "text": text, "key": key}
        return insert_missing(self.session, EntryTable, [row], ["request_id", "by", "key"]) > 0

    def text_by_key(self, request: FeatureRequestTable, by: str, key: str) -> str | None:
        """Give what somebody said of a request under a key."""
        query = select(EntryTable.text).where(EntryTable.request_id == request.id, EntryTable.by == by)
        return self.session.scalars(query.where(EntryTable.key == key)).first()

    def entries(self, request: FeatureRequestTable, before: int | None, limit: int) -> Sequence[EntryTable]:
        """Give what happened, the newest first."""
        query = select(EntryTable).where(EntryTable.request_id == request.id)
        query = query.where(EntryTable.id < before) if before is not None else query
        return self.session.scalars(query.order_by(EntryTable.id.desc()).limit(limit)).all()

    def features_named(self, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], FeatureRef]:
        """Give a feature for each pair of project and name without separators that one stands for."""
        key = (DocumentTable.project, DocumentTable.compact)
        query = (
            select(*key, FeatureSetTable.name, FeatureTable.name)
            .join(FeatureTable, FeatureTable.id == DocumentTable.feature_id)
            .join(FeatureSetTable, FeatureSetTable.id == FeatureTable.feature_set_id)
            .where(tuple_(*key).in_(sorted(names)), FeatureTable.deleted.is_(False))
            .order_by(FeatureSetTable.name.desc(), FeatureTable.name.desc())
        )
        return {
            (project, compact): FeatureRef(project=project, feature_set=feature_set, name=name)
            for project, compact, feature_set, name in self.session.execute(query)
        }

    def fulfilled_by(self, feature: FeatureName) -> list[tuple[UUID, str]]:
        """Give the requests that a feature fulfils, each with its project."""
        asked = dict(zip(("project", "feature_set", "name"), feature, strict=True))
        return [(uuid, project) for uuid, project in self.session.connection().execute(_fulfilled(), asked)]


@cache
def _fulfilled() -> Select[UUID, str]:
    query = select(FeatureRequestTable.uuid, FeatureRequestTable.project).where(
        FeatureRequestTable.feature_project == bindparam("project"),
        FeatureRequestTable.feature_set == bindparam("feature_set"),
        FeatureRequestTable.feature_name == bindparam("name"),
        FeatureRequestTable.state == "done",
    )
    return query.order_by(FeatureRequestTable.id)
