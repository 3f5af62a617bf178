"""``festaf lineage write-back``: what the registry knows, written into SageMaker."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from festaf.provider.cli.aws import ConnId, Region, asking_aws
from festaf.provider.cli.connection import AsJson, Registry, Token, connect, fail

if TYPE_CHECKING:
    from festaf.client.registry import RegistryClient
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.write_back.writing import Written


def write_back(
    project: Annotated[str, typer.Argument(help="Project in the registry.")],
    feature_sets: Annotated[
        list[str] | None, typer.Argument(help="Feature sets; without, every one of the project that AWS has.")
    ] = None,
    metadata: Annotated[bool, typer.Option(help="Write features' metadata.")] = True,
    lineage: Annotated[bool, typer.Option(help="Write artifacts, actions and associations.")] = True,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which the command gives up.")] = 3600,
    conn_id: ConnId = "aws_default",
    region: Region = None,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Write owner, purpose, DAG, run and code of features into SageMaker; again changes only what is not so."""
    with connect(registry, token) as client, asking_aws():
        from festaf.provider.endpoints.patience import Patience
        from festaf.provider.hooks.feature_store import FeatureStoreHook
        from festaf.provider.write_back.writing import WriteBack

        hook = FeatureStoreHook(aws_conn_id=conn_id or None, region_name=region)
        names = feature_sets or _standing(client, hook, project)
        work = WriteBack(client, hook, hook.log, Patience(hook.log, timeout), metadata, lineage)
        done: list[Written] = []
        for number, name in enumerate(names, 1):
            done.append(work.write(project, name))
            typer.echo(f"[{number}/{len(names)}] {_sentence(done[-1])}", err=True)
    if as_json:
        typer.echo(json.dumps([asdict(written) for written in done], indent=2))


def _standing(client: RegistryClient, hook: FeatureStoreHook, project: str) -> list[str]:
    """Give the feature sets of a project that AWS has, and name the others; a project without any is a mistake."""
    known = sorted({feature.feature_set for feature in client.features(project=project)})
    if not known:
        fail(f"The registry knows no feature of project {project}; see: festaf features list")
    there = {summary.name for summary in hook.summaries()}
    if absent := [name for name in known if name not in there]:
        typer.echo(f"Passed over, since {hook.place} has no such feature set: {', '.join(absent)}", err=True)
    return [name for name in known if name in there]


def _sentence(written: Written) -> str:
    made = f"{written.entities_made} of {written.entities} entities and {written.associations_made} associations made"
    lines = [f"{written.feature_set}: {len(written.described)} of {written.features} features described, {made}"]
    lines += [f"  left out of {name}: {'; '.join(said)}" for name, said in written.left_out.items()]
    if written.unknown:
        lines.append(f"  not known to the registry: {', '.join(written.unknown)}")
    return "\n".join(lines)
