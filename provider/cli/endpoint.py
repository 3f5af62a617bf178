"""``festaf endpoint``: which endpoints there are, what one serves, and back to what it served before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from festaf.provider.cli.aws import ConnId, Region, asking_aws
from festaf.provider.cli.connection import AsJson, fail

if TYPE_CHECKING:
    from festaf.provider.artifacts import Endpoint
    from festaf.provider.hooks.endpoint import EndpointHook

app = typer.Typer(no_args_is_help=True, help="List and show endpoints, and bring back what one served before.")

Name = Annotated[str, typer.Argument(help="Name of the endpoint.")]


@app.command("list")
def list_endpoints(
    contains: Annotated[str | None, typer.Argument(help="A part of the name; all without.")] = None,
    conn_id: ConnId = "aws_default",
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """List the endpoints with their states."""
    with asking_aws():
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

    with asking_aws():
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

    with asking_aws(aloud=True):
        hook = _hook(conn_id, region)
        rollout = Rollout(hook, hook.log, Patience(hook.log, timeout, 5.0))
        started = rollout.back(name, to)
        if wait:
            rollout.wait(started)
        found = Endpoint.load(name, hook=hook)
    if found is None:
        fail(f"Endpoint {name} was deleted meanwhile")
    _print(found, started.action, as_json)


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
