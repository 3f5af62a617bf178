"""Which operation is being answered, as far as it decides what a client can see.

A change in AWS is not seen at once by those who only read: the repositories ask here whether the request that they
serve is such a read. Work in the background and requests that change something see everything.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_READS = ("Describe", "List", "Get", "BatchGet", "BatchDescribe", "Search", "Query")

_operation: ContextVar[str | None] = ContextVar("operation", default=None)


@contextmanager
def answering(operation: str) -> Iterator[None]:
    """Say which operation this thread answers until the end of the block."""
    token = _operation.set(operation if operation.startswith(_READS) else None)
    try:
        yield
    finally:
        _operation.reset(token)


@contextmanager
def seeing_everything() -> Iterator[None]:
    """Do work of the server's own within a request: it sees everything until the end of the block."""
    token = _operation.set(None)
    try:
        yield
    finally:
        _operation.reset(token)


def read_operation() -> str | None:
    """Give the operation that this thread answers when it only reads, else None."""
    return _operation.get()
