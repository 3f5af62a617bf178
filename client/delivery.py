"""From the spool to the registry: the new event first, then older ones; nothing is removed before the registry's yes.

Two ways in. ``offer`` is for a process that must go on, such as a task's: it never takes longer than its deadline,
whatever the network does, and takes nothing while the breaker is open. ``flush`` is for a process that lives on, or a
person at a terminal: it works until the spool is empty or the registry fails.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING

from festaf.client.errors import FaultError, InvalidError, PassingError, RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from festaf.client.breaker import Breaker
    from festaf.client.sender import Sender
    from festaf.client.spool import Spool

log = logging.getLogger(__name__)

DEADLINE = 2.0
CALL_SECONDS = 10.0
MARGIN = 1.0
BATCH_EVENTS = 100
BATCH_BYTES = 4 * 1024 * 1024
MAX_STUMBLES = 5
"""So many events in a row that the registry itself stumbles over mean that it, not the events, is at fault."""


Parcel = str | bytes
"""The name of an event in the spool, or an event itself that the spool did not take."""


@dataclass
class Outcome:
    """What a delivery did."""

    sent: int = 0
    rejected: int = 0
    left: int = 0
    """Events that still wait."""
    fault: str | None = None
    """Why not everything was sent."""
    busy: bool = False
    """True when another process was sending already."""


@dataclass
class _Journey:
    """One delivery on its way."""

    deadline: float
    call_seconds: float
    min_age: float
    outcome: Outcome = field(default_factory=Outcome)
    stumbles: int = 0

    @property
    def patient(self) -> bool:
        return self.deadline == float("inf")

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.deadline


class Delivery:
    """Sends what the spool holds.

    :param connect: makes a client whose calls take at most the given seconds and are not repeated
    :param deadline: how long ``offer`` may take, in seconds
    """

    def __init__(
        self,
        spool: Spool,
        breaker: Breaker,
        connect: Callable[[float], Sender],
        *,
        deadline: float = DEADLINE,
    ) -> None:
        self._spool = spool
        self._breaker = breaker
        self._connect = connect
        self._deadline = deadline

    def offer(self, parcels: Sequence[Parcel]) -> Outcome:
        """Try to send new events of the spool and then older ones, within the deadline.

        The work is done beside the caller, since name resolution and a server that answers one byte at a time
        respect no timeout.
        """
        if self._breaker.state == "open":
            return Outcome(fault="The registry failed a moment ago")
        journey = _Journey(time.monotonic() + self._deadline, self._deadline, min_age=self._deadline + MARGIN)
        worker = Thread(target=self._guarded, args=(journey, parcels), name="festaf-delivery", daemon=True)
        worker.start()
        worker.join(self._deadline)
        if worker.is_alive():
            reason = f"The registry did not answer within {self._deadline:g} seconds"
            self._breaker.trip(reason, cost=self._deadline)
            return Outcome(journey.outcome.sent, journey.outcome.rejected, fault=reason)
        return journey.outcome

    def flush(
        self, first: Sequence[Parcel] = (), *, min_age: float = 0.0, call_seconds: float = CALL_SECONDS
    ) -> Outcome:
        """Send everything that waits, whatever the breaker says, and tell how it went.

        :param first: events to send before all others
        :param min_age: leave events younger than this to whoever made them, in seconds
        :param call_seconds: how long one call may take
        """
        journey = _Journey(float("inf"), call_seconds, min_age)
        self._guarded(journey, first)
        journey.outcome.left = len(self._spool.names())
        return journey.outcome

    def _guarded(self, journey: _Journey, first: Sequence[Parcel]) -> None:
        """Travel, and turn every failure into the outcome's fault."""
        begun = time.monotonic()
        try:
            self._travel(journey, first)
        except PassingError as error:
            journey.outcome.fault = str(error)
            self._breaker.trip(str(error), cost=time.monotonic() - begun, at_least=error.retry_after)
        except RegistryError as error:
            # The token or the address is wrong: the events are good and wait until somebody has seen to it.
            journey.outcome.fault = str(error)
            self._breaker.trip(str(error), cost=time.monotonic() - begun)
        except Exception as error:
            log.exception("Delivery to the registry failed")
            journey.outcome.fault = f"{type(error).__name__}: {error}"

    def _travel(self, journey: _Journey, first: Sequence[Parcel]) -> None:
        probing = not journey.patient and self._breaker.state == "probing"
        with self._spool.flusher() as alone:
            journey.outcome.busy = not alone
            if probing and not alone:
                return
            older = [name for name in self._spool.names(min_age=journey.min_age) if name not in first] if alone else []
            if not older and not first:
                return
            with self._connect(journey.call_seconds) as client:
                self._send_each(client, first, journey)
                self._send_older(client, older, journey)
        if alone:
            self._spool.tidy()

    def _send_older(self, client: Sender, names: Iterable[str], journey: _Journey) -> None:
        batch: dict[str, bytes] = {}
        for name in names:
            if journey.over:
                return
            body = self._spool.read(name)
            if body is None:
                continue
            if batch and sum(map(len, batch.values())) + len(body) > BATCH_BYTES:
                self._send_batch(client, batch, journey)
                batch = {}
            batch[name] = body
            if len(batch) == BATCH_EVENTS:
                self._send_batch(client, batch, journey)
                batch = {}
        if batch and not journey.over:
            self._send_batch(client, batch, journey)

    def _send_batch(self, client: Sender, batch: dict[str, bytes], journey: _Journey) -> None:
        if len(batch) == 1:
            self._send_each(client, batch, journey)
            return
        try:
            answer = client.send_batch(list(batch.values()))
        except (InvalidError, FaultError):
            # One of them spoils the rest, or they are too large together: each for itself.
            self._send_each(client, batch, journey)
            return
        failed = {event.index: event for event in answer.failed_events}
        for index, name in enumerate(batch):
            if index not in failed:
                self._accepted(name, journey)
            elif failed[index].retriable:
                self._postponed(name, failed[index].reason, journey)
            else:
                self._rejected(name, failed[index].reason, journey)

    def _send_each(self, client: Sender, parcels: Iterable[Parcel], journey: _Journey) -> None:
        for parcel in parcels:
            if journey.over:
                return
            name = parcel if isinstance(parcel, str) else None
            body = self._spool.read(parcel) if isinstance(parcel, str) else parcel
            if body is None:
                continue
            try:
                client.send(body)
            except InvalidError as error:
                self._rejected(name, str(error), journey)
            except FaultError as error:
                journey.stumbles += 1
                self._postponed(name, str(error), journey)
                if journey.stumbles == MAX_STUMBLES:
                    raise
            else:
                self._accepted(name, journey)

    def _accepted(self, name: str | None, journey: _Journey) -> None:
        if name:
            self._spool.remove(name)
        self._breaker.reset()
        journey.outcome.sent += 1
        journey.stumbles = 0

    def _postponed(self, name: str | None, reason: str, journey: _Journey) -> None:
        if name:
            self._spool.postpone(name)
        journey.outcome.fault = reason

    def _rejected(self, name: str | None, reason: str, journey: _Journey) -> None:
        if name:
            self._spool.reject(name, reason)
        else:
            log.error(
                "The registry will not accept an event, which is lost since the spool did not take it: %s", reason
            )
        self._breaker.reset()
        journey.outcome.rejected += 1
