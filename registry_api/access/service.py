"""Make, list and revoke tokens, and recognise them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from festaf.registry_api.access.caller import Caller, Scope
from festaf.registry_api.access.repository import TokenRepository
from festaf.registry_api.access.sight import EVERYTHING
from festaf.registry_api.access.tables import TokenTable
from festaf.registry_api.errors import ConflictError, NotFoundError, UnauthenticatedError

PREFIX = "festaf_"
USED_EVERY = timedelta(minutes=1)
"""How exactly the last use is known: writing it at every request would make each read a write."""


class TokenService:
    """Tokens."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.tokens = TokenRepository(session)
        self.now = now

    def create(self, name: str, scopes: Sequence[Scope], expires_at: datetime | None) -> tuple[TokenTable, str]:
        """Make a token; its text is given here and never again.

        :raises ConflictError: the name is taken
        """
        if self.tokens.by_name(name):
            raise ConflictError(f"a token named {name!r} stands already; give this one another name")
        text = PREFIX + secrets.token_urlsafe(32)
        token = TokenTable(
            name=name,
            sha256=_sha256(text),
            scopes=sorted({scope.value for scope in scopes}),
            created_at=self.now,
            expires_at=expires_at,
        )
        self.tokens.add(token)
        return token, text

    def list(self) -> Sequence[TokenTable]:
        """List every token, the revoked and expired ones too."""
        return self.tokens.all()

    def revoke(self, name: str) -> TokenTable:
        """Let a token open nothing any more.

        :raises NotFoundError: no token has this name
        """
        token = self.tokens.by_name(name)
        if token is None:
            raise NotFoundError(f"no token is named {name!r}")
        token.revoked_at = token.revoked_at or self.now
        return token

    def recognise(self, text: str) -> Caller:
        """Tell whose token it is. It is found by its hash, so the time it takes says nothing about near misses.

        :raises UnauthenticatedError: it is unknown, revoked or expired
        """
        token = self.tokens.by_sha256(_sha256(text))
        if token is None or token.revoked_at is not None:
            raise UnauthenticatedError("the token is not known")
        if token.expires_at is not None and token.expires_at <= self.now:
            raise UnauthenticatedError("the token has expired")
        stale = token.last_used_at is None or token.last_used_at + USED_EVERY <= self.now
        return Caller(
            token.name,
            frozenset(token.scopes),
            token.id if stale else None,
            sight=EVERYTHING,
            writes=EVERYTHING,
            administers=EVERYTHING,
        )

    def note_use(self, caller: Caller) -> None:
        """Write when the token was used."""
        token = self.tokens.by_name(caller.name)
        if token is not None:
            token.last_used_at = self.now


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
