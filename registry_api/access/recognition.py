"""Recognise who asks, by token or by what an identity provider vouches for, and tell what they may do.

What was found is remembered until access changes: one number in the database, read at every request, says so. So a
revoked token or a withdrawn grant counts from the next request on, whichever process changed it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from festaf.registry_api.access.caller import Caller, CallerKind, Scope
from festaf.registry_api.access.oidc import IdentityProvider, Person
from festaf.registry_api.access.principal_repository import PrincipalRepository
from festaf.registry_api.access.project_repository import ProjectRepository
from festaf.registry_api.access.repository import TokenRepository, generation
from festaf.registry_api.access.roles import ALL_PROJECTS, Granted, Reach, Role, reach_of
from festaf.registry_api.access.service import PREFIX, TokenService, sha256_of
from festaf.registry_api.access.tables import PrincipalTable, TokenTable
from festaf.registry_api.changes import name_subjects
from festaf.registry_api.database import Database
from festaf.registry_api.errors import UnauthenticatedError

log = logging.getLogger(__name__)
USED_EVERY = timedelta(minutes=1)
"""How exactly the last use is known: writing it at every request would make each read a write."""
REMEMBERED = 10_000


@dataclass
class Remembered:
    """Whom a token or person turned out to be, as of one generation of access."""

    generation: int
    caller: Caller
    expires_at: datetime | None = None
    token_id: int | None = None
    last_used_at: datetime | None = None


class Doorkeeper:
    """Recognises callers."""

    def __init__(self, database: Database, provider: IdentityProvider | None = None) -> None:
        self.database = database
        self.provider = provider
        self.known: dict[str | Person, Remembered] = {}

    def recognise(self, text: str, now: datetime) -> Caller:
        """Tell whose token it is.

        :raises UnauthenticatedError: it is unknown, revoked or expired, or its owner is disabled
        :raises UnavailableError: the identity provider's keys cannot be had
        """
        if self.provider is not None and not text.startswith(PREFIX) and text.count(".") == 2:
            return self._of_person(self.provider.verify(text, now))
        return self._of_token(sha256_of(text), now)

    def _of_token(self, sha256: str, now: datetime) -> Caller:
        """Find a token by its hash, so that the time it takes says nothing about near misses."""
        found = self._known(sha256)
        if found is None:
            with self.database.reading() as session:
                found = _read_token(session, sha256, generation(session.connection()))
            self._remember(sha256, found)
        if found.expires_at is not None and found.expires_at <= now:
            raise UnauthenticatedError("the token has expired")
        if found.last_used_at is None or found.last_used_at + USED_EVERY <= now:
            self._note_use(found, now)
        return found.caller

    def _of_person(self, person: Person) -> Caller:
        found = self._known(person)
        if found is None:
            with self.database.reading() as session:
                current = generation(session.connection())
                found = Remembered(current, _read_person(session, person))
            self._remember(person, found)
        return found.caller

    def _known(self, key: str | Person) -> Remembered | None:
        """Give what is remembered, unless access changed since."""
        found = self.known.get(key)
        if found is None:
            return None
        with self.database.engine.connect() as connection:
            return found if found.generation == generation(connection) else None

    def _remember(self, key: str | Person, found: Remembered) -> None:
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        self.known[key] = found

    def _note_use(self, found: Remembered, now: datetime) -> None:
        if found.token_id is None:
            return
        found.last_used_at = now
        try:
            with self.database.writing() as session:
                name_subjects(session)
                TokenService(session, now).note_use(found.token_id)
        except OperationalError:
            log.warning("The last use of the token %s could not be written", found.caller.token)


def _read_token(session: Session, sha256: str, current: int) -> Remembered:
    token = TokenRepository(session).by_sha256(sha256)
    if token is None or token.revoked_at is not None:
        raise UnauthenticatedError("the token is not known")
    owner = None if token.principal_id is None else PrincipalRepository(session).get(token.principal_id)
    if token.principal_id is not None and (owner is None or owner.disabled_at is not None):
        raise UnauthenticatedError("the token is not known")
    caller = _caller_of(session, token, owner)
    return Remembered(current, caller, token.expires_at, token.id, token.last_used_at)


def _caller_of(session: Session, token: TokenTable, owner: PrincipalTable | None) -> Caller:
    scopes = frozenset(token.scopes)
    if owner is None:
        everywhere = [Granted(ALL_PROJECTS, Role.ADMIN)]
        reach = reach_of(everywhere, ProjectRepository(session).namespaces(), token.projects)
        return _caller(token.name, "token", scopes, reach, token.name)
    teams = PrincipalRepository(session).teams(owner.id, ())
    reach = _reach(session, [owner, *teams], token.projects)
    return _caller(
        owner.name,
        "user" if owner.kind == "user" else "service",
        scopes,
        reach,
        token.name,
        [team.name for team in teams],
    )


def _read_person(session: Session, person: Person) -> Caller:
    repository = PrincipalRepository(session)
    known = repository.find("user", person.name)
    if known is not None and known.disabled_at is not None:
        raise UnauthenticatedError("this person is not let in any more")
    teams = repository.teams(known.id if known else None, person.groups)
    reach = _reach(session, [known, *teams] if known else teams, None)
    return _caller(person.name, "user", frozenset(Scope), reach, None, [team.name for team in teams])


def _reach(session: Session, principals: Collection[PrincipalTable], limit: Collection[str] | None) -> Reach:
    grants = PrincipalRepository(session).grants_of([principal.id for principal in principals])
    return reach_of(grants, ProjectRepository(session).namespaces(), limit)


def _caller(
    name: str, kind: CallerKind, scopes: frozenset[str], reach: Reach, token: str | None, teams: Collection[str] = ()
) -> Caller:
    return Caller(
        name,
        scopes,
        kind=kind,
        token=token,
        teams=frozenset(teams),
        sight=reach.sight,
        writes=reach.writes,
        administers=reach.administers,
    )
