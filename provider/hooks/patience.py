"""How long one waits for AWS, and whether one asks again while AWS is in trouble."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from festaf.provider.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 20.0

log = logging.getLogger(__name__)


@dataclass
class Patience:
    """A deadline that every wait under it shares; the time runs from when this is made.

    :param timeout: seconds
    :param poll_interval: most seconds between two looks
    :param through_trouble: whether to ask again when AWS throttles, fails or does not answer, for all that botocore
        has tried by itself
    """

    timeout: float
    poll_interval: float = 5.0
    through_trouble: bool = True
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self._deadline = self.clock() + self.timeout

    @property
    def is_over(self) -> bool:
        """Tell whether the deadline has passed."""
        return self.clock() > self._deadline

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Ask, and ask again while AWS is in trouble, until the deadline.

        :raises ServiceError: AWS is in trouble to the end
        """
        pause = FIRST_PAUSE
        while True:
            try:
                return question()
            except ServiceError as error:
                if not self.through_trouble or self.clock() + pause > self._deadline:
                    raise
                log.info("%s; asking again in %.1f s", error, pause)
                self.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
