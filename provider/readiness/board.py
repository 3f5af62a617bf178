"""One poll serves every waiter: a board of one kind, account and region, shared by a process's triggers.

The board asks a List call (100 per call) as often as its most eager waiter wants, and wakes a waiter when its artifact
moved. Throttling slows the board; it fails nobody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from festaf.provider.errors import FestafError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Reader = Callable[[str | None], Mapping[str, "Summary"]]
    Key = tuple[str, str, str, str]

log = logging.getLogger(__name__)

SLOWEST = 120.0
"""Seconds between two polls, at most, however much AWS throttles."""


class Summary(Protocol):
    """What a List call tells of one artifact; compared as a whole to see whether it moved."""

    @property
    def name(self) -> str:
        """Name the artifact."""

    @property
    def status(self) -> str:
        """Give its status in AWS's words."""


@dataclass(frozen=True)
class Sight:
    """What the board shows of one artifact."""

    known: bool
    """False when the list may not be read: the waiter must look for itself."""
    summary: Summary | None
    """None when there is no artifact of this name."""


@dataclass(eq=False)
class Seat:
    """A waiter's place before the board."""

    name: str
    interval: float
    restless: bool = False
    """Whether to be woken at every poll, as one who waits for what the list does not show."""
    sight: Sight | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self, timeout: float) -> Sight | None:
        """Wait for news; None when there is none for that long."""
        try:
            await asyncio.wait_for(self._news.wait(), max(0.0, timeout))
        except TimeoutError:
            return None
        self._news.clear()
        return self.sight

    def show(self, sight: Sight) -> None:
        """Wake the waiter if this is news to it."""
        if self.restless or not sight.known or sight != self.sight:
            self.sight = sight
            self._news.set()


class Board:
    """The artifacts of one kind, account and region.

    :param what: names the kind in the log
    :param read: gives all artifacts by name, or those whose name contains a text; called in a thread
    """

    def __init__(self, what: str, read: Reader, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._read = read
        self._clock = clock
        self._seats: set[Seat] = set()
        self._poller: asyncio.Task[None] | None = None
        self._joined = asyncio.Event()
        self._slower = 1.0
        self.polls = 0

    @contextmanager
    def seat(self, name: str, interval: float) -> Iterator[Seat]:
        """Take a seat; the board polls as long as there is one."""
        seat = Seat(name, interval)
        self._seats.add(seat)
        self._joined.set()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.get_running_loop().create_task(self._poll())
        try:
            yield seat
        finally:
            self._seats.discard(seat)
            if not self._seats and self._poller is not None:
                self._poller.cancel()
                self._poller = None

    @property
    def pause(self) -> float:
        """Give the seconds until the next poll."""
        eager = min((seat.interval for seat in self._seats), default=SLOWEST)
        return max(eager, min(eager * self._slower, SLOWEST))

    async def _poll(self) -> None:
        while self._seats:
            # Waiters that come in one rush are served by one poll.
            await asyncio.sleep(0)
            self._joined.clear()
            await self._look()
            polled = self._clock()
            while (left := polled + self.pause - self._clock()) > 0:
                try:
                    await asyncio.wait_for(self._joined.wait(), left)
                except TimeoutError:
                    break
                self._joined.clear()
                if any(seat.sight is None for seat in self._seats) and self._slower == 1.0:
                    break

    async def _look(self) -> None:
        """Read the list once and show it to everyone."""
        names = {seat.name for seat in self._seats}
        self.polls += 1
        try:
            found = await asyncio.to_thread(self._read, next(iter(names)) if len(names) == 1 else None)
        except ServiceError as error:
            self._slower = min(self._slower * 2, 64.0)
            log.info("The list of %s cannot be read now, next try in %.0f s: %s", self._what, self.pause, error)
            return
        except FestafError as error:
            log.info("The list of %s may not be read; each waiter looks for itself: %s", self._what, error)
            for seat in self._seats:
                seat.show(Sight(known=False, summary=None))
            return
        self._slower = 1.0
        for seat in self._seats:
            seat.show(Sight(known=True, summary=found.get(seat.name)))


_boards: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Key, Board]] = WeakKeyDictionary()


def board_for(key: Key, read: Reader) -> Board:
    """Give the board of a kind, endpoint, account and region in the running event loop; ``read`` serves a new one."""
    boards = _boards.setdefault(asyncio.get_running_loop(), {})
    return boards.setdefault(key, Board(key[0], read))
