"""The database: one engine, short transactions, the same behaviour on SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from festaf.registry_api.changes import Changes, leave_change
from festaf.registry_api.errors import SetupError
from festaf.registry_api.memory import MEMORY, Memory, keep_recall
from festaf.registry_api.operations.tracing import span
from festaf.registry_api.state import SqliteWatch, State

log = logging.getLogger(__name__)
WRITING = "festaf_writing"
CONNECT_SECONDS = 5
BUSY_PAUSE = 0.02
CACHE_KIBIBYTES = 64 * 1024
"""SQLite's cache of each connection: large enough for the inner pages of the indexes of ten million rows."""
MIGRATION_LOCK = 0x666573746166
LOCK_ROOM = 0x66657374
FOR_LONG = "SET LOCAL statement_timeout = 0"
"""Lets the statements of a transaction take as long as a large table needs."""
STRIPES = 256
"""How many locks there are for names: few enough that large batches never use up what the server has room for."""


class ReadingSession(Session):
    """Reads in one transaction, which it ends by a commit.

    After a rollback psycopg forgets every statement that it has prepared, and PostgreSQL takes longer to plan most of
    ours than to run them. https://www.psycopg.org/psycopg3/docs/advanced/prepare.html
    """

    def close(self) -> None:
        """End the transaction, and give the connection back."""
        try:
            if self.in_transaction():
                self.commit()
        except SQLAlchemyError:
            log.debug("A transaction that read was not ended by a commit", exc_info=True)
        finally:
            super().close()


class Database:
    """Opens sessions; a session is one transaction."""

    def __init__(self, url: str, busy_timeout: float = 5.0) -> None:
        self.url = read_url(url)
        self.engine = _make_engine(self.url, busy_timeout)
        self._writing = self.engine.execution_options(**{WRITING: True})
        self._steady = self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._watch = SqliteWatch(self.engine)
        self._memory = Memory()
        self.changes = Changes()
        """What this process knows of what was committed."""

    @property
    def sqlite(self) -> bool:
        """Tell whether the database is a file of this machine."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that only reads."""
        with self.open() as session:
            yield session

    def open(self) -> Session:
        """Give a session that only reads, to be closed; it asks for no connection before it is used."""
        return ReadingSession(self.engine, expire_on_commit=False)

    def open_steady(self) -> Session:
        """Give a session that reads one state of the database, from its first statement to its last."""
        return ReadingSession(self.engine if self.sqlite else self._steady, expire_on_commit=False)

    def state(self) -> State | None:
        """Give the state of the database if it can be told without waiting: only SQLite's can."""
        return self._watch.state() if self.sqlite else None

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a session whose work is committed at the end, or undone by an error."""
        with Session(self._writing, expire_on_commit=False, info={MEMORY: self._memory}) as session:
            with session.begin() as transaction:
                yield session
                session.flush()
                leave_change(session)
                with span("commit"):
                    transaction.commit()
            keep_recall(session)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Open a connection for changes of the schema, alone among all who ask for one."""
        with self._writing.connect() as connection, self._rebuilding(connection), connection.begin():
            if not self.sqlite:
                _await_others(connection)
            yield connection
            if self.sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise SetupError("the schema was not changed: rows would refer to others that are not there")

    @contextmanager
    def _rebuilding(self, connection: Connection) -> Iterator[None]:
        """Let SQLite drop a table that others refer to, since it changes one by making it anew under its name."""
        if not self.sqlite:
            yield
            return
        cursor = connection.connection.cursor()
        # It has no effect inside of a transaction, so none may have begun.
        cursor.execute("PRAGMA foreign_keys=OFF")
        try:
            yield
        finally:
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.close()

    def check(self) -> None:
        """Ask the database for an answer.

        :raises sqlalchemy.exc.SQLAlchemyError: it gave none
        """
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every connection."""
        self._watch.close()
        self.engine.dispose()


def read_url(url: str) -> URL:
    """Read a database URL; ``postgresql://`` means psycopg 3.

    :raises SetupError: it is no URL of SQLite or PostgreSQL
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise SetupError(f"the database URL cannot be read; write it as {_EXAMPLES}") from error
    backend = parsed.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise SetupError(f"the registry stands on SQLite or PostgreSQL, not on {backend}; write {_EXAMPLES}")
    if parsed.database in {None, "", ":memory:"}:
        raise SetupError("the registry's SQLite database must be a file; write sqlite:////path/to/registry.db")
    return parsed


