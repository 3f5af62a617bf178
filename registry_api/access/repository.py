"""The SQL of tokens, and of the number that grows with every change of access."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, text, update
from sqlalchemy.orm import Session

from festaf.registry_api.access.tables import AccessStateTable, TokenTable

_GENERATION = text("SELECT generation FROM access_state WHERE id = 1")


def generation(connection: Connection) -> int:
    """Give the number of changes of access so far."""
    return int(connection.execute(_GENERATION).scalar_one())


def changed(session: Session) -> None:
    """Let everybody read access anew, in the transaction that changes it."""
    session.execute(update(AccessStateTable).values(generation=AccessStateTable.generation + 1))


class TokenRepository:
    """Tokens, found by hash or by name."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, token: TokenTable) -> None:
        """Store a token."""
        self.session.add(token)
        self.session.flush()

    def by_sha256(self, sha256: str) -> TokenTable | None:
        """Find a token by the hash of its text."""
        return self.session.scalars(select(TokenTable).where(TokenTable.sha256 == sha256)).first()

    def by_name(self, name: str) -> TokenTable | None:
        """Find a token by its name."""
        return self.session.scalars(select(TokenTable).where(TokenTable.name == name)).first()

    def get(self, token_id: int) -> TokenTable | None:
        """Find a token by its id."""
        return self.session.get(TokenTable, token_id)

    def all(self) -> Sequence[TokenTable]:
        """List every token by name."""
        return self.session.scalars(select(TokenTable).order_by(TokenTable.name)).all()

    def page(self, after: str | None, limit: int) -> Sequence[TokenTable]:
        """List tokens by name."""
        query = select(TokenTable).order_by(TokenTable.name).limit(limit)
        if after is not None:
            query = query.where(TokenTable.name > after)
        return self.session.scalars(query).all()
