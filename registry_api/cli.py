"""``festaf registry``: serve, migrate, and the commands of each area."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from festaf.registry_api.access.cli import COMMANDS
from festaf.registry_api.access.token_cli import tokens
from festaf.registry_api.airflow.cli import app as airflow
from festaf.registry_api.dag_packages.cli import archives, namespaces
from festaf.registry_api.lineage.cli import prune_runs, rebuild_tables
from festaf.registry_api.operations.cli import COMMANDS as OPERATIONS
from festaf.registry_api.operations.options import Drain, Grace, LogFormat, LogFormatOption, LogLevel, LogLevelOption
from festaf.registry_api.settings import BLOBS_VARIABLE, Settings, default_database_url, read_limits, read_oidc
from festaf.registry_api.terminal import AsJson, DatabaseUrl, one_sentence, opened, reaching

app = typer.Typer(help="The registry: which DAG, version, run and task made a feature.", no_args_is_help=True)
app.add_typer(tokens, name="token")
for name, command in COMMANDS.items():
    app.add_typer(command, name=name)
app.add_typer(namespaces, name="dag-namespace")
app.add_typer(archives, name="dag-archives")
app.command("rebuild")(rebuild_tables)
app.command("prune")(prune_runs)
app.add_typer(airflow, name="airflow")
for name, function in OPERATIONS.items():
    app.command(name)(function)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8750,
    database_url: DatabaseUrl = None,
    demo: Annotated[bool, typer.Option("--demo", help="Ask for no token; only for this machine.")] = False,
    log_format: LogFormatOption = LogFormat.TEXT,
    log_level: LogLevelOption = LogLevel.INFO,
    drain: Drain = 0,
    grace: Grace = 10,
    as_json: AsJson = False,
) -> None:
    """Serve the registry until Ctrl-C."""
    from festaf.registry_api.dag_packages.blobs import require_usable
    from festaf.registry_api.main import create_app
    from festaf.registry_api.operations.logs import configure_logs
    from festaf.registry_api.schema import require_current
    from festaf.registry_api.server import Leave, address_of, bind, check_demo
    from festaf.registry_api.server import serve as run

    configure_logs(log_format, log_level)
    with one_sentence():
        if demo:
            check_demo(host)
        settings = Settings(
            database_url or default_database_url(),
            demo=demo,
            limits=read_limits(os.environ),
            oidc=read_oidc(os.environ),
            blobs=os.environ.get(BLOBS_VARIABLE) or None,
            sync=True,
        )
        with opened(settings.database_url) as database:
            with reaching(database):
                require_current(database)
            registry = create_app(settings, database)
            require_usable(registry.state.blobs)
            listening = bind(host, port)
            url = address_of(listening, host)
            ready = json.dumps({"ready": True, "url": url}) if as_json else f"Registry is ready on {url}"
            run(registry, listening, lambda: typer.echo(ready), Leave(drain, grace))


@app.command()
def migrate(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Bring the database to this version's schema."""
    from festaf.registry_api.schema import current, needs_rebuild
    from festaf.registry_api.schema import migrate as upgrade

    def tell(version: str, what: str) -> None:
        typer.echo(f"{version}: {what}", err=True)

    with one_sentence(), opened(database_url or default_database_url()) as database, reaching(database):
        before = current(database)
        upgrade(database, None if as_json else tell)
        after = current(database)
        if needs_rebuild(database, before):
            typer.echo("This version keeps more of each event; run festaf registry rebuild.", err=True)
    said = f"The schema is at version {after} already." if before == after else f"The schema is at version {after} now."
    typer.echo(json.dumps({"before": before, "after": after}) if as_json else said)
