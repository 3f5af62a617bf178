"""How far an ingest is, in the log at sensible intervals."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk.types import Logger

FIRST = 5.0
LONGEST = 60.0


class Progress:
    """Logs rows, rows per second and the time that is left; less often as the ingest takes longer."""

    def __init__(self, log: Logger, total: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._total = total
        self._clock = clock
        self._started = clock()
        self._interval = FIRST
        self._next = self._started + FIRST

    @property
    def seconds(self) -> float:
        """Give the seconds since the start."""
        return self._clock() - self._started

    def report(self, settled: int, sent: int) -> None:
        """Say how far it is, when it is time to.

        :param settled: rows that are done in any way
        :param sent: rows that this run has sent
        """
        now = self._clock()
        if now < self._next:
            return
        self._interval = min(LONGEST, self._interval * 1.5)
        self._next = now + self._interval
        speed = sent / (now - self._started)
        if self._total and speed:
            left = max(0.0, (self._total - settled) / speed)
            self._log.info(
                "%s of %s rows, %.0f rows/s, %s left", f"{settled:,}", f"{self._total:,}", speed, _span(left)
            )
        else:
            self._log.info("%s rows, %.0f rows/s", f"{settled:,}", speed)


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
