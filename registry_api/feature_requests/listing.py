"""Pages of requests and of what happened to them."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast
from uuid import UUID

from festaf.contract.feature_request import EntryKind, FeatureRequest, RequestEntry
from festaf.contract.http import Page
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.errors import BadRequestError
from festaf.registry_api.feature_requests.repository import Order, Wanted
from festaf.registry_api.feature_requests.service import RequestService
from festaf.registry_api.feature_requests.tables import EntryTable
from festaf.registry_api.page import decode_cursor, encode_cursor
from festaf.registry_api.search.words import runs

MOST_WORDS = 12
LARGEST = 2**63


def list_requests(
    service: RequestService,
    *,
    project: str | None,
    state: Collection[str],
    asked_by: str | None,
    q: str | None,
    sort: Order,
    limit: int,
    cursor: str | None,
) -> Page[FeatureRequest]:
    """Give one page of what the caller may see."""
    after = _after(cursor, sort) if cursor else None
    sight = service.caller.sight
    if project is not None:
        projects: Collection[str] | None = {project} if sight.sees(project) else ()
    else:
        projects = sight.projects
    wanted = Wanted(projects, state, asked_by, _words(q))
    rows = service.requests.page(wanted, sort, after, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        items=tuple(service.shown(rows[:limit])),
        cursor=encode_cursor(sort, str(last.votes), str(last.id)) if last else None,
    )


def requests_like(service: RequestService, words: str, limit: int) -> tuple[FeatureRequest, ...]:
    """Give requests for something like it, the most wanted first."""
    found = _words(words)
    if not found:
        return ()
    wanted = Wanted(service.caller.sight.projects, ("open", "planned", "declined"), words=found)
    return tuple(service.shown(service.requests.page(wanted, "votes", None, limit)))


def list_entries(service: RequestService, uuid: UUID, limit: int, cursor: str | None) -> Page[RequestEntry]:
    """Give one page of what happened to a request."""
    request = service.require(uuid)
    before = _number(decode_cursor(cursor, 1)[0]) if cursor else None
    rows = service.requests.entries(request, before, limit + 1)
    items = tuple(
        RequestEntry(at=row.at, by=row.by, kind=cast("EntryKind", row.kind), text=_seen_text(row, service.caller.sight))
        for row in rows[:limit]
    )
    return Page(items=items, cursor=encode_cursor(str(rows[limit - 1].id)) if len(rows) > limit else None)


def _seen_text(row: EntryTable, sight: Sight) -> str | None:
    """Give what was said; a step to ``done`` names a feature, which the caller may not be one to see."""
    if row.kind == "done" and row.text and not sight.sees(row.text.partition("/")[0]):
        return None
    return row.text


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(run.whole for run, _, _ in runs(text or ""))[:MOST_WORDS]


def _after(cursor: str, sort: Order) -> tuple[int, int]:
    order, votes, last = decode_cursor(cursor, 3)
    if order != sort:
        raise BadRequestError("the cursor is one of another order")
    return _number(votes), _number(last)


def _number(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or len(text) > 19 or int(text) >= LARGEST:
        raise BadRequestError("the cursor is not one that this list gave out")
    return int(text)