def _await_others(connection: Connection) -> None:
    """Wait until nobody changes PostgreSQL's schema, however long that takes; statements may then take long, too.

    Only for another migration: a table that others use is waited for no longer than usual, for they wait behind it.
    """
    connection.execute(text(FOR_LONG))
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": MIGRATION_LOCK})
    connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))


def lock(session: Session, names: Iterable[str], room: int = 0) -> None:
    """Let no other transaction work on the named things until this one ends.

    On SQLite a writing transaction, which begins here at the latest, is alone anyway. On PostgreSQL the locks are
    taken in one order, so that two transactions never wait for each other: one call names all that is needed, or a
    later call goes to a higher room.
    """
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return
    numbers = {int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % STRIPES for name in names}
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:room, number) FROM unnest(CAST(:numbers AS integer[])) AS number"),
        {"room": LOCK_ROOM + room, "numbers": sorted(numbers)},
    )


def lock_all(session: Session) -> None:
    """Let no other transaction work on anything that ``lock`` names until this one ends, however long it takes."""
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return
    connection.execute(text(FOR_LONG))
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:room, number) FROM generate_series(0, :last) AS number"),
        {"room": LOCK_ROOM, "last": STRIPES - 1},
    )


def describe_failure(url: URL, error: SQLAlchemyError) -> str:
    """Say in one sentence, without the password, why the database did not answer."""
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()
    reason = cause[0] if cause else type(error).__name__
    return f"the database {url.render_as_string(hide_password=True)} cannot be reached: {reason}"


_SEEKING = "-c random_page_cost=1.1 -c jit=off"
"""What is asked most is in memory or on flash, and a few rows of large tables: they are sought by index."""
_EXAMPLES = "sqlite:////path/to/registry.db or postgresql://user:password@host/name"


def _make_engine(url: URL, busy_timeout: float) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url, connect_args={"timeout": busy_timeout, "check_same_thread": False}, json_serializer=_json
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    milliseconds = int(busy_timeout * 1000)
    return create_engine(
        url,
        pool_pre_ping=True,
        # The connection that was used last has prepared what is asked most.
        pool_use_lifo=True,
        json_serializer=_json,
        pool_size=10,
        pool_timeout=busy_timeout,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "options": f"-c lock_timeout={milliseconds} -c statement_timeout=30000 -c timezone=UTC {_SEEKING}",
        },
    )


def _json(value: Any) -> str:
    """Write JSON for a column, its keys in order: stored events are written so, and a rebuild reads them."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # A number of more than 64 bits, or half of a surrogate pair.
        return json.dumps(value, sort_keys=True)


def make_folder(url: URL) -> None:
    """Make the folder of an SQLite file.

    :raises SetupError: it cannot be made
    """
    folder = Path(str(url.database)).expanduser().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"the folder {folder} for the registry's database cannot be made: {error.strerror}") from error


def _prepare_sqlite(connection: SqliteConnection, _record: Any) -> None:
    # The driver's own transactions would begin too late to wait for a lock; SQLAlchemy's events begin them.
    connection.isolation_level = None
    _use_wal(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON", f"cache_size=-{CACHE_KIBIBYTES}"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: SqliteConnection) -> None:
    """Let a new file be written ahead; SQLite does not wait for another connection that is about to do the same."""
    latest = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > latest:
                raise
            time.sleep(BUSY_PAUSE)


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer fails at once when another writes; a writer that says so at its start waits.
    mode = "IMMEDIATE" if connection.get_execution_options().get(WRITING) else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {mode}")
