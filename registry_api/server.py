"""Serve the registry on one port until a signal, and say when it accepts requests."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from festaf.registry_api.edge import is_loopback
from festaf.registry_api.errors import SetupError

STOP_SECONDS = 3
"""How long requests under way may take at the end."""


class AnnouncingServer(uvicorn.Server):
    """A server that calls back when it accepts requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

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
        raise SetupError(
            f"the registry cannot listen on {host} port {port}: {reason.lower()}; choose another with --port"
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


def serve(app: FastAPI, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; give requests under way a moment to end."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    # Uvicorn hands the signal on when it has stopped; by then the work is done, so it must not end in an error.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignore)
    with listening:
        AnnouncingServer(config, ready).run(sockets=[listening])


def _ignore(_number: int, _frame: object) -> None:
    """Do nothing with a signal that was obeyed already."""
