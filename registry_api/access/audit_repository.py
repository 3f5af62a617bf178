"""The SQL of the audit log: one row for each write, in the transaction of the write.

The edge writes the rows when a writing session ends well, so that no route can forget it: what a service notes, or, if
it notes nothing, the route and the path. Texts are masked; the text of a token never comes here at all.
"""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from festaf.registry_api.access.tables import AuditTable
from festaf.registry_api.secrets.masking import mask_text

NOTES = "audit_notes"
MAX_TEXT = 2_000
MAX_ENTITY = 500


@dataclass(frozen=True)
class Note:
    """What one write did."""

    action: str
    entity: str
    before: str | None = None
    after: str | None = None
    counts: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Actor:
    """Who writes."""

    name: str
    kind: str
    token: str | None = None


def operator() -> Actor:
    """Name who works on the command line: whoever has the database's password needs no token."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return Actor(name, "operator")


@dataclass(frozen=True)
class AuditFilter:
    """Which rows are asked for; what is None does not matter."""

    actor: str | None = None
    action: str | None = None
    entity: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def note(
    session: Session,
    action: str,
    entity: str,
    *,
    before: str | None = None,
    after: str | None = None,
    counts: Mapping[str, int] | None = None,
) -> None:
    """Say what is written in this session; it becomes a row of the log when the session ends well.

    :param action: a noun and a verb, such as ``grant.put``
    :param entity: what was changed, such as ``nyc/delays/dep_delay``
    :param before: a short text or a hash of what stood before
    """
    session.info.setdefault(NOTES, []).append(Note(action, entity, before, after, counts))


def counts_noted(session: Session, action: str) -> list[Mapping[str, int]]:
    """Give the counts of what was noted of an action in a session, before it is written down."""
    notes: list[Note] = session.info.get(NOTES, [])
    return [item.counts for item in notes if item.action == action and item.counts]


def write_notes(session: Session, actor: Actor, at: datetime, otherwise: Note | None = None) -> None:
    """Write down what was noted in a session.

    :param otherwise: what is written when nothing was noted
    """
    notes: list[Note] = session.info.pop(NOTES, [])
    if not notes and otherwise is not None:
        notes = [otherwise]
    session.add_all(
        AuditTable(
            at=at,
            actor=actor.name[:200],
            actor_kind=actor.kind,
            token=actor.token,
            action=item.action[:100],
            entity=mask_text(item.entity)[:MAX_ENTITY],
            before=_short(item.before),
            after=_short(item.after),
            counts=dict(item.counts) if item.counts else None,
        )
        for item in notes
    )


def audit_page(session: Session, asked: AuditFilter, before_id: int | None, limit: int) -> Sequence[AuditTable]:
    """List rows of the log, the newest first."""
    query = select(AuditTable).order_by(AuditTable.id.desc()).limit(limit)
    for column, value in (
        (AuditTable.actor, asked.actor),
        (AuditTable.action, asked.action),
        (AuditTable.entity, asked.entity),
    ):
        if value is not None:
            query = query.where(column == value)
    if asked.since is not None:
        query = query.where(AuditTable.at >= asked.since)
    if asked.until is not None:
        query = query.where(AuditTable.at < asked.until)
    if before_id is not None:
        query = query.where(AuditTable.id < before_id)
    return session.scalars(query).all()


def _short(text: str | None) -> str | None:
    return None if text is None else mask_text(text)[:MAX_TEXT]
