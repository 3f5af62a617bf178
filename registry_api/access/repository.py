"""The SQL of tokens."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from festaf.registry_api.access.tables import TokenTable


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

    def all(self) -> Sequence[TokenTable]:
        """List every token by name."""
        return self.session.scalars(select(TokenTable).order_by(TokenTable.name)).all()
