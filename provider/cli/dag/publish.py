"""``festaf dag init|export|publish|fork``: make packages of DAGs and bring them into a registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from festaf.client.dag_packages import DagPackageClient
from festaf.contract.dag_package import Manifest
from festaf.provider.cli.connection import AsJson, Registry, Token, connect_as, fail
from festaf.provider.cli.dag.keys import KeyFile, Passphrase, signing_key
from festaf.provider.dag_packages.export.errors import ExportError, RefusedPackageError, told
from festaf.provider.dag_packages.export.forking import fork as fork_package
from festaf.provider.dag_packages.export.preparing import prepare
from festaf.provider.dag_packages.export.publishing import publish as publish_archive
from festaf.provider.dag_packages.export.settings import FILE
from festaf.provider.dag_packages.export.writing import settings_text
from festaf.sharing.archive import digest_of, open_archive
from festaf.sharing.errors import SharingError

if TYPE_CHECKING:
    from festaf.provider.dag_packages.export.preparing import Prepared
    from festaf.provider.dag_packages.export.publishing import Publication

app = typer.Typer()

Namespace = Annotated[str | None, typer.Option(help="Instead of festaf.toml's.")]
Name = Annotated[str | None, typer.Option(help="Instead of festaf.toml's.")]
Version = Annotated[str | None, typer.Option(help="Instead of festaf.toml's.")]
DagIds = Annotated[list[str] | None, typer.Option("--dag-id", help="Only the files that define this DAG; repeatable.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would go, and what is wrong.")]
Source = Annotated[Path, typer.Argument(help="A DAG file, or a folder of them.")]
FIRST_VERSION = "0.1.0"
SHOWN = 50


@app.command()
def export(
    path: Source,
    dag_id: DagIds = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; NAME-VERSION.zip without.")
    ] = None,
    namespace: Namespace = None,
    name: Name = None,
    version: Version = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write a DAG with everything that it needs, and no secrets, to one file."""
    prepared = _prepared(path, namespace, name, version, dag_id, as_json)
    if dry_run:
        _show(prepared, as_json)
        raise typer.Exit(1 if prepared.problems else 0)
    archive = _archive(prepared, as_json)
    target = output or Path(f"{prepared.manifest.name}-{prepared.manifest.version}.zip")
    try:
        partial = target.with_name(f".{target.name}.part")
        partial.write_bytes(archive)
        partial.replace(target)
    except OSError as error:
        fail(f"{target} cannot be written: {error.strerror}")
    if as_json:
        typer.echo(json.dumps({**_described(prepared), "file": str(target), "digest": digest_of(archive)}, indent=2))
        return
    _show_findings(prepared)
    typer.echo(f"{target}: {len(prepared.files)} files, {len(archive)} bytes, sha256 {digest_of(archive)}")


@app.command()
def publish(
    path: Annotated[Path, typer.Argument(help="A DAG file, a folder of them, or an archive that 'export' wrote.")],
    dag_id: DagIds = None,
    namespace: Namespace = None,
    name: Name = None,
    version: Version = None,
    key: KeyFile = None,
    passphrase: Passphrase = None,
    dry_run: DryRun = False,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Bring a DAG with everything that it needs into a registry; running it again finishes or changes nothing."""
    if path.suffix == ".zip" and path.is_file():
        if namespace or name or version or dag_id:
            fail("An archive says itself what it is; export it again with these options")
        archive = path.read_bytes()
        if dry_run:
            _show_archive(archive, as_json)
            return
    else:
        prepared = _prepared(path, namespace, name, version, dag_id, as_json)
        if dry_run:
            _show(prepared, as_json)
            raise typer.Exit(1 if prepared.problems else 0)
        archive = _archive(prepared, as_json)
    try:
        signing = signing_key(key, passphrase)
        with connect_as(DagPackageClient, registry, token) as client:
            done = publish_archive(
                client, archive, key=signing, tell=lambda step: typer.echo(step, err=True) if not as_json else None
            )
    except (ExportError, SharingError) as error:
        fail(str(error))
    _show_publication(done, as_json)
    raise typer.Exit(3 if done.outcome == "waiting" else 0)


@app.command()
def init(
    path: Source,
    namespace: Annotated[str, typer.Option(help="The namespace that you publish in.")],
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Write a festaf.toml beside a DAG from what reading it tells; a file that is there is left alone."""
    folder = path if path.is_dir() else path.parent
    target = folder / FILE
    if target.exists():
        fail(f"{target} is there already; edit it")
    chosen = name or _name_from(path)
    prepared = _prepared(path, namespace, chosen, FIRST_VERSION, None, as_json)
    manifest = _with_packages(prepared)
    try:
        target.write_text(settings_text(manifest, namespace=namespace, name=chosen, version=FIRST_VERSION))
    except OSError as error:
        fail(f"{target} cannot be written: {error.strerror}")
    if as_json:
        typer.echo(json.dumps({"file": str(target), **_described(prepared)}, indent=2))
    else:
        typer.echo(f"Wrote {target}. Look at it, then: festaf dag publish {path} --dry-run")


@app.command()
def fork(
    package: Annotated[str, typer.Argument(help="namespace/name@version; the latest version without @version.")],
    folder: Annotated[Path, typer.Argument(help="A new folder for the files.")],
    to: Annotated[str, typer.Option(help="namespace/name of your own package.")],
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Make a package of your own from somebody else's; it stays known where it came from."""
    try:
        with connect_as(DagPackageClient, registry, token) as client:
            archive, signers = fork_package(client, package, to, folder)
    except (ExportError, SharingError) as error:
        fail(str(error))
    manifest = archive.manifest
    if as_json:
        ancestor = {"namespace": manifest.namespace, "name": manifest.name, "version": manifest.version}
        answer = {"folder": str(folder), "ancestor": {**ancestor, "digest": archive.digest}, "signed_by": signers}
        typer.echo(json.dumps(answer, indent=2))
        return
    signed = f"signed by {', '.join(signers)}" if signers else "not signed"
    typer.echo(
        f"{folder}: {len(archive.files)} files of {manifest.namespace}/{manifest.name} {manifest.version}, {signed}"
    )


def _prepared(
    path: Path, namespace: str | None, name: str | None, version: str | None, dag_ids: list[str] | None, as_json: bool
) -> Prepared:
    try:
        return prepare(path, namespace=namespace, name=name, version=version, dag_ids=tuple(dag_ids or ()))
    except ExportError as error:
        _refuse(error, as_json)
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror}")


def _archive(prepared: Prepared, as_json: bool) -> bytes:
    try:
        return prepared.archive()
    except RefusedPackageError as error:
        _refuse(error, as_json)


def _refuse(error: ExportError, as_json: bool) -> NoReturn:
    """End with everything that is wrong."""
    if as_json and isinstance(error, RefusedPackageError):
        problems = [problem.model_dump(mode="json", exclude_none=True) for problem in error.problems]
        typer.echo(json.dumps({"problems": problems}, indent=2))
        raise typer.Exit(1)
    fail(str(error))


def _described(prepared: Prepared) -> dict[str, Any]:
    return {
        "manifest": prepared.manifest.model_dump(mode="json", exclude_defaults=True),
        "files": [file.model_dump() for file in prepared.manifest.files],
        "findings": [finding.model_dump(mode="json", exclude_none=True) for finding in prepared.findings],
    }


def _show(prepared: Prepared, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_described(prepared), indent=2))
        return
    _show_manifest(prepared.manifest)
    _show_findings(prepared)
    problems = len(prepared.problems)
    typer.echo(f"{problems} problems keep it from being shared" if problems else "It can be shared")


