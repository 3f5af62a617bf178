"""The scripts of all hosts of a job as one: they start together, and the first that fails ends the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.local_aws.jobs.script import Script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.local_aws.jobs.script import Order


class Crew:
    """Running scripts, one for each host.

    :param orders: by host, ``algo-1`` first
    """

    def __init__(self, orders: Sequence[Order]) -> None:
        self.failed = 0
        """The place of the host whose script failed."""
        self._ending = False
        self._scripts: list[Script] = []
        try:
            # What was started before one cannot be is in the list by then.
            self._scripts.extend(map(Script, orders))
        except BaseException:
            self.close()
            raise

    def lines(self) -> list[list[str]]:
        """Give the lines that each wrote since this was last asked."""
        return [script.lines() for script in self._scripts]

    def wait(self, seconds: float) -> int | None:
        """Give the exit code, once all have ended well or one has failed; None when that takes longer than this.

        Once they were asked to end, one that fails does not end the others.
        """
        left = seconds
        for place, script in enumerate(self._scripts):
            code = script.wait(left)
            if code is None:
                # The others are only looked at: all have had this time.
                left = 0.0
            elif code != 0 and not self._ending:
                self.failed = place
                self.kill()
                return code
        return None if left == 0.0 else 0

    def ask_to_end(self) -> None:
        """Send SIGTERM to all."""
        self._ending = True
        for script in self._scripts:
            script.ask_to_end()

    def kill(self) -> None:
        """Kill all, and wait until they are gone."""
        for script in self._scripts:
            script.kill()

    def close(self) -> None:
        """Kill what still runs, and free what is open."""
        for script in self._scripts:
            script.close()
