"""Servers that a benchmark asks, each a process of its own, and the databases beneath them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PORT = 8765


def machine() -> dict[str, str | int | None]:
    """Describe the machine that a result is of."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
    }


@contextmanager
def new_database(folder: Path, *, postgresql: bool) -> Iterator[str]:
    """Give the URL of a database that ends with the benchmark: SQLite in a folder, or a PostgreSQL server."""
    if not postgresql:
        yield f"sqlite:///{folder / 'registry.db'}"
        return
    from tests.postgres import running_postgres

    with running_postgres() as url:
        yield url


def migrate(url: str) -> None:
    """Make the registry's tables."""
    subprocess.run([*_registry(), "migrate", "--database-url", url], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def serving_registry(url: str) -> Iterator[str]:
    """Serve the registry without a log of requests, and give its address."""
    command = [*_registry(), "serve", "--demo", "--log-level", "warning", "--port", str(PORT), "--database-url", url]
    with serving(command, PORT) as address:
        yield address


@contextmanager
def serving(command: Sequence[str], port: int, patience: float = 120.0) -> Iterator[str]:
    """Run a server until the end and give its address once it answers.

    :param patience: seconds to wait for the first answer
    :raises RuntimeError: it ended, or did not answer in time
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + patience
    address = f"http://127.0.0.1:{port}"
    try:
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)} does not serve")
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def _registry() -> list[str]:
    return [sys.executable, "-m", "festaf.registry_api"]


def _answers(address: str) -> bool:
    try:
        httpx.get(address, timeout=2)
    except httpx.TransportError:
        return False
    return True
