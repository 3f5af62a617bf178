"""``/tokens``: made and revoked by those who administer the registry; the text is shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path

from festaf.contract.access import NewToken, Token, TokenRequest
from festaf.contract.http import Page
from festaf.registry_api.access.caller import Scope
from festaf.registry_api.access.service import TokenService
from festaf.registry_api.access.tables import TokenTable
from festaf.registry_api.edge import Admin, Cursor, Limit, Now, Reading, Writing
from festaf.registry_api.page import decode_cursor, encode_cursor

router = APIRouter(tags=["access"])
Name = Annotated[str, Path(max_length=200)]


@router.get("/tokens", summary="List tokens")
def list_tokens(_: Admin, session: Reading, now: Now, limit: Limit = 100, cursor: Cursor = None) -> Page[Token]:
    """List tokens, the revoked and expired ones too; their texts are not known."""
    service = TokenService(session, now)
    rows = service.page(decode_cursor(cursor, 1)[0] if cursor else None, limit + 1)
    more = encode_cursor(rows[limit - 1].name) if len(rows) > limit else None
    return Page(items=tuple(shown(service, row) for row in rows[:limit]), cursor=more)


@router.post("/tokens", status_code=201, summary="Make a token")
def post_token(body: TokenRequest, _: Admin, session: Writing, now: Now) -> NewToken:
    """Make a token of a user or service and show its text, only this once."""
    service = TokenService(session, now)
    expires_at = now + timedelta(days=body.days) if body.days else None
    owner = (body.owner_kind, body.owner)
    scopes = [Scope(scope) for scope in body.scopes]
    row, text = service.create(body.name, scopes, expires_at, owner=owner, projects=body.projects)
    return NewToken(**dict(shown(service, row)), token=text)


@router.delete("/tokens/{name}", summary="Revoke a token")
def delete_token(name: Name, _: Admin, session: Writing, now: Now) -> Token:
    """Let a token open nothing any more; again changes nothing."""
    service = TokenService(session, now)
    return shown(service, service.revoke(name))


def shown(service: TokenService, row: TokenTable) -> Token:
    """Show what is known of a token."""
    owner = service.owner_of(row)
    return Token.model_validate(
        {
            "name": row.name,
            "owner_kind": owner[0] if owner else None,
            "owner": owner[1] if owner else None,
            "scopes": row.scopes,
            "projects": row.projects,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
            "revoked_at": row.revoked_at,
            "last_used_at": row.last_used_at,
        }
    )
