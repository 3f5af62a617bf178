"""What routes stand on: sessions that commit at the edge, the caller, the time.

What only looks at values is asynchronous, since each other dependency takes a turn in a thread.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response, Security
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from festaf.contract.http import API
from festaf.contract.model import Moment
from festaf.registry_api.access.audit_repository import Actor, Note, counts_noted, write_notes
from festaf.registry_api.access.caller import ANYONE, Caller, Scope
from festaf.registry_api.access.limits import Throttle
from festaf.registry_api.access.recognition import Doorkeeper
from festaf.registry_api.access.roles import ALL_PROJECTS
from festaf.registry_api.answering import Answering
from festaf.registry_api.database import Database
from festaf.registry_api.errors import BadRequestError, ForbiddenError, ServiceError, UnauthenticatedError
from festaf.registry_api.lineage.body import read_body, wrongly_encoded
from festaf.registry_api.operations.watching import name_caller
from festaf.registry_api.settings import Settings
from festaf.registry_api.viewpoint import Viewpoint

log = logging.getLogger(__name__)
WORK = "festaf_work"
"""Where a session keeps what commits or undoes it."""


async def now() -> datetime:
    """Give the time; tests put another in its place."""
    return datetime.now(UTC)


async def settings_of(request: Request) -> Settings:
    """Give the settings that the application was made with."""
    settings: Settings = request.app.state.settings
    return settings


async def database_of(request: Request) -> Database:
    """Give the application's database."""
    database: Database = request.app.state.database
    return database


Now = Annotated[datetime, Depends(now)]
TheSettings = Annotated[Settings, Depends(settings_of)]
TheDatabase = Annotated[Database, Depends(database_of)]


BEARER = HTTPBearer(
    auto_error=False,
    description="A token of the registry, or a person's JWT of the identity provider",
)
"""Says in the OpenAPI schema how to tell who asks; it decides nothing."""


async def caller_of(
    request: Request,
    settings: TheSettings,
    moment: Now,
    _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
) -> Caller:
    """Tell who asks; whatever goes wrong in telling is a refusal.

    :raises UnauthenticatedError: there is no bearer token, or it opens nothing
    :raises ForbiddenError: a demo is asked from another machine
    :raises TooManyRequestsError: the caller asks too often, or the address fails too often
    """
    if settings.demo:
        require_local(request)
        name_caller(request.scope, ANYONE.name)
        return ANYONE
    return await run_in_threadpool(_admit, request, moment)


async def refuse_nul(request: Request) -> None:
    """Refuse a path and a query that hold U+0000: SQLite would look for it in vain, PostgreSQL takes none.

    :raises BadRequestError: there is one
    """
    if b"%00" in request.scope["raw_path"] + b"?" + request.scope["query_string"]:
        raise BadRequestError("the path or the query holds the character U+0000, which PostgreSQL cannot keep")


async def refuse_encoded(request: Request) -> None:
    """Refuse a body that the framework read as plain JSON, although it was said to be compressed.

    :raises UnsupportedError: it was
    """
    if request.scope["route"].body_field is not None and (wrong := wrongly_encoded(request)):
        raise wrong


def _admit(request: Request, moment: datetime) -> Caller:
    """Recognise the caller and count the request; both may wait for others."""
    throttle: Throttle = request.app.state.throttle
    address = request.client.host if request.client else "unknown"
    try:
        caller = _recognise(request, moment)
    except UnauthenticatedError:
        throttle.count_failure(address)
        raise
    except (ServiceError, DBAPIError, PoolTimeoutError):
        raise
    except Exception as error:
        log.exception("It could not be told who asks")
        raise ForbiddenError("it could not be told who asks") from error
    name_caller(request.scope, caller.name)
    throttle.count(caller, request.method, request.url.path)
    return caller


def _recognise(request: Request, moment: datetime) -> Caller:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not text.strip():
        raise UnauthenticatedError("send a token: 'Authorization: Bearer <token>'")
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    return doorkeeper.recognise(text.strip(), moment)


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


async def _reads(caller: Known) -> Caller:
    caller.require(Scope.REGISTRY_READ)
    if caller.sight.nothing:
        raise ForbiddenError(f"{caller.name!r} may read in no project")
    return caller


async def _writes(caller: Known) -> Caller:
    caller.require(Scope.LINEAGE_WRITE)
    if caller.writes.nothing:
        raise ForbiddenError(f"{caller.name!r} may write in no project")
    return caller


async def _administers(caller: Known) -> Caller:
    caller.require_admin()
    return caller


