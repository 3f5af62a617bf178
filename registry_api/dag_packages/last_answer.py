"""Know how the last request to a store ended, for those who watch and must not wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock, Thread

from festaf.registry_api.errors import ServiceError


class LastAnswer:
    """Remembers whether a store failed; a failure that is some seconds old is looked at again, aside.

    :param ask: asks the store something small, and notes how it ended
    :param known: how many seconds a failure counts
    """

    def __init__(self, ask: Callable[[], None], known: float) -> None:
        self._ask = ask
        self._known = known
        self._failed_at: float | None = None
        self._turn = Lock()

    def note(self, *, failed: bool) -> None:
        """Note how a request ended."""
        self._failed_at = time.monotonic() if failed else None

    def failing(self) -> bool:
        """Tell how the last request ended; nobody waits for another."""
        failed_at = self._failed_at
        if failed_at is None:
            return False
        if time.monotonic() - failed_at >= self._known and self._turn.acquire(blocking=False):
            Thread(target=self._look, name="archive-store", daemon=True).start()
        return True

    def _look(self) -> None:
        try:
            self._ask()
        except ServiceError:
            pass
        finally:
            self._turn.release()
