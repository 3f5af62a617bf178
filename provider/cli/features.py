"""``festaf features``: which features there are, and what was declared of one."""

from __future__ import annotations

import json
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from festaf.provider.cli.connection import AsJson, Registry, Token, connect, fail
from festaf.provider.cli.feature_requests import (
    comment,
    decline,
    fulfil,
    plan,
    reopen,
    request,
    requests,
    vote,
    withdraw,
)
from festaf.provider.cli.feature_search import search

if TYPE_CHECKING:
    from datetime import datetime

    from rich.table import Table

    from festaf.contract.feature import FeatureSummary
    from festaf.contract.history import HistoryItem

app = typer.Typer(no_args_is_help=True, help="List features and show what was declared of one.")


Feature = Annotated[str, typer.Argument(help="project/feature_set/feature or feature_set/feature.")]
AsOf = Annotated[str | None, typer.Option(help="The answer as it was at this time, such as 2026-11-21T12:00:00Z.")]
KnownAt = Annotated[
    str | None, typer.Option(help="The answer as the registry knew it at this time, before it learned more.")
]

for command in (search, request, requests, vote, comment, plan, decline, fulfil, withdraw, reopen):
    app.command()(command)


@app.command("list")
def list_features(
    query: Annotated[str | None, typer.Argument(help="A part of the name or description; all without.")] = None,
    project: Annotated[str | None, typer.Option(help="Only features of this project.")] = None,
    feature_set: Annotated[str | None, typer.Option(help="Only features of this feature set.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only features of this owner.")] = None,
    dag_id: Annotated[str | None, typer.Option("--dag", help="Only features that this DAG wrote last.")] = None,
    airflow: Annotated[str | None, typer.Option(help="Only features that a DAG of this Airflow wrote last.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List features with type, owner, DAG and time of the last write."""
    written = {"dag_id": dag_id, "dag_namespace": airflow}
    with connect(registry, token) as client:
        pages = client.features(query=query, project=project, feature_set=feature_set, owner=owner, **written)
        found = list(islice(pages, limit + 1))
    shown = found[:limit]
    if as_json:
        typer.echo(json.dumps([feature.model_dump(mode="json") for feature in shown], indent=2))
        return
    from festaf.provider.cli import answer

    if shown:
        answer.show(_table(shown), unwrapped=True)
    else:
        typer.echo("No features.")
    if len(found) > limit:
        typer.echo(f"There are more; --limit shows more than {limit}.", err=True)


@app.command()
def show(
    feature: Feature,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show what was declared of a feature; 'festaf lineage show' tells where its values come from."""
    from festaf.provider.cli import answer
    from festaf.provider.cli.feature_question import find, moment_of

    with connect(registry, token) as client:
        found = find(client, feature, moment_of(as_of), moment_of(known_at))
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        answer.show(answer.declaration(found))


@app.command()
def history(
    feature: Feature,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Tell the life of a feature: what changed between its versions, by whom, and when it was retired."""
    from festaf.provider.cli import life
    from festaf.provider.cli.feature_question import ask, moment_of

    with connect(registry, token) as client:

        def newest(*named: str, as_of: datetime | None, known_at: datetime | None) -> list[HistoryItem]:
            return list(islice(client.history(*named, as_of=as_of, known_at=known_at), limit))

        items = ask(client, feature, newest, moment_of(as_of), moment_of(known_at))
    if as_json:
        typer.echo(json.dumps([item.model_dump(mode="json") for item in items], indent=2))
    else:
        life.show_history(items)


@app.command()
def impact(
    feature: Feature,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    depth: Annotated[int | None, typer.Option(min=1, max=50, help="At most so many steps away.")] = None,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Tell what breaks if a feature changes, and who is to be told."""
    from festaf.provider.cli import life
    from festaf.provider.cli.feature_question import ask, moment_of

    with connect(registry, token) as client:
        found = ask(client, feature, partial(client.impact, depth=depth), moment_of(as_of), moment_of(known_at))
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        life.show_impact(found)


@app.command()
def declare(
    feature: Annotated[str, typer.Argument(help="project/feature_set/feature.")],
    kind: Annotated[str | None, typer.Option("--type", help="Integral, Fractional or String.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for it, such as team:flights.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is.")] = None,
    purpose: Annotated[str | None, typer.Option(help="Why it exists.")] = None,
    technique: Annotated[str | None, typer.Option(help="How it is engineered, in words.")] = None,
    logic: Annotated[Path | None, typer.Option(help="File with the code or SQL.", exists=True, dir_okay=False)] = None,
    source: Annotated[list[str] | None, typer.Option(help="URI#column; several times.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Several times.")] = None,
    fresh_within: Annotated[float | None, typer.Option(help="How old the values may be, in seconds.")] = None,
    if_match: Annotated[str | None, typer.Option(help="Hash of the declaration that this one replaces.")] = None,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Declare a feature as a whole; what is left out is not declared any more."""
    from pydantic import ValidationError

    from festaf.client import RegistryError
    from festaf.contract.declaration import FeatureSaid
    from festaf.provider.cli.feature_name import FeatureName

    content = {
        "type": kind,
        "owner": owner,
        "description": description,
        "purpose": purpose,
        "technique": technique,
        "logic": logic.read_text() if logic else None,
        "sources": tuple(source or ()),
        "tags": tuple(tag or ()),
        "fresh_within_seconds": fresh_within,
    }
    try:
        wanted, said = FeatureName.parse(feature), FeatureSaid.model_validate(content)
    except ValidationError as error:
        fail("; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()))
    except ValueError as error:
        fail(str(error))
    if wanted.project is None:
        fail(f"Say the project, too: PROJECT/{wanted}")
    with connect(registry, token) as client:
        try:
            declared = client.declare(wanted.project, wanted.feature_set, wanted.name, said, if_match=if_match)
        except RegistryError as error:
            fail(str(error))
    if as_json:
        typer.echo(declared.model_dump_json(indent=2))
    else:
        # A feature of which nothing but its type is said has no version.
        stands = "is declared" if declared.version is None else f"is version {declared.version}"
        typer.echo(f"{wanted} {stands}" + ("" if declared.changed else ", as it was"))


def _table(features: list[FeatureSummary]) -> Table:
    from rich.table import Table

    from festaf.provider.cli.answer import moment, of_airflow

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("feature", overflow="fold", ratio=5)
    table.add_column("type")
    table.add_column("owner", overflow="fold", ratio=2)
    table.add_column("DAG", overflow="fold", ratio=3)
    table.add_column("last written", overflow="fold", min_width=10, max_width=23)
    for feature in features:
        name = f"{feature.project}/{feature.feature_set}/{feature.name}"
        table.add_row(
            f"{name} (deleted)" if feature.deleted else name,
            feature.type or "",
            feature.owner or "",
            f"{feature.dag_id}{of_airflow('dag', feature.dag_namespace)}" if feature.dag_id else "",
            moment(feature.last_written) or "",
        )
    return table
