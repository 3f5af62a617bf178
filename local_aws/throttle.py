"""Rates per API: token buckets that hold one second's calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Throttle:
    """Counts calls against rates; used by the gateway's one thread only."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def admit(self, operation: str, rates: Mapping[str, float], now: float) -> bool:
        """Say whether one more call is within the operation's rate.

        :param rates: calls per second by operation
        :param now: seconds since 1970
        """
        rate = rates.get(operation)
        if rate is None:
            return True
        room = max(rate, 1.0)
        left, since = self._buckets.get(operation, (room, now))
        left = min(room, left + (now - since) * rate)
        admitted = left >= 1.0
        self._buckets[operation] = (left - 1.0 if admitted else left, now)
        return admitted

    def reset(self) -> None:
        """Forget every count."""
        self._buckets.clear()
