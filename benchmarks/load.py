"""Ask a server over HTTP/1.1 with so many clients at once, each on one connection, and time every answer."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Timing:
    """Latencies in milliseconds, and answers per second."""

    clients: int
    answers: int
    p50: float
    p99: float
    per_second: float

    def as_dict(self) -> dict[str, float]:
        """Give JSON, rounded."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def measure(url: str, paths: Sequence[str], clients: int, seconds: float) -> Timing:
    """Ask for the paths in turn, again and again, until the time is over.

    :raises RuntimeError: an answer is no 200
    """
    return asyncio.run(_measure(url, itertools.cycle(paths), clients, seconds))


def measure_first(url: str, paths: Sequence[str], seconds: float) -> Timing:
    """Ask for each path once, one after the other, until the time is over: none of them was answered before.

    :raises RuntimeError: an answer is no 200
    """
    return asyncio.run(_measure(url, iter(dict.fromkeys(paths)), 1, seconds))


async def _measure(url: str, asked: Iterator[str], clients: int, seconds: float) -> Timing:
    parts = urlsplit(url)
    end = time.perf_counter() + seconds
    begun = time.perf_counter()
    found = await asyncio.gather(
        *(_client(str(parts.hostname), int(parts.port or 80), asked, end) for _ in range(clients))
    )
    took = time.perf_counter() - begun
    latencies = sorted(itertools.chain.from_iterable(found))
    return Timing(
        clients=clients,
        answers=len(latencies),
        p50=statistics.median(latencies) * 1000,
        p99=latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))] * 1000,
        per_second=len(latencies) / took,
    )


async def _client(host: str, port: int, asked: Iterator[str], end: float) -> list[float]:
    reader, writer = await asyncio.open_connection(host, port)
    latencies: list[float] = []
    for path in asked:
        begun = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        body = await reader.readexactly(length)
        latencies.append(time.perf_counter() - begun)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{path} was answered {head.splitlines()[0]!r}: {body[:500]!r}")
        if time.perf_counter() >= end:
            break
    writer.close()
    return latencies
