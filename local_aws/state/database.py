"""SQLite files of a state directory: they hold what was acknowledged, also when the process is killed.

A commit hands everything to the operating system before it returns, so the end of the process loses nothing. The
disk is not waited for: a power failure may lose the last seconds, which for a server on a laptop is the right price.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class StateError(Exception):
    """The state directory cannot be used; the message is one sentence for the user."""


def open_database(file: Path, tables: str) -> sqlite3.Connection:
    """Open or make a database that this process alone uses; the caller keeps its threads apart.

    :raises StateError: the file cannot be opened, is none of ours, or another process uses it
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(file, timeout=0.5, isolation_level=None, check_same_thread=False)
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=OFF"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(f"BEGIN IMMEDIATE; {tables} COMMIT;")
    except sqlite3.OperationalError as problem:
        if "locked" in str(problem):
            raise StateError(f"The state directory {file.parent} is in use by another local AWS.") from problem
        raise StateError(f"The state file {file} cannot be used: {problem}.") from problem
    except (OSError, sqlite3.DatabaseError) as problem:
        raise StateError(f"The state file {file} cannot be used: {problem}.") from problem
    return connection
