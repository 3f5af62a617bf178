"""A background thread of a process that lives on, which hands over what waits in the spool.

It delivers what a killed worker left behind, and finds out that a registry is back for the tasks that the breaker keeps
off. It is a thread and no process, so it must survive forks: a child of the process has no courier until it starts one.
"""

from __future__ import annotations

import atexit
import logging
import os
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.client.delivery import Parcel
    from festaf.provider.lineage.capture import Capture

log = logging.getLogger(__name__)

REST_SECONDS = 5.0
"""An event younger than this is left to the task that made it."""
CALL_SECONDS = 10.0
STOP_SECONDS = 1.0


class Courier:
    """One per process, started when it is first needed."""

    def __init__(self, make: Callable[[], Capture]) -> None:
        self._make = make
        self._thread: Thread | None = None
        self._woken = Event()
        self._stopping = False
        self._urgent: list[Parcel] = []
        self._said: str | None = None
        os.register_at_fork(after_in_child=self._forget)

    def start(self) -> None:
        """Begin, unless this process has begun already."""
        if self._thread is not None:
            return
        self._thread = Thread(target=self._run, name="festaf-courier", daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def wake(self, parcels: list[Parcel]) -> None:
        """Hand over these events soon."""
        self._urgent.extend(parcels)
        self.start()
        self._woken.set()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End; give what was begun and what is urgent this long, and leave the rest in the spool."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping = True
        self._woken.set()
        thread.join(seconds)

    def _forget(self) -> None:
        """Be as new in a forked child, where the thread does not run."""
        self._thread = None
        self._woken = Event()
        self._stopping = False
        self._urgent = []

    def _run(self) -> None:
        # A thread's border: whatever happens, the process that it lives in must not notice.
        try:
            capture = self._make()
        except BaseException:
            log.exception("The lineage courier ended; tasks still deliver by themselves")
            return
        while not self._stopping:
            self._guarded(capture)
            self._woken.wait(capture.settings.flush_interval)
            self._woken.clear()
        if self._urgent:
            self._guarded(capture)

    def _guarded(self, capture: Capture) -> None:
        """Go a round; what fails now, such as a full disk, is tried again in the next, and said once."""
        try:
            self._round(capture)
        except BaseException as error:
            if repr(error) != self._said:
                log.exception("The lineage courier failed; what waits stays in %s", capture.spool.folder)
            self._said = repr(error)

    def _round(self, capture: Capture) -> None:
        parcels, self._urgent = self._urgent, []
        if not parcels and not capture.spool.names(min_age=REST_SECONDS):
            return
        outcome = capture.delivery.flush(parcels, min_age=REST_SECONDS, call_seconds=CALL_SECONDS)
        if outcome.fault and outcome.fault != self._said:
            log.warning("%d lineage events wait in %s: %s", outcome.left, capture.spool.folder, outcome.fault)
        if outcome.sent:
            log.info("Handed %d lineage events to the registry", outcome.sent)
        self._said = outcome.fault
