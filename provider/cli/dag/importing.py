"""``festaf dag import``, ``list``, ``upgrade``, ``rollback``, ``remove`` and ``doctor``: run what others published."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from festaf.provider.cli.connection import NO_REGISTRY, AsJson, Registry, Token, connect_as, fail, find_registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from festaf.client.dag_packages import DagPackageClient
    from festaf.contract.dag_package import PackageParameter
    from festaf.provider.dag_packages.importing.importer import Importer, Plan, Wish
    from festaf.provider.dag_packages.importing.lack import Lack
    from festaf.provider.dag_packages.importing.lock import LockedPackage
    from festaf.provider.dag_packages.importing.state import PackageState

app = typer.Typer()
Package = Annotated[str, typer.Argument(help="namespace/name.")]
Chosen = Annotated[list[str] | None, typer.Option("--set", help="name=value of a parameter, JSON or text; repeatable.")]
Cooling = Annotated[bool, typer.Option("--allow-cooling", help="Take a version that was published only lately.")]
Rename = Annotated[
    list[str] | None, typer.Option("--rename", help="old=new: what a DAG is called in this Airflow; repeatable.")
]
Missing = Annotated[bool, typer.Option("--allow-missing", help="Import although something is lacking.")]
Trust = Annotated[str | None, typer.Option(help="Id of a key of the namespace to trust from now on.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask at a terminal whether to run it.")]
Write = Annotated[bool, typer.Option("--write-config", help="Name the bundle in airflow.cfg.")]


@app.command("import")
def import_package(
    package: Annotated[str, typer.Argument(help="namespace/name, with @version or a specifier: acme/sales@~=1.4.")],
    chosen: Chosen = None,
    rename: Rename = None,
    bundle: Annotated[str | None, typer.Option(help="Airflow's name for the bundle.")] = None,
    trust: Trust = None,
    allow_cooling: Cooling = False,
    allow_missing: Missing = False,
    write_config: Write = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Check a package and this Airflow, and run it here. Nothing is written until all is well."""
    from festaf.provider.dag_packages.importing.importer import Wish

    wish = Wish(_values(chosen), bundle, allow_cooling, trust, allow_missing, _names(rename))
    _take(package, wish, registry, token, write_config=write_config, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command()
def upgrade(
    package: Package,
    to: Annotated[str, typer.Option(help="A version or a specifier; without it, the newest.")] = "",
    chosen: Chosen = None,
    rename: Rename = None,
    trust: Trust = None,
    allow_cooling: Cooling = False,
    allow_missing: Missing = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Use a newer version of a package that is imported. Runs under way end on the version they began with."""
    from festaf.provider.dag_packages.importing.importer import Wish

    with _told():
        _find(package)
    wish = Wish(_values(chosen), None, allow_cooling, trust, allow_missing, _names(rename))
    _take(f"{package}@{to}", wish, registry, token, write_config=False, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command()
def rollback(
    package: Package,
    to: Annotated[str | None, typer.Option(help="A version that was in use; without it, the last one before.")] = None,
    as_json: AsJson = False,
) -> None:
    """Use again the version from before. It needs no registry when this machine still has the copy."""
    from festaf.provider.dag_packages.importing.importer import roll_back
    from festaf.provider.dag_packages.settings import lock_path

    with _told():
        before, after = roll_back(lock_path(), package, to, datetime.now(UTC))
    if as_json:
        _print(after)
    else:
        typer.echo(f"{package} goes back from {before.version} to {after.version} ({after.digest[:12]}).")


@app.command()
def remove(package: Package, write_config: Write = False, as_json: AsJson = False) -> None:
    """Use a package no more. Its DAGs go when Airflow looks at the bundle next; their history stays."""
    from festaf.provider.dag_packages.importing import importer
    from festaf.provider.dag_packages.importing.bundle_config import BundleConfig, write_option
    from festaf.provider.dag_packages.settings import lock_path

    with _told():
        removed = importer.remove(lock_path(), package)
        if write_config:
            write_option(BundleConfig.read().without(removed))
    if as_json:
        _print(removed)
    else:
        typer.echo(f"{package} {removed.version} is removed. Its bundle {removed.bundle} has no DAGs any more.")


@app.command("list")
def list_packages(registry: Registry = None, token: Token = None, as_json: AsJson = False) -> None:
    """List what is imported, and what the registry says of it by now: outdated, yanked, quarantined."""
    from festaf.provider.cli import answer
    from festaf.provider.dag_packages.importing.state import states

    with _told():
        found = states(_lock().packages, lambda: _open(registry, token))
    if as_json:
        typer.echo(json.dumps([state.shown() for state in found], indent=2))
        return
    if not found:
        typer.echo("Nothing is imported. Look for packages with 'festaf dag search'.")
        return
    answer.show(_table(found), unwrapped=True)
    silent = next((state.silent for state in found if state.silent), None)
    if silent:
        typer.echo(f"The registry was not asked: {silent}", err=True)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Compare what the imported packages need with what this Airflow has now; exit code 1 if something is lacking."""
    from festaf.provider.dag_packages.importing.bundle_config import BundleConfig
    from festaf.provider.dag_packages.importing.lack import lacking
    from festaf.provider.dag_packages.importing.target import DatabaseTarget

    with _told():
        target, config = DatabaseTarget(), BundleConfig.read()
        found = {locked.package: (lacking(locked, target), config.names(locked)) for locked in _lock().packages}
    if as_json:
        said = [
            {"package": name, "bundle_configured": configured, "lacking": [vars(lack) for lack in lacks]}
            for name, (lacks, configured) in found.items()
        ]
        typer.echo(json.dumps(said, indent=2))
    else:
        for name, (lacks, configured) in found.items():
            typer.echo(f"{name}: {'all is well' if not lacks and configured else 'something is lacking'}")
            _say_lacking(lacks)
            if not configured:
                typer.echo(
                    "  - Airflow's configuration does not name its bundle\n      festaf dag import ... --write-config"
                )
    if any(lacks or not configured for lacks, configured in found.values()):
        raise typer.Exit(1)


def _take(
    text: str,
    wish: Wish,
    registry: str | None,
    token: str | None,
    *,
    write_config: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Plan an import, say what it is, and make it."""
    from dataclasses import replace

    from festaf.provider.dag_packages.importing.choice import Reference

    with _told(as_json=as_json), _importer(registry, token) as importer:
        reference = Reference.parse(text)
        if not as_json and sys.stdin.isatty():
            wish = replace(wish, chosen={**_asked(importer, reference, wish), **wish.chosen})
        plan = importer.plan(reference, wish)
        if not as_json:
            _say(plan)
            if not (yes or dry_run or plan.changes_nothing) and sys.stdin.isatty():
                typer.confirm("Run this here? It is somebody else's code.", abort=True)
        locked = plan.package if dry_run else importer.apply(plan)
        config = None if dry_run else _configure(locked, write_config=write_config)
    if as_json:
        done = {"applied": not dry_run, "changed": not plan.changes_nothing, "dag_bundle_config_list": config}
        diff = plan.diff.model_dump(mode="json") if plan.diff else None
        more = {"lacking": [vars(lack) for lack in plan.lacking], "diff": diff}
        typer.echo(json.dumps({**locked.model_dump(mode="json"), **done, **more}, indent=2))
    elif dry_run:
        typer.echo("Nothing was changed (--dry-run).")
    elif config is not None:
        _say_config(config, written=write_config)


def _asked(importer: Importer, reference: Any, wish: Wish) -> dict[str, Any]:
    """Ask for the parameters that have to be chosen."""
    return {parameter.name: _prompted(parameter) for parameter in importer.asked(reference, wish)}


def _prompted(parameter: PackageParameter) -> Any:
    text: str = typer.prompt(f"{parameter.name} ({parameter.description})" if parameter.description else parameter.name)
    return _value(text)


def _configure(locked: LockedPackage, *, write_config: bool) -> str | None:
    """Name the bundle to Airflow; give the value that is wanted when it is not named yet."""
    from festaf.provider.dag_packages.importing.bundle_config import BundleConfig, write_option

    config = BundleConfig.read()
    if config.names(locked):
        return None
    value = config.with_packages([locked])
    if write_config:
        write_option(value)
    return value


def _say(plan: Plan) -> None:
    package, before = plan.package, plan.before
    if plan.changes_nothing:
        typer.echo(f"{package.package} {package.version} is imported already; nothing changes.")
        return
    came = f", in place of {before.version}" if before and before.version != package.version else ""
    typer.echo(f"{package.package} {package.version}{came}")
    typer.echo(f"  digest   {package.digest}")
    typer.echo(f"  signed   {f'by the key {package.key_id}' if package.key_id else 'by nobody'}")
    for pin in plan.pins:
        typer.echo(f"  trusted  the key {pin.key.key_id} from now on ({pin.key.comment or 'no comment'})")
    typer.echo(f"  DAGs     {', '.join(package.dag_ids) or 'none'}")
    for own, here in package.renamed.items():
        typer.echo(f"  renamed  {own} is called {here} here")
    typer.echo(f"  bundle   {package.bundle}")
    for name, value in package.parameters.items():
        typer.echo(f"  {name} = {json.dumps(value)}")
    _say_lacking(plan.lacking)
    if before is not None and plan.diff is not None:
        from festaf.provider.cli.dag.difference import show_difference

        show_difference(plan.diff, code=False)
        typer.echo(f"The code that changed: festaf dag diff {package.package}@{before.version} {package.version}")


def _say_lacking(lacks: Sequence[Lack]) -> None:
    for lack in lacks:
        typer.echo(f"  - {lack.reason}\n      {lack.remedy}")


def _say_config(value: str, *, written: bool) -> None:
    from festaf.provider.dag_packages.importing.bundle_config import VARIABLE

    if written:
        typer.echo("airflow.cfg names the bundle now. Restart the DAG processor and the workers, once.")
    else:
        typer.echo("Airflow does not know the bundle yet. Add --write-config, or set this, and restart once:")
        typer.echo(f"  export {VARIABLE}='{value}'")


def _table(found: Sequence[PackageState]) -> Any:
    from festaf.provider.cli.answer import plain_table

    table = plain_table("package", "version", "latest", "state", "signed", "bundle")
    for state in found:
        locked = state.locked
        signed = locked.key_id[:8] if locked.key_id else "no"
        table.add_row(locked.package, locked.version, state.latest or "", state.said, signed, locked.bundle)
    return table


@contextmanager
def _importer(registry: str | None, token: str | None) -> Iterator[Importer]:
    from festaf.provider.dag_packages.importing.importer import Importer
    from festaf.provider.dag_packages.importing.target import DatabaseTarget
    from festaf.provider.dag_packages.settings import lock_path

    lock = lock_path()
    with _open(registry, token) as client:
        yield Importer(client, lock, DatabaseTarget())


def _open(registry: str | None, token: str | None) -> DagPackageClient:
    """Open the registry that is named or configured; that of this machine is not what a package is imported from."""
    from festaf.client.dag_packages import DagPackageClient
    from festaf.provider.dag_packages.errors import PackageError

    endpoint = find_registry(registry, token)
    if endpoint is None:
        raise PackageError(NO_REGISTRY)
    return connect_as(DagPackageClient, endpoint.url, endpoint.token)


def _lock() -> Any:
    from festaf.provider.dag_packages.importing.lock import read_lock
    from festaf.provider.dag_packages.settings import lock_path

    return read_lock(lock_path())


def _find(package: str) -> None:
    from festaf.provider.dag_packages.errors import PackageError

    if _lock().find(package) is None:
        raise PackageError(f"{package} is not imported here: festaf dag import {package}")


def _values(chosen: Sequence[str] | None) -> dict[str, Any]:
    return {name: _value(value) for name, value in _pairs(chosen, "--set name=value")}


def _names(renamed: Sequence[str] | None) -> dict[str, str]:
    return {own: here.strip() for own, here in _pairs(renamed, "--rename old=new")}


def _pairs(texts: Sequence[str] | None, form: str) -> Iterator[tuple[str, str]]:
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals:
            fail(f"{text!r} says nothing: write {form}")
        yield name.strip(), value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _print(locked: LockedPackage) -> None:
    typer.echo(json.dumps(locked.model_dump(mode="json"), indent=2))


@contextmanager
def _told(*, as_json: bool = False) -> Iterator[None]:
    """End with what is wrong, in one go, instead of a traceback."""
    from festaf.provider.dag_packages.errors import PackageError, TargetError

    try:
        yield
    except TargetError as error:
        if as_json:
            typer.echo(json.dumps({"applied": False, "lacking": [vars(lack) for lack in error.lacking]}, indent=2))
        fail(str(error))
    except PackageError as error:
        fail(str(error))
