"""What all routes share: pages by cursor, and errors as RFC 9457 problems."""

from __future__ import annotations

import re
from typing import Generic, Literal, TypeVar

from pydantic import Field

from festaf.contract.model import Model

API = "/api/v1"
BEARER_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750. A client has to refuse another one itself: the library beneath it would print it in its error."""

Item = TypeVar("Item")


class Page(Model, Generic[Item]):
    """A part of a list; ``cursor`` is None on the last one."""

    items: tuple[Item, ...]
    cursor: str | None = None


class Related(Model):
    """What a problem points to: a feature that stands already, or a request that says why one does not."""

    kind: Literal["feature", "feature_request"]
    href: str
    title: str
    state: str | None = None
    reason: str | None = None


class Problem(Model):
    """RFC 9457, with ``code`` (the HTTP status) and ``message`` repeated so that Marquez's clients can read it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str | None = None
    code: int
    message: str
    errors: tuple[str, ...] = Field(default=())
    """One line for each field that was wrong."""
    related: tuple[Related, ...] = Field(default=())
    """Where to look instead."""
