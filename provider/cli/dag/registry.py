"""``festaf dag search|show|versions|diff|approve|yank|...``: what a registry has, and steps with its versions."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from festaf.provider.cli.connection import AsJson, Registry, Token, connect_as, fail
from festaf.provider.cli.dag.difference import show_difference

if TYPE_CHECKING:
    from rich.table import Table

    from festaf.client.dag_packages import DagPackageClient
    from festaf.contract.dag_package import PackageVersion

LEAST_DIGITS = 12
"""What a terminal would obey, in text that a stranger wrote."""
app = typer.Typer()
mirror = typer.Typer(no_args_is_help=True, help="Carry versions to a registry that cannot reach this one.")
app.add_typer(mirror, name="mirror")
Package = Annotated[str, typer.Argument(help="NAMESPACE/NAME.")]
PackageAt = Annotated[str, typer.Argument(help="NAMESPACE/NAME@VERSION.")]
Reason = Annotated[str, typer.Option(help="Why; importers read it.")]


@app.command()
def search(
    words: Annotated[list[str] | None, typer.Argument(help="Words, or how they begin; without, all packages.")] = None,
    namespace: Annotated[str | None, typer.Option(help="Only of this namespace.")] = None,
    airflow: Annotated[str | None, typer.Option(help="Only what runs on this Airflow version.")] = None,
    operator: Annotated[str | None, typer.Option(help="Only with tasks of this class.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only with this provider, such as amazon.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only of this owner.")] = None,
    asset: Annotated[str | None, typer.Option(help="Only with this asset's URI.")] = None,
    dag_id: Annotated[str | None, typer.Option(help="Only with this DAG.")] = None,
    maturity: Annotated[str | None, typer.Option(help="experimental, beta, stable or deprecated.")] = None,
    awaiting: Annotated[bool, typer.Option("--awaiting", help="With a version that waits to be published.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Find packages by words and facts."""
    asked: dict[str, str | bool | None] = {
        "q": " ".join(words or ()) or None,
        "namespace": namespace,
        "airflow": airflow,
        "operator": operator,
        "provider": provider,
        "tag": tag,
        "owner": owner,
        "asset": asset,
        "dag_id": dag_id,
        "maturity": maturity,
        "awaiting": awaiting or None,
    }
    with _connect(registry, token) as client:
        found = list(islice(client.packages(**asked), limit))
    if as_json:
        _print([item.model_dump(mode="json") for item in found])
    elif not found:
        typer.echo("No packages.")
    else:
        table = _table("package", "latest", "maturity", "DAGs", "summary")
        for item in found:
            ids = ", ".join(item.dag_ids)
            table.add_row(f"{item.namespace}/{item.name}", item.latest or "", item.maturity or "", ids, item.summary)
        _show(table)


@app.command()
def versions(package: Package, registry: Registry = None, token: Token = None, as_json: AsJson = False) -> None:
    """List the versions of a package, the newest first."""
    with _connect(registry, token) as client:
        found = client.package(*_package(package))
    if as_json:
        _print(found.model_dump(mode="json"))
        return
    table = _table("version", "state", "digest", "downloads", "")
    for item in found.versions:
        note = item.reason or (f"cools until {item.cooling_until:%Y-%m-%d %H:%M}" if item.cooling_until else "")
        table.add_row(item.version, item.state, item.digest[:LEAST_DIGITS], str(item.downloads), note)
    _show(table)


@app.command()
def show(package: PackageAt, registry: Registry = None, token: Token = None, as_json: AsJson = False) -> None:
    """Show a version: what it is and needs, what was found in it, and who looked at it."""
    with _connect(registry, token) as client:
        found = client.version(*_version(package))
    if as_json:
        _print(found.model_dump(mode="json"))
    else:
        _show(_described(found))


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="NAMESPACE/NAME@VERSION, the older one.")],
    after: Annotated[str, typer.Argument(help="NAMESPACE/NAME@VERSION, or only a version of the same package.")],
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two versions or forks: tasks, edges, schedule, needs and code."""
    old = _version(before)
    new = _version(after if "/" in after else f"{old[0]}/{old[1]}@{after}")
    with _connect(registry, token) as client:
        found = client.diff(old, new)
    if as_json:
        _print(found.model_dump(mode="json"))
    else:
        show_difference(found)


@app.command()
def approve(
    package: PackageAt,
    digest: Annotated[str, typer.Option(help=f"Of what you looked at; {LEAST_DIGITS} digits or more.")],
    comment: Annotated[str, typer.Option(help="What you looked at.")] = "",
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Agree to the bytes of a version that somebody else sent."""
    name = _version(package)
    with _connect(registry, token) as client:
        stands = client.version(*name).digest
        if len(digest) < LEAST_DIGITS or not stands.startswith(digest):
            fail(f"the digest of {package} is {stands}; give {LEAST_DIGITS} or more of its digits")
        found = client.approve(*name, stands, comment)
    lacking = max(found.approvals_needed - len(found.approvals), 0)
    _say(found, f"{package} is approved; {lacking} more must approve it.", as_json=as_json)


