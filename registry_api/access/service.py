"""Make, list and revoke tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from festaf.contract.names import PROJECT_PATTERN
from festaf.registry_api.access.audit_repository import note
from festaf.registry_api.access.caller import Scope
from festaf.registry_api.access.principal_repository import PrincipalRepository
from festaf.registry_api.access.principals import absent
from festaf.registry_api.access.repository import TokenRepository, changed
from festaf.registry_api.access.tables import TokenTable
from festaf.registry_api.errors import BadRequestError, ConflictError, NotFoundError

PREFIX = "festaf_"


class TokenService:
    """Tokens."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.tokens = TokenRepository(session)
        self.principals = PrincipalRepository(session)
        self.now = now

    def create(
        self,
        name: str,
        scopes: Sequence[Scope],
        expires_at: datetime | None,
        *,
        owner: tuple[str, str] | None = None,
        projects: Sequence[str] | None = None,
    ) -> tuple[TokenTable, str]:
        """Make a token; its text is given here and never again.

        :param owner: kind and name of the user or service whose it is; None for nobody's, which means all projects
        :param projects: the only projects that it opens; their first events may be still to come
        :raises BadRequestError: the token cannot have this name, or no project can have one of these
        :raises ConflictError: the name is taken
        :raises NotFoundError: there is no such user or service
        """
        if not name.strip() or len(name) > 200 or not name.isprintable() or "/" in name:
            raise BadRequestError("a token's name has 1 to 200 printable characters, none of them '/'")
        for project in projects or ():
            if not PROJECT_PATTERN.fullmatch(project):
                raise BadRequestError(
                    f"no project can be named {project!r}: name projects such as 'nyc', or none for a token of them all"
                )
        if self.tokens.by_name(name):
            raise ConflictError(f"a token named {name!r} stands already; give this one another name")
        text = PREFIX + secrets.token_urlsafe(32)
        token = TokenTable(
            name=name,
            sha256=sha256_of(text),
            scopes=sorted({scope.value for scope in scopes}),
            created_at=self.now,
            expires_at=expires_at,
            principal_id=self._owner(*owner) if owner else None,
            projects=None if projects is None else sorted(set(projects)),
        )
        self.tokens.add(token)
        whose = "/".join(owner) if owner else "nobody"
        where = "all projects" if token.projects is None else ", ".join(token.projects)
        note(self.session, "token.create", name, after=f"of {whose}: {', '.join(token.scopes)} in {where}")
        return token, text

    def _owner(self, kind: str, name: str) -> int:
        if kind == "team":
            raise BadRequestError("a token belongs to a user or a service, not to a team")
        found = self.principals.find(kind, name)
        if found is None:
            raise absent(kind, name)
        return found.id

    def list(self) -> Sequence[TokenTable]:
        """List every token, the revoked and expired ones too."""
        return self.tokens.all()

    def page(self, after: str | None, limit: int) -> Sequence[TokenTable]:
        """List tokens by name."""
        return self.tokens.page(after, limit)

    def owner_of(self, token: TokenTable) -> tuple[str, str] | None:
        """Give kind and name of the principal whose token it is."""
        found = self.principals.get(token.principal_id) if token.principal_id is not None else None
        return (found.kind, found.name) if found else None

    def revoke(self, name: str) -> TokenTable:
        """Let a token open nothing any more.

        :raises NotFoundError: no token has this name
        """
        token = self.tokens.by_name(name)
        if token is None:
            raise NotFoundError(f"no token is named {name!r}")
        if token.revoked_at is None:
            token.revoked_at = self.now
            note(self.session, "token.revoke", name)
            changed(self.session)
        return token

    def note_use(self, token_id: int) -> None:
        """Write when the token was used."""
        token = self.tokens.get(token_id)
        if token is not None:
            token.last_used_at = self.now


def sha256_of(text: str) -> str:
    """Hash the text of a token."""
    return hashlib.sha256(text.encode()).hexdigest()
