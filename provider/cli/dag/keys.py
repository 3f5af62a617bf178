"""``festaf dag key``: the key that signs packages, and the keys that a namespace trusts."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from festaf.client.dag_packages import DagPackageClient
from festaf.provider.cli.connection import AsJson, Registry, Token, connect_as, fail
from festaf.sharing.errors import SharingError
from festaf.sharing.signature import new_key, public_key, read_private_key, write_private_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from festaf.contract.dag_package import PublisherKey

app = typer.Typer(no_args_is_help=True, help="The key that signs packages, and the keys that a namespace trusts.")

KeyFile = Annotated[
    Path | None, typer.Option("--key", envvar="FESTAF_SIGNING_KEY", help="File of the signing key; none signs nothing.")
]
Passphrase = Annotated[
    str | None, typer.Option(envvar="FESTAF_SIGNING_PASSPHRASE", help="Of the key; better in the environment.")
]
Namespace = Annotated[str, typer.Argument(help="The namespace.")]


def default_file() -> Path:
    """Give where a key is kept when no other place is named."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "festaf" / "signing-key.pem"


def signing_key(file: Path | None, passphrase: str | None) -> Ed25519PrivateKey | None:
    """Read the key to sign with: the one that is named, else the one in its usual place, else none.

    :raises KeyFileError: it cannot be used
    """
    if file is None and not default_file().exists():
        return None
    return read_private_key(file or default_file(), passphrase)


@app.command()
def create(
    file: KeyFile = None,
    passphrase: Passphrase = None,
    comment: Annotated[str, typer.Option(help="Whose key it is.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key and write it to a file that only you can read; a key that is there is never overwritten."""
    made = new_key()
    try:
        write_private_key(file or default_file(), made, passphrase)
    except SharingError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file or default_file()} cannot be written: {error.strerror}")
    _show(public_key(made, comment), file or default_file(), as_json)


@app.command()
def show(file: KeyFile = None, passphrase: Passphrase = None, as_json: AsJson = False) -> None:
    """Show the public half of your key."""
    _show(public_key(_own(file, passphrase)), file or default_file(), as_json)


@app.command()
def register(
    namespace: Namespace,
    file: KeyFile = None,
    passphrase: Passphrase = None,
    comment: Annotated[str, typer.Option(help="Whose key it is.")] = "",
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="After so many days it expires.")] = None,
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Let your key sign for a namespace; again, it changes nothing but the comment and when it expires."""
    key = public_key(_own(file, passphrase), comment)
    if days is not None:
        key = key.model_copy(update={"expires_at": datetime.now(UTC) + timedelta(days=days)})
    with connect_as(DagPackageClient, registry, token) as client:
        kept = client.put_key(namespace, key)
    _show_kept([kept], as_json)


@app.command("list")
def list_keys(namespace: Namespace, registry: Registry = None, token: Token = None, as_json: AsJson = False) -> None:
    """List the keys of a namespace, with those that were revoked."""
    with connect_as(DagPackageClient, registry, token) as client:
        _show_kept(client.keys(namespace), as_json)


@app.command()
def revoke(
    namespace: Namespace,
    key_id: Annotated[str, typer.Argument(help="Id of the key, as 'list' shows it.")],
    registry: Registry = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Let a key sign no more; what it signed is refused by importers from now on."""
    with connect_as(DagPackageClient, registry, token) as client:
        _show_kept([client.revoke_key(namespace, key_id)], as_json)


def _own(file: Path | None, passphrase: str | None) -> Ed25519PrivateKey:
    try:
        return read_private_key(file or default_file(), passphrase)
    except SharingError as error:
        fail(str(error))


def _show(key: PublisherKey, file: Path, as_json: bool) -> None:
    if as_json:
        answer = {"key_id": key.key_id, "public_key": key.public_key, "comment": key.comment, "file": str(file)}
        typer.echo(json.dumps(answer, indent=2))
    else:
        typer.echo(f"key {key.key_id}\npublic {key.public_key}\nfile {file}")


def _show_kept(found: list[PublisherKey] | tuple[PublisherKey, ...], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([key.model_dump(mode="json") for key in found], indent=2))
        return
    for key in found:
        state = "revoked" if key.revoked_at else "trusted"
        until = f", until {key.expires_at:%Y-%m-%d}" if key.expires_at and not key.revoked_at else ""
        typer.echo(f"{key.key_id}  {state}{until}  {key.comment}".rstrip())
    if not found:
        typer.echo("No keys.")
