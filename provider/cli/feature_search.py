"""``festaf features search``: find features by words, and say how to ask for what is not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from festaf.provider.cli.connection import AsJson, Registry, Token, connect
from festaf.provider.cli.feature_requests import line

if TYPE_CHECKING:
    from festaf.contract.search import FeatureSearch, Hit


def search(
    words: Annotated[list[str] | None, typer.Argument(help="Words of the name or what is said of it.")] = None,
    project: Annotated[str | None, typer.Option(help="Only features of this project.")] = None,
    feature_set: Annotated[str | None, typer.Option(help="Only features of this feature set.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only features of this owner.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only features with this tag; several times for several.")
    ] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Only features of this type.")] = None,
    dag_id: Annotated[str | None, typer.Option("--dag", help="Only features that this DAG writes.")] = None,
    fresh: Annotated[float | None, typer.Option(min=0, help="Written within so many hours.")] = None,
    stale: Annotated[float | None, typer.Option(min=0, help="Not written within so many hours.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Find features by words, the nearest first; typing errors are forgiven."""
    now = datetime.now(UTC)
    asked: dict[str, str | list[str] | None] = {
        "q": " ".join(words or ()),
        "project": project,
        "feature_set": feature_set,
        "owner": owner,
        "tag": list(tag or ()) or None,
        "type": kind,
        "dag_id": dag_id,
        "written_since": _ago(now, fresh),
        "not_written_since": _ago(now, stale),
    }
    with connect(registry, token) as client:
        found = client.search(asked, limit=limit)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    for hit in found.items:
        typer.echo(_line(hit))
    if not found.items:
        typer.echo(_nothing(found))
    if found.cursor:
        typer.echo(f"There may be more; --limit shows more than {limit}.", err=True)


def _ago(now: datetime, hours: float | None) -> str | None:
    return None if hours is None else (now - timedelta(hours=hours)).isoformat()


def _line(hit: Hit) -> str:
    facts = (hit.type, hit.owner, hit.description, "deleted" if hit.deleted else None)
    said = "  ".join(fact for fact in facts if fact)
    return f"{hit.project}/{hit.feature_set}/{hit.name}  [{hit.match}]" + (f"  {said}" if said else "")


def _nothing(found: FeatureSearch) -> str:
    lines = ["No features."]
    if found.near:
        names = " or ".join(f"{item.project}/{item.feature_set}/{item.name}" for item in found.near)
        lines.append(f"Did you mean {names}?")
    lines += [f"Asked for: {line(request)}" for request in found.requests]
    if found.ask:
        name = found.ask.template.get("name")
        lines.append(f"Ask for it: festaf features request {name} --project PROJECT --purpose WHY")
    return "\n".join(lines)