async def _administers_project(
    project: Annotated[str, Path(max_length=64, description="A project; * is all of them")], caller: Known
) -> Caller:
    if project == ALL_PROJECTS:
        caller.require_admin()
    else:
        caller.require_project_admin(project)
    return caller


Reader = Annotated[Caller, Depends(_reads)]
"""One who may read what ``sight`` says."""
Writer = Annotated[Caller, Depends(_writes)]
"""One who may write somewhere; where, ``require_write`` and ``may_write`` say."""
Admin = Annotated[Caller, Depends(_administers)]
"""One who administers the registry."""
ProjectAdmin = Annotated[Caller, Depends(_administers_project)]
"""One who administers the project of the path."""


async def open_reading(database: TheDatabase, _: Known) -> AsyncIterator[Session]:
    """Open a session for one request that reads; who asks is known by then.

    Opening one asks the database nothing.
    """
    async with _closing(database.open()) as session:
        yield session


async def open_steady(database: TheDatabase, _: Known) -> AsyncIterator[Session]:
    """Open a session for one request that holds what it reads against each other."""
    async with _closing(database.open_steady()) as session:
        yield session


@asynccontextmanager
async def _closing(session: Session) -> AsyncIterator[Session]:
    """Close a session at the end.

    That asks the database only if the route has not ended its transaction itself, as ``answered`` does; only then it
    takes a turn in a thread.
    """
    try:
        yield session
    finally:
        if session.in_transaction():
            await run_in_threadpool(session.close)
        else:
            session.close()


def answered(session: Session, answer: BaseModel) -> Response:
    """Write an answer that needs no second check, and give the connection back: all in the turn of the route."""
    session.close()
    return Response(answer.__pydantic_serializer__.to_json(answer, by_alias=True), media_type="application/json")


async def answering(request: Request, database: TheDatabase, caller: Reader) -> Answering:
    """Prepare an answer to one who may read."""
    return Answering(request, database, caller)


async def open_writing(request: Request, database: TheDatabase, caller: Known, moment: Now) -> AsyncIterator[Session]:
    """Open a session for one request that writes; it is audited, and committed before the answer is sent.

    A request that is cut off leaves its route at work in a thread, and nobody else may end the session meanwhile. So
    the session keeps what would end it: that goes, and undoes the work, only when the thread lets the session go.
    """
    work = _audited(request, database, caller, moment)
    async with contextmanager_in_threadpool(work) as session:
        session.info[WORK] = work
        yield session


@contextmanager
def _audited(request: Request, database: Database, caller: Caller, moment: datetime) -> Iterator[Session]:
    with database.writing() as session:
        yield session
        path = request.url.path.removeprefix(API)
        route = getattr(request.scope.get("route"), "path", path).removeprefix(API)
        taken = counts_noted(session, "events.take")
        otherwise = Note(f"{request.method} {route}", path)
        write_notes(session, Actor(caller.name, caller.kind, caller.token), moment, otherwise)
    request.app.state.metrics.took(taken)


Answered = Annotated[Answering, Depends(answering)]
Reading = Annotated[Session, Depends(open_reading, scope="function")]
SteadyReading = Annotated[Session, Depends(open_steady, scope="function")]
"""Reads one state of the database, whoever writes meanwhile."""
Writing = Annotated[Session, Depends(open_writing, scope="function")]


async def body_of(request: Request, settings: TheSettings) -> bytes:
    """Read the body within its bound, decompressed."""
    return await read_body(request, settings.max_body_bytes)


Body = Annotated[bytes, Depends(body_of)]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many items at most")]
Cursor = Annotated[str | None, Query(max_length=2000, description="Where the last page ended; opaque")]
AsOf = Annotated[Moment | None, Query(alias="asOf", description="Answer as it was true at this time (with offset)")]
KnownAt = Annotated[
    Moment | None,
    Query(alias="knownAt", description="Answer as the registry knew it at this time (with offset)"),
]

CLOCKS = {"asof": "asOf", "knownat": "knownAt"}
"""The parameters of the two clocks, by their letters."""


async def viewpoint_of(request: Request, as_of: AsOf = None, known_at: KnownAt = None) -> Viewpoint:
    """Read the two clocks.

    :raises BadRequestError: one is misspelt, so that the present would be taken for the past
    """
    for name in request.query_params.keys() - CLOCKS.values():
        if meant := CLOCKS.get(name.lower().replace("_", "").replace("-", "")):
            raise BadRequestError(f"there is no parameter {name!r}: write {meant}")
    return Viewpoint(as_of, known_at)


View = Annotated[Viewpoint, Depends(viewpoint_of)]
