"""A circuit breaker that all processes of a machine share: one small file that says until when nobody tries.

How long depends on what the failed try cost: a hundred times as long, so that a registry that hangs takes at most about
one hundredth of anybody's time, and one that refuses at once is asked again within seconds.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

COST_FACTOR = 100.0
SHORTEST = 1.0
LONGEST = 300.0

State = Literal["closed", "open", "probing"]


@dataclass(frozen=True)
class Trip:
    """Until when nobody tries, in seconds since the epoch, and why."""

    until: float
    reason: str


class Breaker:
    """The marker file; without one the way is free.

    ``closed``: everybody tries. ``open``: nobody does. ``probing``: the time is up, and one process may try.
    """

    def __init__(self, path: Path | str, *, clock: Callable[[], float] = time.time) -> None:
        self._path = Path(path)
        self._clock = clock

    @property
    def state(self) -> State:
        """Say whether to try."""
        trip = self.trip_in_force()
        if trip is None:
            return "closed"
        # A mark further ahead than any pause comes from a clock that was set back since.
        return "open" if 0 < trip.until - self._clock() <= LONGEST else "probing"

    def trip_in_force(self) -> Trip | None:
        """Read the marker; None when there is none or it is no marker of ours."""
        try:
            content = json.loads(self._path.read_bytes())
            return Trip(float(content["until"]), str(content["reason"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def trip(self, reason: str, *, cost: float, at_least: float | None = None) -> None:
        """Keep everybody off after a failed try.

        :param cost: how long the try took, in seconds
        :param at_least: the wait that the registry asked for, in seconds
        """
        pause = min(max(COST_FACTOR * cost, SHORTEST, at_least or 0.0), LONGEST)
        content = json.dumps({"until": self._clock() + pause, "reason": reason})
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}-{secrets.token_hex(4)}")
        # Without a marker the next process tries by itself and pays for it; nothing is lost.
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_text(content, encoding="utf-8")
            draft.replace(self._path)

    def reset(self) -> None:
        """Let everybody try again."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