@app.command()
def yank(
    package: PackageAt,
    reason: Reason,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Let nobody choose a version anew; who has chosen it keeps it."""
    with _connect(registry, token) as client:
        found = client.yank(*_version(package), reason)
    _say(found, f"{package} is yanked.", as_json=as_json)


@app.command()
def unyank(package: PackageAt, registry: Registry = None, token: Token = None, as_json: AsJson = False) -> None:
    """Let a yanked version be chosen again."""
    with _connect(registry, token) as client:
        found = client.unyank(*_version(package))
    _say(found, f"{package} is published again.", as_json=as_json)


@app.command()
def quarantine(
    package: PackageAt,
    reason: Reason,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Let nobody have a version, also those who have chosen it; for administrators of the namespace."""
    with _connect(registry, token) as client:
        found = client.quarantine(*_version(package), reason)
    _say(found, f"{package} is quarantined.", as_json=as_json)


@app.command()
def release(package: PackageAt, registry: Registry = None, token: Token = None, as_json: AsJson = False) -> None:
    """Let a quarantined version be again what it was; for administrators of the namespace."""
    with _connect(registry, token) as client:
        found = client.release(*_version(package))
    _say(found, f"{package} is {found.state} again.", as_json=as_json)


@app.command()
def delete(
    package: PackageAt,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Delete a version for good; its name and number are never free again."""
    name = _version(package)
    if not yes:
        typer.confirm(f"Delete {package} for good? Those who run it lose it; yank hides it only", abort=True, err=True)
    with _connect(registry, token) as client:
        client.delete(*name)
    said = {"namespace": name[0], "name": name[1], "version": name[2], "state": "deleted"}
    typer.echo(json.dumps(said) if as_json else f"{package} is deleted.")


@mirror.command("export")
def export(
    packages: Annotated[list[str], typer.Argument(help="NAMESPACE/NAME@VERSION, one or several.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Write versions with their signatures and keys to one file."""
    with _connect(registry, token) as client:
        data = client.export_mirror([_version(package) for package in packages])
    partial = output.with_name(f".{output.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(output)
    except OSError as error:
        partial.unlink(missing_ok=True)
        fail(f"{output} cannot be written: {error.strerror}")
    said = {"file": str(output), "bytes": len(data), "packages": packages}
    typer.echo(json.dumps(said) if as_json else f"{output} holds {', '.join(packages)} ({len(data):,} bytes).")


@mirror.command("import")
def take(
    file: Annotated[Path, typer.Argument(help="A file that another registry gave.")],
    trust_keys: Annotated[
        bool, typer.Option("--trust-keys", help="Let its keys sign here, too; for administrators of the namespaces.")
    ] = False,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Hand a mirror file over to a registry; all of it is taken, or nothing."""
    try:
        data = file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    with _connect(registry, token) as client:
        found = client.import_mirror(data, trust_keys=trust_keys)
    if as_json:
        _print(found.model_dump(mode="json"))
        return
    table = _table("version", "state", "waits for")
    for item in found.items:
        table.add_row(f"{item.namespace}/{item.name}@{item.version}", item.state, "; ".join(item.waiting))
    _show(table)


def _described(found: PackageVersion) -> Table:
    manifest = found.manifest
    table = _table("", "")
    for name, value in (
        ("version", f"{found.namespace}/{found.name}@{found.version}"),
        ("state", f"{found.state}: {found.reason}" if found.reason else found.state),
        ("digest", found.digest),
        ("summary", manifest.summary),
        ("maturity", manifest.maturity),
        ("DAGs", ", ".join(dag.dag_id or "?" for dag in manifest.dags)),
        ("sent", f"{found.uploaded_at:%Y-%m-%d %H:%M} by {found.uploaded_by}"),
        ("published", f"{found.published_at:%Y-%m-%d %H:%M}" if found.published_at else ""),
        ("cools until", f"{found.cooling_until:%Y-%m-%d %H:%M}" if found.cooling_until else ""),
        ("approvals", f"{len(found.approvals)} of {found.approvals_needed}"),
        ("approved by", ", ".join(item.by for item in found.approvals)),
        ("signed by", ", ".join(item.key_id for item in found.signatures)),
        ("mirrored from", found.origin or ""),
        ("Airflow", manifest.requires.airflow or ""),
        ("providers", ", ".join(manifest.requires.providers)),
        ("packages", ", ".join(manifest.requires.packages)),
        ("connections", ", ".join(need.conn_id for need in manifest.needs.connections)),
        ("variables", ", ".join(need.key for need in manifest.needs.variables)),
        ("pools", ", ".join(manifest.needs.pools)),
        *((finding.severity, _finding(finding.file, finding.line, finding.message)) for finding in found.findings),
    ):
        if value:
            table.add_row(name, value)
    return table


def _finding(file: str | None, line: int | None, message: str) -> str:
    place = f"{file}:{line}" if file and line else file
    return f"{place}: {message}" if place else message


def _say(found: PackageVersion, sentence: str, *, as_json: bool) -> None:
    if as_json:
        _print(found.model_dump(mode="json"))
    else:
        typer.echo(sentence)


def _connect(url: str | None, token: str | None) -> DagPackageClient:
    from festaf.client.dag_packages import DagPackageClient

    return connect_as(DagPackageClient, url, token)


def _package(text: str) -> tuple[str, str]:
    namespace, _, name = text.partition("/")
    if not (namespace and name) or "/" in name or "@" in name:
        fail(f"{text!r} is no package: write NAMESPACE/NAME")
    return namespace, name


def _version(text: str) -> tuple[str, str, str]:
    package, _, version = text.partition("@")
    if not version:
        fail(f"{text!r} is no version of a package: write NAMESPACE/NAME@VERSION")
    return (*_package(package), version)


def _print(found: object) -> None:
    typer.echo(json.dumps(found, indent=2))


def _table(*columns: str) -> Table:
    from festaf.provider.cli.answer import plain_table

    return plain_table(*columns)


def _show(table: Table) -> None:
    from festaf.provider.cli.answer import show as print_table

    print_table(table, unwrapped=True)
