"""``festaf local-aws``: run the local AWS, and turn what it offers to be turned."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, get_args

import typer
from pydantic import ValidationError

from festaf.local_aws.faults import Kind
from festaf.local_aws.settings import Settings

app = typer.Typer(no_args_is_help=True, help="A server that stands in for AWS: demo, tests, laptop.")

DEFAULT_URL = "http://127.0.0.1:4599"
_DEFAULT = Settings()

KINDS: tuple[str, ...] = get_args(Kind)

Url = Annotated[str, typer.Option(envvar="FESTAF_LOCAL_AWS_URL", help="Where the local AWS runs.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting as NAME=VALUE: endpoint_create_seconds=30, rates.PutRecord=10; repeatable."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 4599,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    state: Annotated[Path | None, typer.Option(help="Keep everything in this directory.", file_okay=False)] = None,
    create_seconds: Annotated[float, typer.Option(min=0, help="Creating lasts this long.")] = _DEFAULT.create_seconds,
    create_in_memory_seconds: Annotated[
        float | None, typer.Option(min=0, help="The same for the InMemory online store.")
    ] = None,
    offline_active_seconds: Annotated[
        float, typer.Option(min=0, help="From Created to an active offline store.")
    ] = _DEFAULT.offline_active_seconds,
    glue_seconds: Annotated[
        float, typer.Option(min=0, help="From an active offline store to its Glue table.")
    ] = _DEFAULT.glue_seconds,
    visible_seconds: Annotated[
        float, typer.Option(min=0, help="How long a new feature group is not found.")
    ] = _DEFAULT.visible_seconds,
    update_seconds: Annotated[float, typer.Option(min=0, help="An update lasts this long.")] = _DEFAULT.update_seconds,
    delete_seconds: Annotated[float, typer.Option(min=0, help="Deleting lasts this long.")] = _DEFAULT.delete_seconds,
    offline_delay_seconds: Annotated[
        float, typer.Option(min=0, help="From a write to the offline store's files.")
    ] = _DEFAULT.offline_delay_seconds,
    rate: Annotated[
        list[str] | None, typer.Option(help="Throttle an operation: BatchGetRecord=500 (calls per second).")
    ] = None,
    changes: Changes = None,
    as_json: AsJson = False,
) -> None:
    """Run the local AWS until it is stopped."""
    given: dict[str, Any] = {
        "create_seconds": create_seconds,
        "create_in_memory_seconds": create_in_memory_seconds,
        "offline_active_seconds": offline_active_seconds,
        "glue_seconds": glue_seconds,
        "visible_seconds": visible_seconds,
        "update_seconds": update_seconds,
        "delete_seconds": delete_seconds,
        "offline_delay_seconds": offline_delay_seconds,
        "rates": dict(map(_rate, rate or [])),
    }
    try:
        settings = Settings.model_validate(with_changes(given, changes or []))
    except ValidationError as problem:
        wrong = problem.errors()[0]
        _fail(f"The setting {'.'.join(map(str, wrong['loc']))} is wrong: {wrong['msg']}.")
    _serve(host, port, settings, state, as_json=as_json)


def _serve(host: str, port: int, settings: Settings, state: Path | None, *, as_json: bool) -> None:
    from festaf.local_aws.server import LocalAws, listen, serve
    from festaf.local_aws.state.database import StateError

    try:
        listening = listen(host, port)
    except OSError as problem:
        _fail(f"The local AWS cannot listen on {host}:{port}: {problem.strerror or problem}.")
    try:
        aws = LocalAws(settings, state)
    except StateError as problem:
        _fail(str(problem))
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{listening.getsockname()[1]}"

    def ready() -> None:
        typer.echo(json.dumps({"url": url}) if as_json else f"Local AWS is ready on {url}")

    serve(listening, aws, ready)


def with_changes(settings: dict[str, Any], changes: list[str]) -> dict[str, Any]:
    """Give settings with changes of the form NAME=VALUE; ``rates.PutRecord=10`` changes one rate.

    :raises typer.BadParameter: a change has another form
    """
    changed = {**settings, "rates": dict(settings.get("rates", {}))}
    for change in changes:
        name, equals, text = change.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{change!r} is not NAME=VALUE", param_hint="--set")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        outer, dot, inner = name.partition(".")
        if dot and outer == "rates":
            changed["rates"][inner] = value
        else:
            changed[name] = value
    return changed


def _rate(text: str) -> tuple[str, float]:
    operation, _, calls = text.partition("=")
    try:
        return operation, float(calls)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not OPERATION=CALLS_PER_SECOND", param_hint="--rate") from None


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def _ask(method: str, url: str, path: str, content: Any = None) -> dict[str, Any]:
    """Ask a running local AWS, or end with one sentence."""
    import httpx

    try:
        answer = httpx.request(method, f"{url.rstrip('/')}/_local/{path}", json=content, timeout=30)
        result: dict[str, Any] = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        _fail(f"No local AWS answers at {url}; start one with: festaf local-aws serve")
    if answer.is_error:
        _fail(f"The local AWS refused: {result.get('message', answer.status_code)}")
    return result


def _show(result: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    typer.echo(json.dumps(result) if as_json else "\n".join(lines))


@app.command()
def fault(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.")],
    operation: Annotated[str | None, typer.Option(help="Regular expression for the operation's whole name.")] = None,
    resource: Annotated[
        str | None, typer.Option(help="Regular expression for the resource's kind: feature-group, model-package.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Regular expression for the resource's whole name.")] = None,
    reason: Annotated[str | None, typer.Option(help="What AWS would give as the reason.")] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="How late 'slow' answers; when a timeout's connection is cut.")
    ] = None,
    status: Annotated[int | None, typer.Option(min=500, max=599, help="HTTP status of 'error'.")] = None,
    to: Annotated[str | None, typer.Option(help="The status that 'set_status' gives an endpoint.")] = None,
    count: Annotated[int, typer.Option(min=0, help="How often it strikes; 0: until it is cleared.")] = 1,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Order a fault from a running local AWS."""
    given = {
        "operation": operation,
        "resource": resource,
        "name": name,
        "reason": reason,
        "seconds": seconds,
        "status": status,
        "to": to,
    }
    order = {key: value for key, value in given.items() if value is not None}
    result = _ask("POST", url, "faults", {"kind": kind, "count": count or None, **order})
    _show(result, _fault_lines(result), as_json=as_json)


