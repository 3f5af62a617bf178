"""Keep what was computed from a JSON value for the next time that the same value comes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from festaf.registry_api.shared import write_marked

Result = TypeVar("Result")
CAPACITY = 50_000


class Memo(Generic[Result]):
    """Results by value; when there are too many, the oldest half is forgotten."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.results: dict[bytes, Result] = {}

    def get(self, value: Any, compute: Callable[[], Result]) -> Result:
        """Give the result for a value, computed if it is not kept; an error is not kept."""
        return self.of(digest(value), compute)

    def of(self, key: bytes | None, compute: Callable[[], Result]) -> Result:
        """Give the result for a value of which the digest is known."""
        if key is None:
            return compute()
        found = self.results.get(key)
        if found is None:
            found = compute()
            self.results[key] = found
            if len(self.results) > self.capacity:
                self.results = dict(list(self.results.items())[self.capacity // 2 :])
        return found


class SameMemo(Generic[Result]):
    """Results by object: for what is read again and again while it is at hand, and never changed."""

    def __init__(self, capacity: int = 4_000) -> None:
        self.capacity = capacity
        self.results: dict[int, tuple[Any, Result]] = {}

    def get(self, value: Any, compute: Callable[[Any], Result]) -> Result:
        """Give the result for an object, computed if it is not kept; an error is not kept."""
        found = self.results.get(id(value))
        if found is not None and found[0] is value:
            return found[1]
        result = compute(value)
        if len(self.results) >= self.capacity:
            self.results = {}
        self.results[id(value)] = (value, result)
        return result


def digest(value: Any) -> bytes | None:
    """Hash a JSON value, what is shared by the hash that it has; None when it holds a number of more than 64 bits."""
    try:
        return hashlib.sha256(write_marked(value)).digest()
    except TypeError:
        return None
