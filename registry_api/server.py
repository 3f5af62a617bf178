"""Serve the registry on one port until a signal, and say when it accepts requests."""

from __future__ import annotations

import errno
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from types import FrameType
from typing import NoReturn

import uvicorn
from fastapi import FastAPI

from festaf.registry_api.edge import is_loopback
from festaf.registry_api.errors import SetupError
from festaf.registry_api.operations.stopping import Stopping

ALLOCATIONS = 200_000
"""How many more objects than were freed let Python look for garbage."""
AFTERWARDS_SECONDS = 5
"""How long the work in the background may take to end after the last request."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Leave:
    """How a server ends, in seconds after a signal."""

    drain: float = 0
    """How long it goes on, with ``/ready`` saying no, so that those who send requests hear of it."""
    grace: int = 10
    """How long requests under way may take after that."""


class AnnouncingServer(uvicorn.Server):
    """A server that calls back when it accepts requests, and leaves in order.

    After the first signal it says that it is not ready, then takes no connections, then waits for the requests under
    way, each within its bound. A second signal ends the process at once: what was answered is committed.
    """

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], stopping: Stopping, leave: Leave) -> None:
        super().__init__(config)
        self.ready = ready
        self.stopping = stopping
        self.leave = leave
        self._signalled_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note the first signal; at the second, end."""
        if self._signalled_at is not None:
            _end(128 + sig)
        self._signalled_at = monotonic()
        if not self.started:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Look ten times a second whether it is time to go."""
        if self._signalled_at is not None:
            if not self.stopping.begun:
                self.stopping.begin()
                log.info("Stopping: %s requests are under way", len(self.server_state.tasks))
                self._bound_the_end()
            if monotonic() >= self._signalled_at + self.leave.drain:
                self.should_exit = True
        return await super().on_tick(counter)

    def _bound_the_end(self) -> None:
        """End the process even if a thread does not end."""
        seconds = self.leave.drain + self.leave.grace + AFTERWARDS_SECONDS
        timer = threading.Timer(seconds, _give_up)
        timer.daemon = True
        timer.start()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then call back."""
        await super().startup(sockets)
        if self.started:
            self.ready()


def bind(host: str, port: int) -> socket.socket:
    """Take a port; 0 takes a free one.

    :raises SetupError: the port is taken, or the host is not one of this machine
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and number > 0 else getattr(error, "strerror", None) or str(error)
        elsewhere = isinstance(error, socket.gaierror) or number == errno.EADDRNOTAVAIL
        raise SetupError(
            f"the registry cannot listen on {host} port {port}: {reason.lower()}; "
            f"choose another with {'--host' if elsewhere else '--port'}"
        ) from error


def check_demo(host: str) -> None:
    """Refuse a demo that others could reach.

    :raises SetupError: the host is not this machine alone
    """
    if not is_loopback(host):
        raise SetupError(f"--demo asks for no token, so it listens only on this machine: 127.0.0.1, not {host}")


def address_of(listening: socket.socket, host: str) -> str:
    """Give the URL under which the socket is reached."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}"


def serve(app: FastAPI, listening: socket.socket, ready: Callable[[], None], leave: Leave) -> None:
    """Serve until SIGTERM or SIGINT; give requests under way a moment to end."""
    stopping: Stopping = app.state.stopping
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=leave.grace,
    )
    # Uvicorn puts these handlers back when it has stopped; by then the work is done, so it must not end in an error.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignore)
    _spare_the_collector()
    with listening:
        AnnouncingServer(config, ready, stopping, leave).run(sockets=[listening])


def _spare_the_collector() -> None:
    """Leave what stands for good out of the search for garbage, and search more seldom.

    A batch of events is many thousands of objects at once, none of them garbage before it is stored.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 50)


def _ignore(_number: int, _frame: object) -> None:
    """Do nothing with a signal that was obeyed already."""


def _give_up() -> NoReturn:
    log.error("A request did not end in time; the process ends without it")
    _end(1)


def _end(code: int) -> NoReturn:
    """End without waiting for any thread; the database undoes what was not committed."""
    sys.stderr.flush()
    os._exit(code)
