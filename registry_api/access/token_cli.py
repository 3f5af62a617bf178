"""``festaf registry token``: make, list and revoke tokens, for whoever has the database."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any

import typer

from festaf.registry_api.access.caller import Scope
from festaf.registry_api.access.cli import read_principal
from festaf.registry_api.access.service import TokenService
from festaf.registry_api.access.tables import TokenTable
from festaf.registry_api.terminal import AsJson, DatabaseUrl, working

tokens = typer.Typer(help="Bearer tokens: who may report lineage and who may read.", no_args_is_help=True)
MOMENTS = ("created_at", "expires_at", "revoked_at", "last_used_at")


@tokens.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What it is called, such as 'airflow-prod'.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it may do; several times for several scopes. Default: registry:read."),
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--for", help="user/NAME or service/NAME; default: nobody's, good for all projects.")
    ] = None,
    project: Annotated[
        list[str] | None, typer.Option(help="The only project that it opens; several times for several. Default: all.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it expires; default: never.")] = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it; it is shown only now."""
    whose = read_principal(owner) if owner else None
    with working(database_url) as (session, now):
        service = TokenService(session, now)
        expires_at = now + timedelta(days=days) if days else None
        scopes = scope or [Scope.REGISTRY_READ]
        token, text = service.create(name, scopes, expires_at, owner=whose, projects=project or None)
        shown = _shown(service, token)
    typer.echo(json.dumps({**shown, "token": text}) if as_json else text)


@tokens.command("list")
def list_tokens(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the tokens; their text is not known to anyone but their owners."""
    with working(database_url) as (session, now):
        service = TokenService(session, now)
        found = [_shown(service, token) for token in service.list()]
    if as_json:
        typer.echo(json.dumps(found))
        return
    if not found:
        typer.echo("There are no tokens; make one with: festaf registry token create NAME")
    for token in found:
        state = f"revoked {token['revoked_at']}" if token["revoked_at"] else f"expires {token['expires_at'] or 'never'}"
        where = "all projects" if token["projects"] is None else ", ".join(token["projects"])
        used = token["last_used_at"] or "never"
        whose = token["owner"] or "nobody's"
        typer.echo(f"{token['name']}  {whose}  {', '.join(token['scopes'])}  {where}  {state}  last used {used}")


@tokens.command("revoke")
def revoke_token(
    name: Annotated[str, typer.Argument(help="The token's name.")],
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Let a token open nothing any more, at once."""
    with working(database_url) as (session, now):
        service = TokenService(session, now)
        shown = _shown(service, service.revoke(name))
    typer.echo(json.dumps(shown) if as_json else f"The token {name!r} is revoked.")


def _shown(service: TokenService, token: TokenTable) -> dict[str, Any]:
    owner = service.owner_of(token)
    moments = {name: getattr(token, name) for name in MOMENTS}
    return {
        "name": token.name,
        "owner": "/".join(owner) if owner else None,
        "scopes": token.scopes,
        "projects": token.projects,
        **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
    }
