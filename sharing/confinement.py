"""Have files of a stranger looked at in a process that has bounds, and nothing else to lose.

The process is the child of a server that forks it (``fork_server``), which is started at the first question.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final, Literal

_START_SECONDS: Final = 60.0
_SPARE_SECONDS: Final = 5.0
"""How much later than the child itself its caller gives up."""
_PIECE: Final = 256 * 1024
# Isolated: the caller's environment and working folder decide nothing; only where this package lies is told.
_PROGRAM: Final = "import sys; sys.path.insert(0, sys.argv[1]); from festaf.sharing.fork_server import main; main()"


class ConfinementError(RuntimeError):
    """No process could be started."""


@dataclass(frozen=True)
class Answer:
    """What a confined process said."""

    lines: tuple[bytes, ...]
    ended: Literal["done", "killed", "late"]
    """``killed``: it did not come to its end, for it passed a bound. ``late``: that of the clock."""
    missing: str | None = None
    """The module that is not installed, in Python's words."""


class _Server:
    """The server that forks, with the socket on which it is asked to."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-c", _PROGRAM, str(Path(__file__).absolute().parents[2])]
        self.control, theirs = socket.socketpair()
        with theirs:
            # In a session of its own, for Ctrl+C is meant for the caller: the server ends when its caller does.
            self.process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )

    def close(self) -> None:
        """Let it end."""
        self.control.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=_SPARE_SECONDS)


class Confinement:
    """Asks confined processes, from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._server: _Server | None = None

    def start(self) -> None:
        """Start what the first question needs, and do not wait for it."""
        with self._lock:
            if self._server is None:
                self._server = _Server()

    def ask(self, job: bytes, question: bytes, *, seconds: float) -> Answer:
        """Have a question answered by a new process.

        :param job: which of ``fork_server.JOBS``
        :param seconds: how long it may take by the clock; the job sets all other bounds
        :raises ConfinementError: no process could be started
        """
        for _ in range(3):
            self.start()
            server = self._server
            ours, theirs = socket.socketpair()
            with ours:
                with theirs, suppress(OSError):
                    if server is not None:
                        socket.send_fds(server.control, [job], [theirs.fileno()])
                ours.settimeout(_START_SECONDS)
                if _is_ready(ours):
                    return _conversation(ours, question, seconds)
            self._forget(server)
        raise ConfinementError("No process can be started to look at the files in")

    def close(self) -> None:
        """End the server; the next question starts another one."""
        self._forget(self._server)

    def abandon(self) -> None:
        """Forget, after a fork, the server of the process that this one was forked from."""
        self._lock = Lock()
        if self._server is not None:
            self._server.control.close()
            self._server.process.returncode = 0  # It is the child of another; Python need not wait for it here.
            self._server = None

    def _forget(self, server: _Server | None) -> None:
        with self._lock:
            if server is None or self._server is not server:
                return
            self._server = None
        server.close()


def _is_ready(ours: socket.socket) -> bool:
    """Wait for the process; it is not there when the server has just ended, for want of questions."""
    with suppress(OSError):
        return ours.recv(6, socket.MSG_WAITALL) == b"ready\n"
    return False


def _conversation(ours: socket.socket, question: bytes, seconds: float) -> Answer:
    told, deadline = bytearray(), time.monotonic() + seconds + _SPARE_SECONDS
    late = False
    try:
        ours.settimeout(seconds + _SPARE_SECONDS)
        ours.sendall(f"{seconds}\n".encode() + question)
        ours.shutdown(socket.SHUT_WR)
        while True:
            ours.settimeout(max(deadline - time.monotonic(), 0.001))
            piece = ours.recv(_PIECE)
            if not piece:
                break
            told += piece
    except TimeoutError:
        late = True
    except OSError:  # The process ended before it had read or said all.
        pass
    *lines, rest = bytes(told).split(b"\n")
    last = lines[-1] if lines and not rest else b""
    if last == b"done":
        return Answer(tuple(lines[:-1]), "done")
    if last.startswith(b"missing "):
        return Answer(tuple(lines[:-1]), "killed", last.removeprefix(b"missing ").decode(errors="replace"))
    return Answer(tuple(lines), "late" if late or time.monotonic() > deadline - _SPARE_SECONDS else "killed")


CONFINEMENT: Final = Confinement()
atexit.register(CONFINEMENT.close)
os.register_at_fork(after_in_child=CONFINEMENT.abandon)
