"""Tell which state of the database one reads: two that are called alike hold the same rows.

Neither way costs a writer anything, and neither depends on what a writer remembers to say.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import cast

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

State = int | str
_SNAPSHOT = text(
    "SELECT CASE WHEN NOT pg_is_in_recovery() THEN"
    " CAST(pg_postmaster_start_time() AS text) || ' ' || CAST(pg_current_snapshot() AS text) END"
)


class SqliteWatch:
    """Says at once whether anything was committed to an SQLite file, by whichever process.

    The number is of this one connection, which never writes: SQLite changes it at the commit of any other.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._connection: sqlite3.Connection | None = None
        self._turn = threading.Lock()

    def state(self) -> State | None:
        """Give the state that a transaction reads which begins now; None when the file cannot be asked at once."""
        with self._turn:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                return int(self._connection.execute("PRAGMA data_version").fetchall()[0][0])
            except (sqlite3.Error, SQLAlchemyError):
                return None

    def _connect(self) -> sqlite3.Connection:
        """Take a connection out of the pool; it does not wait for a lock, since the event loop asks."""
        pooled = self.engine.raw_connection()
        connection = cast("sqlite3.Connection", pooled.driver_connection)
        pooled.detach()
        connection.execute("PRAGMA busy_timeout=0")
        return connection

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def snapshot(session: Session) -> State | None:
    """Give the state that a transaction of PostgreSQL reads from here to its end; None on a standby.

    A snapshot is named by the transactions that it sees ended. A standby's name leaves those out that still run there.
    """
    found: str | None = session.connection().execute(_SNAPSHOT).scalar_one()
    return found


def oldest_running(state: str) -> int:
    """Read out of the name of a snapshot the number of the oldest transaction that had not ended."""
    return int(state.rsplit(" ", 1)[1].split(":", 1)[0])