def _show_archive(archive: bytes, as_json: bool) -> None:
    try:
        opened = open_archive(archive)
    except SharingError as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps({"manifest": opened.manifest.model_dump(mode="json"), "digest": opened.digest}, indent=2))
    else:
        _show_manifest(opened.manifest)


def _show_manifest(manifest: Manifest) -> None:
    typer.echo(f"{manifest.namespace}/{manifest.name} {manifest.version}")
    source = manifest.source
    if source is not None:
        typer.echo(
            f"  from {source.url or 'a local repository'} at {source.commit}{', changed' if source.dirty else ''}"
        )
    for file in manifest.files:
        typer.echo(f"  {file.size:>9}  {file.path}")
    needs = manifest.needs
    requires = manifest.requires
    for what, values in (
        ("DAGs", [dag.dag_id or "?" for dag in manifest.dags]),
        ("python", [requires.python or "any"]),
        ("airflow", [requires.airflow or "any"]),
        ("providers", requires.providers),
        ("packages", requires.packages),
        ("connections", [need.conn_id for need in needs.connections]),
        ("variables", [need.key for need in needs.variables]),
        ("pools", needs.pools),
        ("environment", needs.environment),
        ("images", needs.images),
        ("parameters", [parameter.name for parameter in manifest.parameters]),
    ):
        if values:
            typer.echo(f"  {what}: {', '.join(values)}")


def _show_findings(prepared: Prepared) -> None:
    rank = {"error": 0, "warning": 1, "note": 2}
    ordered = sorted(prepared.findings, key=lambda finding: rank[finding.severity])
    for finding in ordered[:SHOWN]:
        typer.echo(f"{finding.severity}: {told(finding)}", err=True)
    if len(ordered) > SHOWN:
        typer.echo(f"and {len(ordered) - SHOWN} more; --json shows all", err=True)


def _show_publication(done: Publication, as_json: bool) -> None:
    version = done.version
    if as_json:
        answer = {
            "outcome": done.outcome,
            "namespace": version.namespace,
            "name": version.name,
            "version": version.version,
            "state": version.state,
            "digest": version.digest,
            "signed_by": done.signed_by,
            "waiting_for": done.waiting_for,
            "findings": [finding.model_dump(mode="json", exclude_none=True) for finding in version.findings],
        }
        typer.echo(json.dumps(answer, indent=2))
        return
    name = f"{version.namespace}/{version.name} {version.version}"
    sentence = {
        "published": f"Published {name}",
        "already_published": f"{name} is {version.state} already; nothing was changed",
        "waiting": f"{name} is staged, and waits: {done.waiting_for}",
    }[done.outcome]
    typer.echo(f"{sentence} (sha256 {version.digest}{f', signed by {done.signed_by}' if done.signed_by else ''})")


def _name_from(path: Path) -> str:
    stem = (path.absolute().name if path.is_dir() else path.stem).lower().replace("_", "-").replace(".", "-")
    return "-".join(part for part in stem.split("-") if part)


def _with_packages(prepared: Prepared) -> Manifest:
    """Declare what the code imports, as far as it is installed here, for the author to look at."""
    manifest = prepared.manifest
    named = [
        finding.message.split('packages = ["', 1)[1].split('"', 1)[0]
        for finding in prepared.findings
        if finding.rule == "undeclared_requirement"
    ]
    packages = tuple(sorted({*manifest.requires.packages, *named}))
    return manifest.model_copy(update={"requires": manifest.requires.model_copy(update={"packages": packages})})
