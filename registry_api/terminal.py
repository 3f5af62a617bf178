"""What the registry's commands share: a session that ends in one sentence when something cannot be done."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from festaf.registry_api.database import Database, describe_failure, make_folder
from festaf.registry_api.errors import RegistryError, ServiceError
from festaf.registry_api.settings import DATABASE_URL_VARIABLE, default_database_url

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar=DATABASE_URL_VARIABLE,
        help="sqlite:////path/to/file.db or postgresql://user:password@host/name. Default: a file in your data folder.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Open a database; the folder of an SQLite file is made."""
    database = Database(url)
    try:
        if database.sqlite:
            make_folder(database.url)
        yield database
    finally:
        database.close()


@contextmanager
def working(url: str | None) -> Iterator[tuple[Session, datetime]]:
    """Open a session that writes, with the time; what is noted goes to the audit log as an operator's work."""
    from festaf.registry_api.access.audit_repository import operator, write_notes
    from festaf.registry_api.schema import require_current

    now = datetime.now(UTC)
    with one_sentence(), opened(url or default_database_url()) as database, reaching(database):
        require_current(database)
        with database.writing() as session:
            yield session, now
            write_notes(session, operator(), now)


@contextmanager
def reaching(database: Database) -> Iterator[None]:
    """Say in one sentence that the database did not answer."""
    try:
        yield
    except SQLAlchemyError as error:
        fail(describe_failure(database.url, error))


@contextmanager
def one_sentence() -> Iterator[None]:
    """Say in one sentence what cannot be done."""
    try:
        yield
    except ServiceError as error:
        fail(error.detail)
    except RegistryError as error:
        fail(str(error))


def fail(sentence: str) -> NoReturn:
    """End with a sentence on stderr and exit code 1."""
    typer.echo(f"festaf registry: {sentence}", err=True)
    raise typer.Exit(1)


def show(found: Sequence[dict[str, Any]], *, as_json: bool, columns: Sequence[str], nothing: str) -> None:
    """Print a list, as JSON or one line each."""
    if as_json:
        typer.echo(json.dumps(found))
        return
    if not found:
        typer.echo(nothing)
    for item in found:
        typer.echo("  ".join(_text(item[name]) for name in columns if item[name] not in (None, [])))


def say(result: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print what was done, as JSON or as a sentence."""
    typer.echo(json.dumps(result) if as_json else sentence)


def _text(value: Any) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)
