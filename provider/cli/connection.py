"""What every command that asks the registry takes, its address and a token, and where the registry is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from festaf.client import RegistryClient
from festaf.provider.lineage.settings import Endpoint, is_configured, load_settings, may_be_configured

if TYPE_CHECKING:
    from festaf.client.sender import Sender

Client = TypeVar("Client", bound="Sender")

DEFAULT_REGISTRY = "http://127.0.0.1:8750"
NO_REGISTRY = "No registry is configured: name it with --registry or FESTAF_REGISTRY_URL"

Registry = Annotated[
    str | None,
    typer.Option(envvar="FESTAF_REGISTRY_URL", help="Address of the registry; otherwise as Airflow is configured."),
]
Token = Annotated[
    str | None, typer.Option(envvar="FESTAF_TOKEN", help="Token for the registry; better in the environment.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


def find_registry(url: str | None, token: str | None) -> Endpoint | None:
    """Find the registry: the one that is named, else the one of Airflow's configuration; None when there is none.

    The token of the configuration opens no other registry than that of the configuration, and a token that is given
    takes its place. Airflow is imported only where something may configure it.
    """
    if url:
        return Endpoint(url, token)
    if not may_be_configured():
        return None
    try:
        from airflow.providers.common.compat.sdk import AirflowNotFoundException
    except ImportError:
        return None
    try:
        found = load_settings().endpoint() if is_configured() else None
    except (AirflowNotFoundException, ValueError) as error:
        fail(f"Airflow's configuration names no registry: {error}")
    return Endpoint(found.url, token or found.token) if found else None


def connect(url: str | None, token: str | None) -> RegistryClient:
    """Make a client that asks about features."""
    return connect_as(RegistryClient, url, token)


def connect_as(kind: type[Client], url: str | None, token: str | None) -> Client:
    """Make a client that says at once when the registry is away, or end with a sentence when the address is none.

    Where no registry is named or configured, it asks the one of this machine.
    """
    found = find_registry(url, token) or Endpoint(DEFAULT_REGISTRY, token)
    try:
        return kind(found.url, found.token, retry=False)
    except ValueError as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """End with one sentence on stderr and exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
