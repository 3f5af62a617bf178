"""The open connections, so that a fault can cut one as a broken network does.

ASGI has no way to do this. asyncio's protocol classes do: a connection is told its transport when it is made.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

if TYPE_CHECKING:
    import asyncio

_NO_LINGER = struct.pack("ii", 1, 0)

_Peer = tuple[str, int]


class Connections:
    """Knows the transport of every peer."""

    def __init__(self) -> None:
        self._transports: dict[_Peer, asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """Make the protocol class that tells this object of its connections."""
        transports = self._transports

        class WatchedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type] # chosen by what is installed
            def connection_made(self, transport: Any) -> None:
                self.festaf_peer = _peer(transport)
                if self.festaf_peer:
                    transports[self.festaf_peer] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                if self.festaf_peer:
                    transports.pop(self.festaf_peer, None)
                super().connection_lost(exc)

        return WatchedProtocol

    def cut(self, peer: Any) -> None:
        """Cut the connection of a peer: it gets a reset, not an end.

        :param peer: ``scope["client"]`` of ASGI
        """
        transport = self._transports.get(tuple(peer or ()))
        if transport is None:
            return
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()


def _peer(transport: asyncio.Transport) -> _Peer | None:
    name = transport.get_extra_info("peername")
    return (str(name[0]), int(name[1])) if name else None
