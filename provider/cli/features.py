"""``festaf features``: which features there are, and what was declared of one."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from festaf.provider.cli.connection import DEFAULT_REGISTRY, AsJson, Registry, Token, connect
from festaf.provider.cli.feature_requests import decline, fulfil, plan, request, requests, vote
from festaf.provider.cli.feature_search import search

if TYPE_CHECKING:
    from rich.table import Table

    from festaf.contract.feature import FeatureSummary

app = typer.Typer(no_args_is_help=True, help="List features and show what was declared of one.")


for command in (search, request, requests, vote, plan, decline, fulfil):
    app.command()(command)


@app.command("list")
def list_features(
    query: Annotated[str | None, typer.Argument(help="A part of the name or description; all without.")] = None,
    project: Annotated[str | None, typer.Option(help="Only features of this project.")] = None,
    feature_set: Annotated[str | None, typer.Option(help="Only features of this feature set.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    registry: Registry = DEFAULT_REGISTRY,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List features with type, owner, DAG and time of the last write."""
    with connect(registry, token) as client:
        pages = client.features(query=query, project=project, feature_set=feature_set)
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
    feature: Annotated[str, typer.Argument(help="project/feature_set/feature, feature_set/feature or set.feature.")],
    registry: Registry = DEFAULT_REGISTRY,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show what was declared of a feature; 'festaf lineage show' tells where its values come from."""
    from festaf.provider.cli import answer
    from festaf.provider.cli.feature_name import find

    with connect(registry, token) as client:
        found = find(client, feature)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        answer.show(answer.declaration(found))


def _table(features: list[FeatureSummary]) -> Table:
    from rich.table import Table

    from festaf.provider.cli.answer import moment

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
            feature.dag_id or "",
            moment(feature.last_written) or "",
        )
    return table
