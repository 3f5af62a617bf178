"""Take an archive from a request: bounded, hashed while it comes, and what its sender says that it is."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile

from starlette.requests import Request

from festaf.registry_api.errors import BadRequestError, TooLargeError, UnsupportedError

ALGORITHM = "sha-256"
IN_MEMORY = 1024 * 1024
"""A larger body waits on the disk until it is whole."""
EXAMPLE = "send Content-Digest: sha-256=:<base64 of the body's SHA-256>:"


@dataclass(frozen=True)
class Received:
    """A body that came whole."""

    data: bytes
    digest: str


async def receive(request: Request, media_type: str, limit: int) -> Received:
    """Read a body in pieces, and compare it with the digest that its sender gave (RFC 9530).

    :raises UnsupportedError: it is of another type, or compressed
    :raises TooLargeError: it passes the limit, in bytes
    :raises BadRequestError: there is no digest, or it is that of other bytes
    """
    _check_type(request, media_type)
    wanted = read_digest(request.headers.get("content-digest"))
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
        raise TooLargeError(f"the body is larger than {limit} bytes")
    hashing, size = hashlib.sha256(), 0
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise TooLargeError(f"the body is larger than {limit} bytes")
            hashing.update(chunk)
            file.write(chunk)
        digest = hashing.hexdigest()
        if not hmac.compare_digest(digest, wanted):
            raise BadRequestError(f"the body is not the one of Content-Digest: its SHA-256 is {digest}")
        file.seek(0)
        return Received(file.read(), digest)


def read_digest(header: str | None) -> str:
    """Read the SHA-256 from a Content-Digest header; give it in hexadecimal.

    :raises BadRequestError: there is none
    """
    for item in (header or "").split(","):
        name, _, value = item.strip().partition("=")
        if name.strip().lower() == ALGORITHM and len(value) > 2 and value[0] == value[-1] == ":":
            try:
                raw = base64.b64decode(value[1:-1], validate=True)
            except (binascii.Error, ValueError):
                continue
            if len(raw) == hashlib.sha256().digest_size:
                return raw.hex()
    raise BadRequestError(f"nobody could tell whether the body came whole: {EXAMPLE}")


def write_digest(digest: str) -> str:
    """Write a Content-Digest header."""
    return f"{ALGORITHM}=:{base64.b64encode(bytes.fromhex(digest)).decode()}:"


def _check_type(request: Request, media_type: str) -> None:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != media_type:
        raise UnsupportedError(f"send {media_type}, not {media or 'a body without a content type'}")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedError("send the archive as it is, without a content encoding")
