"""Trying again until a deadline: every wait for AWS has one, and passing faults of AWS are waited out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from festaf.provider.errors import QuotaError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk.types import Logger

Thing = TypeVar("Thing")


@dataclass
class Patience:
    """How long a task tries, and how often.

    :param seconds: until the deadline, counted from now
    :param poll_interval: seconds between two tries, at most; the first ones come sooner
    """

    log: Logger
    seconds: float
    poll_interval: float = 15.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def over(self) -> bool:
        """Tell whether the deadline has passed."""
        return self.clock() - self.started > self.seconds

    def until(self, attempt: Callable[[], Thing | None], late: Callable[[], Exception]) -> Thing:
        """Try until there is an answer.

        :param attempt: gives None to be called again; what AWS fails at for now is tried again, too
        :param late: the error for the deadline
        :raises QuotaError: a quota is full, which is for the caller to wait out
        """
        pause = min(0.5, self.poll_interval)
        while True:
            failed: ServiceError | None = None
            try:
                found = attempt()
            except QuotaError:
                raise
            except ServiceError as error:
                failed, found = error, None
                self.log.info("%s; trying again", error)
            if found is not None:
                return found
            if self.over:
                raise failed or late()
            self.sleep(pause)
            pause = min(pause * 1.5, self.poll_interval)

    def persist(self, call: Callable[[], Thing]) -> Thing:
        """Call until AWS answers; None is an answer, too.

        :raises ServiceError: AWS did not answer until the deadline
        """
        return self.until(lambda: (call(),), AssertionError)[0]
