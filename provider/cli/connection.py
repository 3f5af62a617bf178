"""What every command that asks the registry takes: its address and a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from festaf.client import RegistryClient

if TYPE_CHECKING:
    from festaf.client.sender import Sender

Client = TypeVar("Client", bound="Sender")

DEFAULT_REGISTRY = "http://127.0.0.1:8750"

Registry = Annotated[str, typer.Option(envvar="FESTAF_REGISTRY_URL", help="Address of the registry.")]
Token = Annotated[
    str | None, typer.Option(envvar="FESTAF_TOKEN", help="Token for the registry; better in the environment.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


def connect(url: str, token: str | None) -> RegistryClient:
    """Make a client that asks about features."""
    return connect_as(RegistryClient, url, token)


def connect_as(kind: type[Client], url: str, token: str | None) -> Client:
    """Make a client that says at once when the registry is away, or end with a sentence when the address is none."""
    try:
        return kind(url, token, retry=False)
    except ValueError as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """End with one sentence on stderr and exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
