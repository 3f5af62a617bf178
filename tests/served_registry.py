"""A registry as it runs in production: a process of its own, on real HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from festaf.provider.demo.place import Ports
from festaf.provider.demo.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = os.environ.get("REGISTRY_PYTHON", sys.executable)
"""The registry does not fit beside the oldest Airflow; there it runs in an environment of its own, as in production."""
COMMAND = [PYTHON, "-m", "festaf.registry_api"]
SECONDS = 120.0


@dataclass(frozen=True)
class ServedRegistry:
    """Where it answers, and what it stores in."""

    url: str
    database: Path

    def get(self, path: str, token: str | None = None, **query: Any) -> Any:
        """Ask, and give the answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = httpx.get(f"{self.url}/api/v1{path}", params=query, headers=headers, trust_env=False, timeout=SECONDS)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def token(self, *scopes: str) -> str:
        """Make a token."""
        words = [word for scope in scopes for word in ("--scope", scope)]
        found: str = json.loads(_run(self.database, "token", "create", "sender", *words, "--json"))["token"]
        return found


@contextmanager
def served_registry(folder: Path, *, demo: bool = False) -> Iterator[ServedRegistry]:
    """Serve a new registry on SQLite until the end of the block.

    :param demo: whether it asks for no token
    """
    database, port = folder / "registry.db", Ports.free().registry
    folder.mkdir(parents=True, exist_ok=True)
    database.write_bytes(_migrated())
    url = f"http://127.0.0.1:{port}"
    words = ["serve", "--port", str(port), "--database-url", _url(database), *(["--demo"] if demo else [])]
    process = Process("registry", [*COMMAND, *words], folder / "registry.log", os.environ, f"{url}/ready")
    process.start()
    try:
        process.wait_ready(seconds=SECONDS)
        yield ServedRegistry(url, database)
    finally:
        process.stop(seconds=5)


@cache
def _migrated() -> bytes:
    """Make a database with the schema once for each process of tests."""
    with tempfile.TemporaryDirectory(prefix="festaf-schema-") as folder:
        database = Path(folder) / "registry.db"
        _run(database, "migrate")
        return database.read_bytes()


def _run(database: Path, *words: str) -> str:
    done = subprocess.run(
        [*COMMAND, *words, "--database-url", _url(database)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _url(database: Path) -> str:
    return f"sqlite:///{database}"
