"""Keep what recurs once: a job says much the same in each of its runs, so a facet that comes again is the same object.

What was made of it stays with it: whether it hides a secret, how it is written, what a reader found in it. So nothing
of it is looked at, written or hashed a second time, and all of it is forgotten together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

import orjson

from festaf.registry_api.secrets.masking import looks_clean, mask

Made = TypeVar("Made")
CAPACITY = 32 * 2**20
"""How many bytes of JSON are kept at most; as objects they take some five times as much."""
CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS


class Shared:
    """A JSON value that nobody changes, with what was made of it."""

    digest: bytes | None = None
    """Of its text as it came; None when it is not known to recur."""
    made: dict[Callable[[Any], Any], Any]
    written: orjson.Fragment | None = None
    """Its canonical JSON, once it was asked for."""


class SharedObject(Shared, dict[str, Any]):
    """A JSON object."""

    def __init__(self, body: dict[str, Any], digest: bytes | None = None) -> None:
        dict.__init__(self, body)
        self.digest, self.made = digest, {}


class SharedArray(Shared, list[Any]):
    """A JSON array."""

    def __init__(self, items: list[Any], digest: bytes | None = None) -> None:
        list.__init__(self, items)
        self.digest, self.made = digest, {}


class Pool:
    """The shared values by digest: what was not asked for while as much again came is forgotten."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.size = 0
        self.recent: dict[bytes, Shared] = {}
        self.older: dict[bytes, Shared] = {}
        self._lock = Lock()

    def share(self, value: Any) -> Any:
        """Give the one object for an object or array, its secrets masked; itself if no fast writer can write it."""
        try:
            text = write_marked(value)
        except TypeError:  # A number of more than 64 bits, or half of a surrogate pair.
            return value
        digest = hashlib.sha256(text).digest()
        found = self.recent.get(digest)
        if found is None:
            found = self.older.get(digest) or _shared(value if looks_clean(text) else mask(value), digest)
            self._keep(digest, found, len(text))
        return found

    def _keep(self, digest: bytes, value: Shared, size: int) -> None:
        with self._lock:
            if self.size + size > self.capacity // 2:
                self.older, self.recent, self.size = self.recent, {}, 0
            self.recent[digest] = value
            self.size += size


def _shared(value: Any, digest: bytes) -> Shared:
    return SharedObject(value, digest) if isinstance(value, dict) else SharedArray(value, digest)


POOL = Pool()


def share(value: Any) -> Any:
    """Give the one object for an object or array that is likely to come again, its secrets masked."""
    return value if isinstance(value, Shared) else POOL.share(value)


def hold(body: dict[str, Any]) -> dict[str, Any]:
    """Give an object for a body that comes only once, so that it is read once."""
    return body if isinstance(body, Shared) else SharedObject(body)


def made_of(value: Any, make: Callable[[Any], Made]) -> Made:
    """Give what a pure function makes of a value, made once if the value is shared; an error is not kept."""
    if not isinstance(value, Shared):
        return make(value)
    if make not in value.made:
        value.made[make] = make(value)
    found: Made = value.made[make]
    return found


def write_canonical(value: Any) -> bytes:
    """Write a JSON value so that equal values are equal texts, what is shared as it was written before.

    :raises TypeError: it holds a number of more than 64 bits
    """
    return orjson.dumps(value, default=_text, option=CANONICAL)


def write_marked(value: Any) -> bytes:
    """Write a JSON value for a hash, with the hash that it has in place of what is shared.

    :raises TypeError: it holds a number of more than 64 bits
    """
    return orjson.dumps(value, default=_mark, option=orjson.OPT_PASSTHROUGH_SUBCLASS)


def write_rest(value: Any) -> bytes:
    """Write a JSON value without what is shared.

    :raises TypeError: it holds a number of more than 64 bits
    """
    return orjson.dumps(value, default=_nothing, option=orjson.OPT_PASSTHROUGH_SUBCLASS)


def _text(value: Any) -> orjson.Fragment:
    known = _known(value)
    if known.written is None:
        known.written = orjson.Fragment(write_canonical(dict(value) if isinstance(value, dict) else list(value)))
    return known.written


def _mark(value: Any) -> orjson.Fragment:
    """Write what is shared as no other JSON value is written."""
    known = _known(value)
    return orjson.Fragment(b"#" + known.digest.hex().encode()) if known.digest else _text(known)


def _nothing(value: Any) -> None:
    _known(value)


def _known(value: Any) -> Shared:
    if not isinstance(value, Shared):
        raise TypeError(f"{type(value).__name__} is no JSON")
    return value
