"""What routes stand on: sessions that commit at the edge, the caller, the time."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from festaf.registry_api.access.caller import ANYONE, Caller, Scope
from festaf.registry_api.access.service import TokenService
from festaf.registry_api.database import Database
from festaf.registry_api.errors import ForbiddenError, UnauthenticatedError
from festaf.registry_api.lineage.body import read_body
from festaf.registry_api.settings import Settings
from festaf.registry_api.viewpoint import Viewpoint

log = logging.getLogger(__name__)


def now() -> datetime:
    """Give the time; tests put another in its place."""
    return datetime.now(UTC)


def settings_of(request: Request) -> Settings:
    """Give the settings that the application was made with."""
    settings: Settings = request.app.state.settings
    return settings


def database_of(request: Request) -> Database:
    """Give the application's database."""
    database: Database = request.app.state.database
    return database


Now = Annotated[datetime, Depends(now)]
TheSettings = Annotated[Settings, Depends(settings_of)]
TheDatabase = Annotated[Database, Depends(database_of)]


def open_reading(database: TheDatabase) -> Iterator[Session]:
    """Open a session for one request that reads."""
    with database.reading() as session:
        yield session


def open_writing(database: TheDatabase) -> Iterator[Session]:
    """Open a session for one request that writes; it is committed before the answer is sent."""
    with database.writing() as session:
        yield session


Reading = Annotated[Session, Depends(open_reading, scope="function")]
Writing = Annotated[Session, Depends(open_writing, scope="function")]


def caller_of(request: Request, settings: TheSettings, database: TheDatabase, moment: Now) -> Caller:
    """Tell who asks.

    :raises UnauthenticatedError: there is no bearer token, or it opens nothing
    :raises ForbiddenError: a demo is asked from another machine
    """
    if settings.demo:
        require_local(request)
        return ANYONE
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not text.strip():
        raise UnauthenticatedError("send a token: 'Authorization: Bearer <token>'")
    with database.reading() as session:
        caller = TokenService(session, moment).recognise(text.strip())
    if caller.token_id is not None:
        _note_use(database, caller, moment)
    return caller


def _note_use(database: Database, caller: Caller, moment: datetime) -> None:
    try:
        with database.writing() as session:
            TokenService(session, moment).note_use(caller)
    except OperationalError:
        log.warning("The last use of token %s could not be written", caller.name)


def require_local(request: Request) -> None:
    """Let only this machine in, and no web page that names it by another host.

    :raises ForbiddenError: the peer or the host it asked for is not this machine
    """
    host = request.url.hostname or ""
    if not (is_loopback(request.client.host if request.client else "") and is_loopback(host)):
        raise ForbiddenError("the registry runs as a demo: it answers only the machine that it runs on")


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


Known = Annotated[Caller, Depends(caller_of)]
"""One who has a token that opens anything at all; only for routes that tell no more than who asks."""


def _requires(scope: Scope) -> Callable[[Caller], Caller]:
    def check(caller: Known) -> Caller:
        caller.require(scope)
        return caller

    return check


def _administers(caller: Known) -> Caller:
    caller.require_admin()
    return caller


Reader = Annotated[Caller, Depends(_requires(Scope.REGISTRY_READ))]
"""One who may read what ``sight`` says."""
Writer = Annotated[Caller, Depends(_requires(Scope.LINEAGE_WRITE))]
"""One who may write somewhere; where, ``require_write`` and ``may_write`` say."""
Admin = Annotated[Caller, Depends(_administers)]
"""One who administers the registry."""


async def body_of(request: Request, settings: TheSettings) -> bytes:
    """Read the body within its bound, decompressed."""
    return await read_body(request, settings.max_body_bytes)


Body = Annotated[bytes, Depends(body_of)]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many items at most")]
Cursor = Annotated[str | None, Query(max_length=2000, description="Where the last page ended; opaque")]
AsOf = Annotated[
    AwareDatetime | None, Query(alias="asOf", description="Answer as it was true at this time (with offset)")
]
KnownAt = Annotated[
    AwareDatetime | None,
    Query(alias="knownAt", description="Answer as the registry knew it at this time (with offset)"),
]


def viewpoint_of(as_of: AsOf = None, known_at: KnownAt = None) -> Viewpoint:
    """Read the two clocks."""
    return Viewpoint(as_of, known_at)


View = Annotated[Viewpoint, Depends(viewpoint_of)]
