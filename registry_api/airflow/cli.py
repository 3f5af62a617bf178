"""``festaf registry airflow``: add, list, sync and remove deployments."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from typing import Annotated

import typer
from pydantic import ValidationError

from festaf.contract.airflow import Airflow, AirflowSettings
from festaf.registry_api.airflow.cycle import Cycle, deployment_of
from festaf.registry_api.airflow.errors import SpentError
from festaf.registry_api.airflow.figures import Figures
from festaf.registry_api.airflow.login import Login
from festaf.registry_api.airflow.service import AirflowService
from festaf.registry_api.database import Database
from festaf.registry_api.settings import default_database_url
from festaf.registry_api.terminal import AsJson, DatabaseUrl, fail, one_sentence, opened, reaching, working

app = typer.Typer(help="Airflow deployments that the registry reads.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The deployment's name, such as 'prod'.")]


@app.command("add")
def add(
    name: Name,
    url: Annotated[str, typer.Option(help="Address of the Airflow, without /api/v2.")],
    namespace: Annotated[str, typer.Option(help="OpenLineage namespace under which this Airflow reports.")],
    username: Annotated[str | None, typer.Option(help="Log in with this user; the secret is the password.")] = None,
    secret: Annotated[
        str | None,
        typer.Option(help="Where the token or password stands: env:FESTAF_AIRFLOW_... or file:/run/secrets/..."),
    ] = None,
    poll_seconds: Annotated[int, typer.Option(min=5, max=86_400, help="Seconds between two looks.")] = 30,
    disabled: Annotated[bool, typer.Option("--disabled", help="Add it, but do not read it yet.")] = False,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Read an Airflow from now on; the same name again changes it."""
    try:
        settings = AirflowSettings(
            base_url=url,
            namespace=namespace,
            username=username,
            secret=secret,
            enabled=not disabled,
            poll_seconds=poll_seconds,
        )
    except ValidationError as error:
        item = error.errors(include_input=False)[0]
        fail(f"{item['loc'][0]}: {item['msg']}")
    with _service(database_url) as service:
        airflow, new = service.put(name, settings)
    done = "is read from now on" if new else "is changed"
    typer.echo(airflow.model_dump_json() if as_json else f"The Airflow {name!r} {done}.")


@app.command("list")
def list_airflows(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the Airflows that are read, and how reading them goes."""
    with _service(database_url) as service:
        found = service.list_airflows(None, 1000).items
    if as_json:
        typer.echo(json.dumps([item.model_dump(mode="json") for item in found]))
        return
    if not found:
        typer.echo("No Airflow is read; add one with: festaf registry airflow add NAME --url URL --namespace NAMESPACE")
    for item in found:
        typer.echo(_line(item))


@app.command("sync")
def sync(
    name: Name,
    once: Annotated[bool, typer.Option("--once", help="End when everything was read, instead of at Ctrl-C.")] = False,
    since: Annotated[
        datetime | None, typer.Option(help="Read asset events from this time (UTC) on, again if need be.")
    ] = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Read an Airflow in the foreground; a server that does so now is left alone."""
    from festaf.registry_api.schema import require_current

    figures, login = Figures(), Login()
    say: Callable[[str], None] = (lambda _: None) if as_json else typer.echo
    begin = since.replace(tzinfo=UTC) if since and since.tzinfo is None else since
    stopping = Event()
    with one_sentence(), opened(database_url or default_database_url()) as database, reaching(database):
        require_current(database)
        try:
            while True:
                _read(database, name, figures, login, stopping, say, begin)
                if once:
                    break
                begin = None
                stopping.wait(_row_poll(database, name))
        except KeyboardInterrupt:
            pass
    counts = figures.counts()
    said = ", ".join(f"{count} {figure.replace('_', ' ')}" for figure, count in sorted(counts.items()))
    typer.echo(json.dumps(counts) if as_json else f"Done: {said}.")


@app.command("remove")
def remove(name: Name, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Stop reading an Airflow; what was read from it stays."""
    with _service(database_url) as service:
        service.remove(name)
    typer.echo(json.dumps({"removed": name}) if as_json else f"The Airflow {name!r} is no longer read.")


def _read(
    database: Database,
    name: str,
    figures: Figures,
    login: Login,
    stopping: Event,
    say: Callable[[str], None],
    since: datetime | None,
) -> None:
    """Read until nothing is left, however many cycles that takes."""
    while True:
        with database.reading() as session:
            deployment = deployment_of(AirflowService(session, datetime.now(UTC)).require(name))
        ended = Cycle(database, deployment, figures, stopping.wait, login, say=say, since=since).run()
        if ended is None:
            return
        if not isinstance(ended, SpentError):
            fail(f"the sync of {name!r} ended early: {ended}")


def _row_poll(database: Database, name: str) -> int:
    with database.reading() as session:
        return AirflowService(session, datetime.now(UTC)).require(name).poll_seconds


@contextmanager
def _service(url: str | None) -> Iterator[AirflowService]:
    with working(url) as (session, now):
        yield AirflowService(session, now)


def _line(item: Airflow) -> str:
    state = item.state
    health = "off" if not item.enabled else f"failing: {state.last_error}" if state.last_error else "well"
    read = state.events_read_to.isoformat(timespec="seconds") if state.events_read_to else "nothing"
    success = state.last_success.isoformat(timespec="seconds") if state.last_success else "never"
    return f"{item.name}  {item.base_url}  {item.namespace}  {health}  read to {read}  last success {success}"
