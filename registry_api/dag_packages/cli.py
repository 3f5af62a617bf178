"""``festaf registry dag-namespace|dag-archives``: rules and keys of namespaces, and the store of archives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from festaf.contract.dag_package import NamespaceSettings, PublisherKey
from festaf.contract.dag_package_steps import KeyRequest
from festaf.registry_api.access.audit_repository import operator
from festaf.registry_api.access.projects import ProjectService
from festaf.registry_api.dag_packages.namespaces import NamespaceService
from festaf.registry_api.settings import BLOBS_VARIABLE, default_database_url
from festaf.registry_api.terminal import AsJson, DatabaseUrl, one_sentence, opened, reaching, say, show, working

namespaces = typer.Typer(help="Rules of namespaces of DAG packages, and keys that may sign.", no_args_is_help=True)
archives = typer.Typer(help="The store of archives of DAG packages.", no_args_is_help=True)
Namespace = Annotated[str, typer.Argument(help="A namespace: a project of the registry.")]
KeyId = Annotated[str, typer.Argument(help="First 32 hex digits of the key's SHA-256.")]
Blobs = Annotated[
    str | None,
    typer.Option(envvar=BLOBS_VARIABLE, help="A folder or s3://bucket/prefix. Default: beside the SQLite file."),
]


@namespaces.command("show")
def show_settings(namespace: Namespace, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show the rules of a namespace."""
    with working(database_url) as (session, now):
        ProjectService(session, now).find(namespace)
        found = NamespaceService(session).settings(namespace)
    say(found.model_dump(), _told(found), as_json=as_json)


@namespaces.command("set")
def set_settings(
    namespace: Namespace,
    approvals: Annotated[int | None, typer.Option(min=0, max=10, help="How many others must approve.")] = None,
    cooldown_hours: Annotated[int | None, typer.Option(min=0, max=8760, help="How long a version cools.")] = None,
    signatures_required: Annotated[
        bool | None, typer.Option("--signatures/--no-signatures", help="Whether a version must be signed.")
    ] = None,
    max_packages: Annotated[int | None, typer.Option(min=0, help="How many packages there may be.")] = None,
    max_bytes: Annotated[int | None, typer.Option(min=0, help="How many bytes the archives may have.")] = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Set rules of a namespace; those that are not named stay. A project that is not there is made."""
    said: dict[str, Any] = {
        "approvals": approvals,
        "cooldown_hours": cooldown_hours,
        "signatures_required": signatures_required,
        "max_packages": max_packages,
        "max_bytes": max_bytes,
    }
    with working(database_url) as (session, now):
        ProjectService(session, now).ensure([namespace], operator().name)
        service = NamespaceService(session)
        changed = {name: value for name, value in said.items() if value is not None}
        found = service.put_settings(namespace, service.settings(namespace).model_copy(update=changed))
    say(found.model_dump(), _told(found), as_json=as_json)


@namespaces.command("keys")
def list_keys(namespace: Namespace, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the keys of a namespace, with those that were revoked."""
    with working(database_url) as (session, _):
        found = [_key(key) for key in NamespaceService(session).keys(namespace)]
    columns = ("key_id", "state", "comment", "expires_at")
    show(found, as_json=as_json, columns=columns, nothing="No key may sign for the namespace.")


@namespaces.command("trust")
def trust_key(
    namespace: Namespace,
    key_id: KeyId,
    public_key: Annotated[str, typer.Argument(help="Base64 of the 32 raw bytes.")],
    comment: Annotated[str, typer.Option(help="Whose it is.")] = "",
    expires: Annotated[datetime | None, typer.Option(help="Until when it may sign, UTC.")] = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Let a key sign for a namespace."""
    until = expires.replace(tzinfo=UTC) if expires else None
    with working(database_url) as (session, now):
        ProjectService(session, now).find(namespace)
        said = KeyRequest.model_construct(public_key=public_key, comment=comment[:200], expires_at=until)
        key = NamespaceService(session).put_key(namespace, key_id, said, f"operator/{operator().name}", now)
    say(_key(key), f"The key {key_id} may sign for {namespace}.", as_json=as_json)


@namespaces.command("revoke")
def revoke_key(namespace: Namespace, key_id: KeyId, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Let a key sign no more, and what it signed count no more."""
    with working(database_url) as (session, now):
        key = NamespaceService(session).revoke_key(namespace, key_id, now)
    say(_key(key), f"The key {key_id} of {namespace} is revoked.", as_json=as_json)


@archives.command("clean")
def clean_archives(
    hours: Annotated[float, typer.Option(min=0, help="Leave alone what is younger.")] = 1,
    blobs: Blobs = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Remove archives that no version names, such as those of uploads that were broken off; also while serving."""
    from festaf.registry_api.dag_packages.blobs import open_blobs
    from festaf.registry_api.dag_packages.cleaning import clean
    from festaf.registry_api.schema import require_current

    with one_sentence(), opened(database_url or default_database_url()) as database, reaching(database):
        require_current(database)
        removed = clean(database, open_blobs(blobs, database.url), hours * 3600)
    say({"removed": removed}, f"{removed} archives were nobody's.", as_json=as_json)


@archives.command("check")
def check_archives(blobs: Blobs = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Read every archive that a version names: exit code 1 when one is missing or was changed."""
    from festaf.registry_api.dag_packages.blobs import open_blobs
    from festaf.registry_api.dag_packages.cleaning import damaged
    from festaf.registry_api.schema import require_current

    with one_sentence(), opened(database_url or default_database_url()) as database, reaching(database):
        require_current(database)
        found = damaged(database, open_blobs(blobs, database.url))
    show(found, as_json=as_json, columns=("package", "version", "digest"), nothing="Every archive is whole.")
    if found:
        raise typer.Exit(1)


def _told(found: NamespaceSettings) -> str:
    signed = "signed" if found.signatures_required else "signed or not"
    return (
        f"{found.approvals} others approve, {found.cooldown_hours} hours of cooling, {signed}; "
        f"at most {found.max_packages} packages of {found.max_bytes:,} bytes."
    )


def _key(key: PublisherKey) -> dict[str, Any]:
    state = "revoked" if key.revoked_at else "trusted"
    return {**key.model_dump(mode="json"), "state": state}
