"""A job's script as a process: started by the supervisor, read line by line, asked to end, killed."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from festaf.local_aws.jobs import supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_LINE = 100_000
"""Bytes; a longer line is cut into several, so that no script fills the server's memory with one."""
ENDING_SECONDS = 10.0
"""How long a killed script's supervisor may take to end."""


_LAST_OUTPUT_SECONDS = 2.0


@dataclass(frozen=True)
class Order:
    """What shall run."""

    command: Sequence[str]
    environment: Mapping[str, str]
    directory: str
    """The working directory, as the script sees it."""
    folder: Path
    """Where the order is written; it goes when the script is left alone."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """By name in the module ``resource``, such as ``RLIMIT_FSIZE``."""
    mount: Path | None = None
    """The folder that the script sees as ``/opt/ml``; None: it sees this machine's."""


class Script:
    """A running script; its output may be taken from another thread than the one that ends it."""

    def __init__(self, order: Order) -> None:
        content = {
            "command": list(order.command),
            "environment": dict(order.environment),
            "directory": order.directory,
            "limits": dict(order.limits),
            "mount": str(order.mount) if order.mount else None,
        }
        written = order.folder / "order.json"
        written.write_text(json.dumps(content))
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__, str(written)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": os.defpath},
            cwd=order.folder,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def lines(self) -> list[str]:
        """Give the lines that it wrote since this was last asked, standard output and error as one."""
        with self._lock:
            taken, self._lines = self._lines, []
        return taken

    def wait(self, seconds: float) -> int | None:
        """Give the exit code once it has ended and all its output is read; None when it has not within this time."""
        if self._process.poll() is None:
            self._reader.join(seconds)
            if self._reader.is_alive():
                return None
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(seconds)
            return None
        # Only a supervisor that was killed leaves somebody who keeps the output open.
        self._reader.join(_LAST_OUTPUT_SECONDS)
        return self._process.returncode

    def ask_to_end(self) -> None:
        """Send SIGTERM to the script and what it started."""
        self._tell(b"T")

    def kill(self) -> None:
        """Kill the script and what it started, and wait until they are gone."""
        self._tell(b"K")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING_SECONDS)
        self._process.kill()
        self._process.wait()
        self._reader.join(_LAST_OUTPUT_SECONDS)

    def close(self) -> None:
        """Kill what still runs, and free what is open."""
        if self._process.poll() is None:
            self.kill()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def _tell(self, what: bytes) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                self._process.stdin.write(what)
                self._process.stdin.flush()

    def _read(self) -> None:
        if self._process.stdout is None:
            return
        with self._process.stdout as output:
            while line := output.readline(LONGEST_LINE):
                text = line.decode(errors="replace").rstrip("\r\n")
                with self._lock:
                    self._lines.append(text)


@functools.cache
def can_mount() -> bool:
    """Say whether this machine lets a script see a folder of its own as ``/opt/ml``."""
    with tempfile.TemporaryDirectory(prefix="festaf-probe-") as name:
        folder = Path(name)
        shown = folder / "ml"
        shown.mkdir()
        (shown / "seen").touch()
        command = ["/bin/sh", "-c", f"test -e {supervisor.MOUNT_POINT}/seen"]
        script = Script(Order(command, {"PATH": os.defpath}, "/", folder, mount=shown))
        try:
            return script.wait(ENDING_SECONDS) == 0
        finally:
            script.close()
