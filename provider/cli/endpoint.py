"""``festaf endpoint``: which endpoints there are, what one serves, and back to what it served before."""

from __future__ import annotations

import io
import json
import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer

from festaf.provider.cli.connection import AsJson, fail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.provider.artifacts import Endpoint
    from festaf.provider.hooks.endpoint import EndpointHook

app = typer.Typer(no_args_is_help=True, help="List and show endpoints, and bring back what one served before.")

Name = Annotated[str, typer.Argument(help="Name of the endpoint.")]
ConnId = Annotated[
    str, typer.Option("--conn-id", help="Airflow connection to AWS; '' takes boto3's own search for credentials.")
]
Region = Annotated[str | None, typer.Option(help="AWS region; the connection's without.")]


@app.command("list")
def list_endpoints(
    contains: Annotated[str | None, typer.Argument(help="A part of the name; all without.")] = None,
    conn_id: ConnId = "aws_default",
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """List the endpoints with their states."""
    with _asking():
        found = list(_hook(conn_id, region).summaries(contains))
    if as_json:
        rows = [
            {"name": one.name, "status": one.status, "modified_at": one.modified_at.isoformat(), "arn": one.arn}
            for one in found
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    for one in found:
        typer.echo(f"{one.name}  {one.status}  {one.modified_at:%Y-%m-%d %H:%M}")
    if not found:
        typer.echo("No endpoints.")


@app.command()
def show(name: Name, conn_id: ConnId = "aws_default", region: Region = None, as_json: AsJson = False) -> None:
    """Show what an endpoint serves, and what a rollback would bring back."""
    from festaf.provider.artifacts import Endpoint

    with _asking():
        hook = _hook(conn_id, region)
        found = Endpoint.load(name, hook=hook)
    if found is None:
        fail(f"There is no endpoint {name} in {hook.place}")
    _print(found, "unchanged", as_json)


@app.command()
def rollback(
    name: Name,
    to: Annotated[str | None, typer.Option(help="Another configuration than that of before the last deploy.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait until it is in service.")] = True,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which the command gives up.")] = 3600,
    conn_id: ConnId = "aws_default",
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Bring back the configuration that an endpoint ran before its last deployment, without downtime.

    Done twice it is done once: an endpoint that runs that configuration already is left alone.
    """
    from festaf.provider.artifacts import Endpoint
    from festaf.provider.endpoints.patience import Patience
    from festaf.provider.endpoints.rollout import Rollout

    with _asking(aloud=True):
        hook = _hook(conn_id, region)
        rollout = Rollout(hook, hook.log, Patience(hook.log, timeout, 5.0))
        started = rollout.back(name, to)
        if wait:
            rollout.wait(started)
        found = Endpoint.load(name, hook=hook)
    if found is None:
        fail(f"Endpoint {name} was deleted meanwhile")
    _print(found, started.action, as_json)


@contextmanager
def _asking(*, aloud: bool = False) -> Iterator[None]:
    """Keep what Airflow logs off standard output, and end an expected failure with one sentence.

    :param aloud: whether the log is worth reading, as that of a long wait: it goes to standard error then
    """
    with redirect_stdout(sys.stderr if aloud else io.StringIO()):
        from festaf.provider.errors import FestafError

        try:
            yield
        except FestafError as error:
            fail(str(error))


def _hook(conn_id: str, region: str | None) -> EndpointHook:
    from festaf.provider.hooks.endpoint import EndpointHook

    return EndpointHook(aws_conn_id=conn_id or None, region_name=region)


def _print(found: Endpoint, action: str, as_json: bool) -> None:
    if as_json:
        shown = {
            "name": found.name,
            "status": found.status,
            "action": action,
            "configuration": found.configuration_name,
            "pending_configuration": found.pending_configuration,
            "previous_configuration": found.previous_configuration,
            "failure_reason": found.failure_reason,
            "variants": [
                {
                    "name": variant.name,
                    "model": variant.model,
                    "model_package": variant.model_package,
                    "weight": variant.current_weight,
                    "instances": variant.current_instances,
                    "instance_type": variant.instance_type,
                }
                for variant in found.variants
            ],
        }
        typer.echo(json.dumps(shown, indent=2))
        return
    typer.echo(f"{found.name} is {found.status} with configuration {found.configuration_name}")
    if found.pending_configuration:
        typer.echo(f"  on its way to configuration {found.pending_configuration}")
    if found.failure_reason:
        typer.echo(f"  AWS's reason: {found.failure_reason}")
    for variant in found.variants:
        machine = f"{variant.current_instances} x {variant.instance_type}" if variant.instance_type else "serverless"
        source = variant.model_package or variant.model
        typer.echo(f"  {variant.name}: weight {variant.current_weight or 0:g}, {machine}, {source}")
    if found.previous_configuration:
        typer.echo(f"  a rollback goes to {found.previous_configuration}")