@app.command()
def faults(
    clear: Annotated[bool, typer.Option("--clear", help="Forget them all.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List the faults that stand, or clear them."""
    result = _ask("DELETE" if clear else "GET", url, "faults")
    _show(result, _fault_lines(result), as_json=as_json)


def _fault_lines(result: dict[str, Any]) -> list[str]:
    lines = [
        f"{one['kind']:<15} operation={one['operation']} resource={one['resource']} name={one['name']} "
        f"left={'all' if one['count'] is None else one['count']}"
        for one in result["faults"]
    ]
    return lines or ["No faults stand."]


@app.command()
def settings(changes: Changes = None, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show how long things take in a running local AWS and what it allows, or change that."""
    result = _ask("GET", url, "settings")
    if changes:
        result = _ask("PUT", url, "settings", with_changes(result, changes))
    _show(result, [f"{name} = {json.dumps(value)}" for name, value in result.items()], as_json=as_json)


@app.command()
def advance(
    seconds: Annotated[float, typer.Argument(min=0, help="How far to jump ahead.")],
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Jump ahead in a running local AWS's time."""
    result = _ask("POST", url, "clock", {"advance": seconds})
    _show(result, [f"It is now {_moment(result['now'])} there."], as_json=as_json)


@app.command()
def stats(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Count the calls by operation since the last reset."""
    result = _ask("GET", url, "stats")
    lines = [f"{count:>9} {operation}" for operation, count in sorted(result["calls"].items())]
    _show(result, lines or ["No calls yet."], as_json=as_json)


@app.command()
def reset(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Make a running local AWS forget everything: resources, objects, faults, counts, settings."""
    _show(_ask("POST", url, "reset"), ["The local AWS is empty."], as_json=as_json)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
