"""That the process is being stopped, known to whoever must know it."""

from __future__ import annotations

from collections.abc import Callable

Halt = Callable[[float], None]
"""Stops work in the background, and waits for its end so many seconds."""


class Stopping:
    """Begins when a signal came; from then on ``/ready`` says no, and nothing new is begun in the background."""

    def __init__(self, halt: Halt) -> None:
        self.begun = False
        self._halt = halt

    def begin(self) -> None:
        """Stop what runs in the background, without waiting for it."""
        if not self.begun:
            self.begun = True
            self._halt(0)
