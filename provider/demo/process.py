"""One process of the demo: started in a group of its own, watched, and stopped whole."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from festaf.provider.demo.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LAST_WORDS = 3
"""Lines of a log that an error quotes."""


@dataclass
class Process:
    """A long-running command, its log, and the address at which it says that it is ready."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    health: str | None = None
    """URL that answers 200 once the process is ready; None when running is all that can be known."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the command; its output goes to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=dict(self.environment), start_new_session=True
            )

    @property
    def pid(self) -> int:
        """Give the process id, which is its group's id too."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    def check(self) -> None:
        """Make sure that the process still runs.

        :raises StartError: it ended
        """
        if self._process is not None and (code := self._process.poll()) is not None:
            raise StartError(f"{self.name} ended with exit code {code}: {self.last_words()} (log: {self.log})")

    def wait_ready(self, *, seconds: float) -> None:
        """Wait until the process says that it is ready.

        :raises StartError: it ended, or was not ready in time
        """
        deadline = time.monotonic() + seconds
        while not self._answers():
            self.check()
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} was not ready after {seconds:.0f} s; its log is {self.log}")
            time.sleep(0.2)

    def wait_done(self, *, seconds: float) -> None:
        """Wait until a command that ends by itself has ended well.

        :raises StartError: it failed, or was still running
        """
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        try:
            code = self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise StartError(f"{self.name} was still running after {seconds:.0f} s; its log is {self.log}") from None
        if code != 0:
            raise StartError(f"{self.name} failed with exit code {code}: {self.last_words()} (log: {self.log})")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and all that it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def stop(self, *, seconds: float = 10) -> None:
        """Ask the process to end, and end it and all that it started when it does not."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=seconds)
        self.signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    def last_words(self) -> str:
        """Quote the end of the log."""
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return " / ".join(lines[-LAST_WORDS:]) or "it said nothing"

    def _answers(self) -> bool:
        if self.health is None:
            return True
        try:
            return httpx.get(self.health, timeout=2).is_success
        except httpx.TransportError:
            return False
