"""How fast calls may go: as fast as they can until AWS throttles, then no faster than it bears."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SLOWER = 0.6
FASTER_PER_SECOND = 1.1
SLOWEST = 0.5
"""Calls per second that are always tried."""
FIRST_DELAY = 0.1
LONGEST_DELAY = 10.0


class Pace:
    """Shared by all senders of one ingest. Throttling cuts the rate at once; quiet lets it grow by the second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rate: float | None = None
        self._peak = 0.0
        self._next = 0.0
        self._since = clock()
        self._calls = 0
        self._changed = clock()

    @property
    def rate(self) -> float | None:
        """Give the calls per second that are allowed; None is no limit."""
        return self._rate

    def turn(self) -> float:
        """Take the next turn, and give the seconds to wait for it."""
        with self._lock:
            self._calls += 1
            now = self._clock()
            rate = self._rate = self._grown(now)
            if rate is None:
                return 0.0
            self._next = max(self._next + 1 / rate, now)
            return self._next - now

    def throttled(self) -> None:
        """Go slower; answers that come in a burst count once."""
        with self._lock:
            now = self._clock()
            if self._rate is not None and now - self._changed < 1.0:
                return
            measured = self._calls / max(now - self._since, 0.1)
            self._peak = max(self._peak, measured)
            self._rate = max(SLOWEST, SLOWER * min(measured, self._rate or measured))
            self._calls, self._since, self._changed = 0, now, now

    def _grown(self, now: float) -> float | None:
        quiet = now - self._changed
        if self._rate is None or quiet < 1.0:
            return self._rate
        self._changed = now
        grown = self._rate * FASTER_PER_SECOND**quiet
        return grown if grown <= 2 * self._peak else None


def delay(attempt: int, chance: Callable[[], float] = random.random) -> float:
    """Give the seconds to wait before an attempt: twice as long each time, at random below that."""
    longest = float(min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempt, 10)))
    return longest * (0.5 + chance() / 2)
