"""The process that has read all that reading and checking need, and never anything of a stranger.

It forks one child for each question, and the child ends with its answer. So no package pays for the start of Python,
and none meets what another one left behind: what is shared is this program's own code and tables.

Each byte on the control socket, which is stdin, asks for one child: it names the job, and carries the socket over which
the child is asked and answers. Without questions the process ends after a while.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from typing import Final

JOBS: Final = {b"c": "festaf.sharing.checks.confined", b"r": "festaf.sharing.reading.confined"}
"""The module of each job; its ``prepare`` reads what every child will need, its ``serve`` answers one question."""
IDLE_SECONDS: Final = 300.0


def main() -> None:
    """Fork until nobody asks any more."""
    for module in JOBS.values():
        # What is not installed is told by the child that needs it.
        with suppress(ModuleNotFoundError):
            import_module(module).prepare()
    # Nobody waits for the children here, and the collector must not touch what they share with this process.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=0)
    while select.select([control], [], [], IDLE_SECONDS)[0]:
        job, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not job:
            return
        for descriptor in descriptors:
            with suppress(OSError):
                if os.fork() == 0:
                    _answer(job, descriptor)
            os.close(descriptor)


def _answer(job: bytes, descriptor: int) -> None:
    """Be the child: say that it is there, take the question from stdin, write the answer to stdout, and end.

    The first line of the question says how long all of it may take by the clock. What does not end with ``done`` was
    ended by what it read.
    """
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(descriptor, 0)
        os.dup2(descriptor, 1)
        os.close(descriptor)
        _say("ready")
        signal.setitimer(signal.ITIMER_REAL, float(sys.stdin.buffer.readline()))
        try:
            import_module(JOBS[job]).serve()
        except ModuleNotFoundError as error:
            _say(f"missing {error}")
        else:
            _say("done")
    finally:
        os._exit(0)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
