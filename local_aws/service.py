"""What a service of the local AWS looks like to the gateway.

A service answers operations of one of botocore's service models. The gateway has parsed the request and checked it
against the model's constraints before a handler sees it, and serialises what the handler returns; a handler only
decides. Handlers are called from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

ACCOUNT = "123456789012"
"""The account of everything here; moto's default too."""


@dataclass(frozen=True)
class Call:
    """One request, as far as a handler needs to know it."""

    service: str
    """botocore's service name, such as ``sagemaker-featurestore-runtime``."""
    operation: str
    region: str
    account: str = ACCOUNT


class ApiError(Exception):
    """An error that AWS documents; the client gets it as a ClientError with this code and message.

    :param details: more members of the error's shape, such as ``OriginalStatusCode``
    """

    def __init__(self, code: str, message: str, status: int = 400, **details: Any) -> None:
        super().__init__(code, message, status)
        self.code = code
        self.message = message
        self.status = status
        self.details = details


class NotOurs(Exception):  # noqa: N818 - it is no error: the request goes on to moto
    """Raised by a handler for what moto keeps, such as the tags of a model: the gateway asks moto instead."""


Handler = Callable[[Call, dict[str, Any]], dict[str, Any]]
"""Takes the parameters and gives the result, both in botocore's spelling and Python types."""


class Service(Protocol):
    """One of the services that festaf answers itself; all others are moto's."""

    name: str
    """botocore's service name."""

    operations: Mapping[str, Handler]
    """By operation name; an operation that is not here goes to moto."""
