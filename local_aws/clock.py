"""The local AWS's clock: real time, plus what a test has jumped ahead."""

from __future__ import annotations

import threading
import time


class Clock:
    """Tells the time in seconds since the epoch."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Give the time, in seconds since 1970 UTC."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Jump ahead.

        :raises ValueError: the jump is backwards
        """
        if seconds < 0:
            raise ValueError("the clock of the local AWS only goes forward")
        with self._lock:
            self._ahead += seconds

    def reset(self) -> None:
        """Tell real time again; the caller has forgotten everything that has a time."""
        with self._lock:
            self._ahead = 0.0
