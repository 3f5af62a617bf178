"""Opaque cursors: the key of the last row of a page, so that a list may change between two pages."""

from __future__ import annotations

import base64
import binascii
import json

from festaf.registry_api.errors import BadRequestError


def encode_cursor(*key: str) -> str:
    """Write the key of the last row as text that fits a query string."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, size: int) -> tuple[str, ...]:
    """Read a key of ``size`` parts back.

    :raises BadRequestError: the text was not made by ``encode_cursor`` for this list
    """
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise BadRequestError("the cursor is not one that this list gave out") from error
    if not isinstance(key, list) or len(key) != size or not all(isinstance(part, str) for part in key):
        raise BadRequestError("the cursor is not one that this list gave out")
    return tuple(key)
