"""``festaf lineage``: where a feature comes from; and the events that wait for the registry."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from festaf.client import Breaker, Delivery, Sender, Spool
from festaf.provider.cli.connection import NO_REGISTRY, AsJson, Registry, Token, connect, fail, find_registry
from festaf.provider.cli.write_back import write_back
from festaf.provider.lineage.settings import LineageSettings, default_spool_folder, load_settings

app = typer.Typer(no_args_is_help=True, help="Where a feature comes from, and events that wait for the registry.")

app.command("write-back")(write_back)


def _standing(context: typer.Context, folder: Path | None) -> Path | None:
    """Refuse a folder that is named and not there; one of the environment is made when the first event comes.

    :raises typer.BadParameter: there is none
    """
    source = context.get_parameter_source("spool")
    if folder and source and source.name == "COMMANDLINE" and not folder.exists():
        raise typer.BadParameter(f"the folder {folder} does not exist")
    return folder


SpoolFolder = Annotated[
    Path | None,
    typer.Option(
        "--spool",
        envvar="AIRFLOW__FESTAF__SPOOL_DIR",
        help="Folder of the spool; otherwise what Airflow's configuration says, or festaf/spool in AIRFLOW_HOME.",
        file_okay=False,
        callback=_standing,
    ),
]


@app.command()
def show(
    feature: Annotated[str, typer.Argument(help="project/feature_set/feature or feature_set/feature.")],
    as_of: Annotated[
        str | None, typer.Option(help="The answer as it was at this time, such as 2026-11-21T12:00:00Z.")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(help="The answer as the registry knew it at this time, before it learned more.")
    ] = None,
    code: Annotated[bool, typer.Option("--code", help="Show the code to its end.")] = False,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Tell where a feature comes from: who, when, why, how, which run, sources and consumers."""
    from festaf.provider.cli import answer
    from festaf.provider.cli.feature_question import find, moment_of

    with connect(registry, token) as client:
        found = find(client, feature, moment_of(as_of), moment_of(known_at))
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        answer.show(answer.feature_tree(found, whole_code=code))


@app.command()
def status(spool: SpoolFolder = None, as_json: AsJson = False) -> None:
    """Tell what waits for the registry on this machine, and what it refused."""
    folder = _folder(spool)
    state = Spool(folder).status()
    trip = _breaker(folder).trip_in_force()
    if as_json:
        typer.echo(
            json.dumps({"spool": str(folder), **asdict(state), "breaker": asdict(trip) if trip else None}, indent=2)
        )
        return
    typer.echo(f"{state.pending} events ({state.pending_bytes:,} bytes) wait in {folder}")
    if state.oldest_age is not None:
        typer.echo(f"The oldest has waited for {state.oldest_age:,.0f} seconds")
    if state.rejected:
        typer.echo(f"{state.rejected} were refused and are kept in {Spool(folder).rejected}")
    if trip:
        typer.echo(f"The last try failed: {trip.reason}")


@app.command()
def flush(
    spool: SpoolFolder = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Send once more what the registry refused.")] = False,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Send what waits now, and tell how it went; the exit code is 1 when something is left."""
    folder = _folder(spool)
    box = Spool(folder)
    endpoint = find_registry(registry, token)
    if endpoint is None:
        fail(NO_REGISTRY)
    if rejected:
        box.restore()
    delivery = Delivery(
        box, _breaker(folder), lambda seconds: Sender(endpoint.url, endpoint.token, seconds, retry=False)
    )
    outcome = delivery.flush()
    if as_json:
        typer.echo(json.dumps(asdict(outcome), indent=2))
    else:
        typer.echo(f"{outcome.sent} sent, {outcome.rejected} refused, {outcome.left} left in {folder}")
    if outcome.busy:
        fail("Another process is sending them already")
    if outcome.fault or outcome.left:
        fail(outcome.fault or "Some events could not be sent now")


def _breaker(folder: Path) -> Breaker:
    return Breaker(folder / "breaker.json")


def _folder(given: Path | None) -> Path:
    if given:
        return given
    settings = _airflow_settings()
    return settings.spool_folder if settings else default_spool_folder()


def _airflow_settings() -> LineageSettings | None:
    """Read Airflow's configuration, which imports Airflow; None when it is not installed."""
    try:
        return load_settings()
    except ImportError:
        return None
