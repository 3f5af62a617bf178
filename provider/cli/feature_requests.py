"""``festaf features request`` and what follows: ask for features that do not exist, vote, plan, decline, fulfil."""

from __future__ import annotations

import json
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import uuid4

import typer

from festaf.provider.cli.connection import AsJson, Registry, Token, connect, fail
from festaf.provider.cli.feature_name import FeatureName

if TYPE_CHECKING:
    from festaf.contract.feature_request import FeatureRequest

RequestId = Annotated[str, typer.Argument(metavar="ID", help="The request, as 'festaf features requests' lists it.")]


def request(
    name: Annotated[str, typer.Argument(help="The wanted name.")],
    project: Annotated[str, typer.Option(help="The project in which it is wanted.")],
    purpose: Annotated[str, typer.Option(help="What it is needed for.")],
    wanted_by: Annotated[str | None, typer.Option(help="By when, such as 2026-12-31.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="What it might be made from; several times.")] = None,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Ask for a feature that does not exist."""
    asked = {"project": project, "name": name, "purpose": purpose, "wanted_by": _date(wanted_by)}
    with connect(registry, token) as client:
        found = client.ask_for_feature({**asked, "sources": list(source or ())}, key=str(uuid4()))
    _show(found, as_json)


def requests(
    query: Annotated[str | None, typer.Argument(help="Words of name or purpose; all without.")] = None,
    project: Annotated[str | None, typer.Option(help="Only those of this project.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="open, planned, done, declined, withdrawn.")] = None,
    newest: Annotated[bool, typer.Option("--newest", help="The newest first, instead of the most wanted.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List what was asked for."""
    sort: Literal["votes", "newest"] = "newest" if newest else "votes"
    with connect(registry, token) as client:
        pages = client.feature_requests(query=query, project=project, states=tuple(state or ()), sort=sort)
        found = list(islice(pages, limit))
    if as_json:
        typer.echo(json.dumps([item.model_dump(mode="json") for item in found], indent=2))
        return
    for item in found:
        typer.echo(line(item))
    if not found:
        typer.echo("No requests.")


def vote(
    request_id: RequestId,
    back: Annotated[bool, typer.Option("--back", help="Take the vote back.")] = False,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Want a feature, too."""
    with connect(registry, token) as client:
        _show(client.vote_for_feature(request_id, wanted=not back), as_json)


def plan(
    request_id: RequestId,
    by: Annotated[str | None, typer.Option(help="Who makes it; otherwise you.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when, such as 2026-12-31.")] = None,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Say who makes a feature, and until when."""
    with connect(registry, token) as client:
        _show(client.decide_request(request_id, "plan", {"by": by, "until": _date(until)}), as_json)


def decline(
    request_id: RequestId,
    reason: Annotated[str, typer.Option(help="Why it will not be made.")],
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Say why a feature will not be made."""
    with connect(registry, token) as client:
        _show(client.decide_request(request_id, "decline", {"reason": reason}), as_json)


def fulfil(
    request_id: RequestId,
    feature: Annotated[str, typer.Argument(help="project/feature_set/feature that was asked for.")],
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Close a request with the feature that fulfils it."""
    try:
        name = FeatureName.parse(feature)
    except ValueError as error:
        fail(str(error))
    if name.project is None:
        fail(f"say in which project: write PROJECT/{name}")
    linked = {"project": name.project, "feature_set": name.feature_set, "name": name.name}
    with connect(registry, token) as client:
        _show(client.decide_request(request_id, "fulfil", linked), as_json)


def comment(
    request_id: RequestId,
    text: Annotated[str, typer.Argument(help="What is to be said.")],
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Say something about a request."""
    with connect(registry, token) as client:
        _show(client.comment_on_request(request_id, text, key=str(uuid4())), as_json)


def withdraw(
    request_id: RequestId,
    reason: Annotated[str, typer.Option(help="Why it is wanted no more.")],
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Take back an open request of your own."""
    with connect(registry, token) as client:
        _show(client.decide_request(request_id, "withdraw", {"reason": reason}), as_json)


def reopen(
    request_id: RequestId,
    reason: Annotated[str, typer.Option(help="Why it is to be decided anew.")],
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Open a request again that was planned, declined, done or withdrawn."""
    with connect(registry, token) as client:
        _show(client.decide_request(request_id, "reopen", {"reason": reason}), as_json)


def line(item: FeatureRequest) -> str:
    """Write a request as a line."""
    facts = [f"{item.votes} vote{'' if item.votes == 1 else 's'}", item.purpose]
    if item.state == "planned":
        facts.append(f"by {item.planned_by}" + (f" until {item.planned_until}" if item.planned_until else ""))
    if item.reason:
        facts.append(f"reason: {item.reason}")
    if item.feature:
        facts.append(f"is {item.feature.project}/{item.feature.feature_set}/{item.feature.name}")
    elif item.appeared:
        facts.append(f"appeared as {item.appeared.project}/{item.appeared.feature_set}/{item.appeared.name}")
    return f"{item.id}  {item.project}/{item.name}  [{item.state}]  {'  '.join(facts)}"


def _date(text: str | None) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if text else None
    except ValueError:
        fail(f"{text!r} is no date: write it as in 2026-12-31")


def _show(found: FeatureRequest, as_json: bool) -> None:
    typer.echo(found.model_dump_json(indent=2) if as_json else line(found))
