"""Read a request's body within bounds, and as JSON that both databases can keep."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Collection, Sequence
from typing import Any, NoReturn, overload

import msgspec
import orjson
from starlette.requests import Request

from festaf.registry_api.errors import BadRequestError, TooLargeError, UnreadableEventError, UnsupportedError

PLAIN = "identity"
GZIP = frozenset({"gzip", "x-gzip"})
MAX_DEPTH = 100
SAFE = 2.0**63
LARGEST = int(sys.float_info.max)
NUL = rb"\u0000"
"""The escape of the character that PostgreSQL cannot keep."""


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body, decompressed.

    :raises UnsupportedError: it is not JSON, or compressed by something else than gzip
    :raises TooLargeError: it passes the limit, in bytes, as it came or after decompression
    :raises BadRequestError: the gzip stream is broken
    """
    if wrong := unfit(request, GZIP):
        raise wrong
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > limit:
            raise TooLargeError(f"the body is larger than {limit} bytes")
    return _gunzip(bytes(raw), limit) if encoding_of(request) in GZIP else bytes(raw)


def unfit(request: Request, encodings: Collection[str] = ()) -> UnsupportedError | None:
    """Tell what is wrong with the form of a body, whatever its content; None when it is JSON.

    :param encodings: by what it may be compressed
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        return UnsupportedError(f"send application/json, not {media or 'a body without a content type'}")
    return wrongly_encoded(request, encodings)


def wrongly_encoded(request: Request, encodings: Collection[str] = ()) -> UnsupportedError | None:
    """Tell by which other encoding than those that are taken a body is said to be compressed; None when by none."""
    encoding = encoding_of(request)
    if encoding not in {PLAIN, *encodings}:
        taken = "gzip or none" if encodings else "none"
        return UnsupportedError(f"the content encoding {encoding!r} is not taken here; use {taken}")
    return None


def encoding_of(request: Request) -> str:
    """Give the name of what a body is compressed by."""
    return request.headers.get("content-encoding", PLAIN).strip().lower()


def _gunzip(raw: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = stream.decompress(raw, limit + 1)
    except zlib.error as error:
        raise BadRequestError(f"the body is no gzip stream: {error}") from error
    if len(text) > limit:
        raise TooLargeError(f"the body is larger than {limit} bytes after decompression")
    if not stream.eof:
        raise BadRequestError("the gzip stream ends too early")
    return text


def parse_items(body: bytes) -> Sequence[Any]:
    """Read a JSON array, each item when it is asked for: a large array as objects would fill the processor's caches.

    :raises BadRequestError: as ``parse_json`` does, but an item may raise it when it is asked for
    :raises UnreadableEventError: it is no array
    """
    try:
        return Items(msgspec.json.decode(body, type=list[msgspec.Raw]))
    except (msgspec.DecodeError, ValueError, RecursionError):  # The other reader takes more, and says what is wrong.
        values = _load(body)
    if not isinstance(values, list):
        raise UnreadableEventError("a batch is a JSON array of events")
    return Items(values)


class Items(Sequence[Any]):
    """The items of a JSON array, by their texts or as they were read: each is looked at when it is asked for."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Any]: ...
    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return Items(self.items[place])
        item = self.items[place]
        if isinstance(item, msgspec.Raw):
            return parse_json(bytes(item), depth=1)
        _check(item, 1)
        return item


def parse_json(body: bytes, depth: int = 0) -> Any:
    """Read JSON that can be stored and hashed.

    :param depth: in how many arrays and objects it stands
    :raises BadRequestError: it is no JSON, is nested too deep, or holds a number or a character no database keeps
    """
    if NUL not in body:
        try:
            value = orjson.loads(body)
        except ValueError:  # The slow reader takes more encodings, and says better what is wrong.
            return _parse_slowly(body, depth)
        if _plain([value], depth):
            return value
    return _parse_slowly(body, depth)


def _plain(values: Collection[Any], depth: int) -> bool:
    """Tell whether the fast reader kept every number as it is; it makes a float of one of more than 64 bits."""
    if depth > MAX_DEPTH and values:
        raise BadRequestError(f"the body is nested deeper than {MAX_DEPTH} levels")
    for item in values:
        kind = type(item)
        if kind is dict:
            if not _plain(item.values(), depth + 1):
                return False
        elif kind is list:
            if not _plain(item, depth + 1):
                return False
        elif kind is float and not -SAFE < item < SAFE:
            return False
    return True


def _parse_slowly(body: bytes, depth: int) -> Any:
    value = _load(body)
    _check(value, depth)
    return value


def _load(body: bytes) -> Any:
    """Read JSON by the standard library, which keeps numbers of any length as they are; no value is looked at."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is no JSON: {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise BadRequestError(f"the body is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
        raise BadRequestError("the body holds a number too large for a float")


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise BadRequestError("the body holds the character U+0000, which PostgreSQL cannot keep")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadRequestError("the body holds half of a surrogate pair, which is no character") from error
