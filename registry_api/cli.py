"""``festaf registry``: serve, migrate, and tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NoReturn

import typer
from sqlalchemy.exc import SQLAlchemyError

from festaf.registry_api.access.audit_repository import operator, write_notes
from festaf.registry_api.access.caller import Scope
from festaf.registry_api.access.service import TokenService
from festaf.registry_api.access.tables import TokenTable
from festaf.registry_api.database import Database, describe_failure, make_folder
from festaf.registry_api.errors import RegistryError, ServiceError
from festaf.registry_api.settings import DATABASE_URL_VARIABLE, Settings, default_database_url

app = typer.Typer(help="The registry: which DAG, version, run and task made a feature.", no_args_is_help=True)
tokens = typer.Typer(help="Bearer tokens: who may report lineage and who may read.", no_args_is_help=True)
app.add_typer(tokens, name="token")

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar=DATABASE_URL_VARIABLE,
        help="sqlite:////path/to/file.db or postgresql://user:password@host/name. Default: a file in your data folder.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8750,
    database_url: DatabaseUrl = None,
    demo: Annotated[bool, typer.Option("--demo", help="Ask for no token; only for this machine.")] = False,
    as_json: AsJson = False,
) -> None:
    """Serve the registry until Ctrl-C."""
    from festaf.registry_api.main import create_app
    from festaf.registry_api.schema import require_current
    from festaf.registry_api.server import address_of, bind, check_demo
    from festaf.registry_api.server import serve as run

    with _one_sentence():
        if demo:
            check_demo(host)
        settings = Settings(database_url or default_database_url(), demo=demo)
        with _opened(settings.database_url) as database:
            with _reaching(database):
                require_current(database)
            listening = bind(host, port)
            url = address_of(listening, host)
            ready = json.dumps({"ready": True, "url": url}) if as_json else f"Registry is ready on {url}"
            run(create_app(settings, database), listening, lambda: typer.echo(ready))


@app.command()
def migrate(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Bring the database to this version's schema."""
    from festaf.registry_api.schema import current
    from festaf.registry_api.schema import migrate as upgrade

    with _one_sentence(), _opened(database_url or default_database_url()) as database, _reaching(database):
        before = current(database)
        upgrade(database)
        after = current(database)
    said = f"The schema is at version {after} already." if before == after else f"The schema is at version {after} now."
    typer.echo(json.dumps({"before": before, "after": after}) if as_json else said)


@tokens.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="Whose token it is, such as 'airflow-prod'.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it may do; several times for several scopes. Default: registry:read."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it expires; default: never.")] = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it; it is shown only now."""
    now = datetime.now(UTC)
    with _tokens(database_url, now) as service:
        token, text = service.create(name, scope or [Scope.REGISTRY_READ], now + timedelta(days=days) if days else None)
        shown = _shown(token)
    typer.echo(json.dumps({**shown, "token": text}) if as_json else text)


@tokens.command("list")
def list_tokens(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the tokens; their text is not known to anyone but their owners."""
    with _tokens(database_url, datetime.now(UTC)) as service:
        found = [_shown(token) for token in service.list()]
    if as_json:
        typer.echo(json.dumps(found))
        return
    if not found:
        typer.echo("There are no tokens; make one with: festaf registry token create NAME")
    for token in found:
        state = f"revoked {token['revoked_at']}" if token["revoked_at"] else f"expires {token['expires_at'] or 'never'}"
        used = token["last_used_at"] or "never"
        typer.echo(f"{token['name']}  {', '.join(token['scopes'])}  {state}  last used {used}")


@tokens.command("revoke")
def revoke_token(
    name: Annotated[str, typer.Argument(help="The token's name.")],
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Let a token open nothing any more, at once."""
    with _tokens(database_url, datetime.now(UTC)) as service:
        shown = _shown(service.revoke(name))
    typer.echo(json.dumps(shown) if as_json else f"The token {name!r} is revoked.")


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        if database.sqlite:
            make_folder(database.url)
        yield database
    finally:
        database.close()


@contextmanager
def _tokens(url: str | None, now: datetime) -> Iterator[TokenService]:
    from festaf.registry_api.schema import require_current

    with _one_sentence(), _opened(url or default_database_url()) as database, _reaching(database):
        require_current(database)
        with database.writing() as session:
            yield TokenService(session, now)
            write_notes(session, operator(), now)


@contextmanager
def _reaching(database: Database) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        _fail(describe_failure(database.url, error))


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        _fail(error.detail)
    except RegistryError as error:
        _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"festaf registry: {sentence}", err=True)
    raise typer.Exit(1)


def _shown(token: TokenTable) -> dict[str, Any]:
    moments = {name: getattr(token, name) for name in ("created_at", "expires_at", "revoked_at", "last_used_at")}
    return {
        "name": token.name,
        "scopes": token.scopes,
        **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
    }
