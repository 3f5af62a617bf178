"""Copy a registry's SQLite database while it serves, and put a copy back. PostgreSQL has its own tools for both."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL

from festaf.registry_api.errors import SetupError

PAGES = 2_000
"""How many pages are copied before others have their turn."""
SIDE_FILES = ("-wal", "-shm")
FOR_POSTGRESQL = "PostgreSQL is kept by pg_dump and pg_restore; see docs/how-to/operate-the-registry.md"


def back_up(url: URL, file: Path, *, force: bool = False) -> int:
    """Copy the database to a file; give its size. It holds all that was acknowledged before the copy began.

    The copy is made beside the file and put in its place when it is whole.

    :raises SetupError: the file stands already, or the database is no SQLite file that can be read
    """
    source = _file_of(url)
    if not source.is_file():
        raise SetupError(f"there is no database {source}")
    _refuse_to_overwrite(file, source, force=force)
    with _beside(file) as copying:
        with _complaining(source), closing(_reader(source)) as reading, closing(sqlite3.connect(copying)) as writing:
            # One transaction: without it each write of the server would make the copy begin anew.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(writing, pages=PAGES, sleep=0)
            writing.execute("PRAGMA journal_mode=DELETE")
        _check(copying)
        _put(copying, file)
    return file.stat().st_size


def restore(url: URL, file: Path, *, force: bool = False) -> str:
    """Put a copy in the place of the database; give its schema's version. No registry may serve the database.

    :raises SetupError: a database stands there already, or the file is no whole copy of a registry
    """
    target = _file_of(url)
    if not file.is_file():
        raise SetupError(f"there is no file {file}")
    _refuse_to_overwrite(target, file, force=force)
    with _beside(target) as copying:
        with _complaining(file), closing(_reader(file)) as reading, closing(sqlite3.connect(copying)) as writing:
            reading.backup(writing)
        version = _check(copying)
        if target.is_file():
            _require_idle(target)
        for suffix in SIDE_FILES:
            Path(f"{target}{suffix}").unlink(missing_ok=True)
        _put(copying, target)
    return version


def _file_of(url: URL) -> Path:
    if url.get_backend_name() != "sqlite":
        raise SetupError(FOR_POSTGRESQL)
    return Path(str(url.database)).expanduser()


def _refuse_to_overwrite(file: Path, source: Path, *, force: bool) -> None:
    if file.exists() and file.samefile(source):
        raise SetupError(f"{file} is the same file")
    if file.exists() and not force:
        raise SetupError(f"{file} stands already; --force replaces it")
    if not file.parent.is_dir():
        raise SetupError(f"there is no folder {file.parent}")


def _reader(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file.resolve().as_uri() + "?mode=ro", uri=True, timeout=30)
    connection.isolation_level = None
    return connection


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """Give a name next to a file, and leave nothing there."""
    copying = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield copying
    finally:
        for suffix in ("", "-journal", *SIDE_FILES):
            Path(f"{copying}{suffix}").unlink(missing_ok=True)


@contextmanager
def _complaining(file: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise SetupError(f"{file} cannot be copied: {error}") from error


def _check(file: Path) -> str:
    """Read the whole copy; give the version of its schema."""
    with _complaining(file), closing(_reader(file)) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if found != ["ok"]:
            raise SetupError(f"the copy is broken: {'; '.join(found)}")
        with suppress(sqlite3.OperationalError):
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            if row:
                return str(row[0])
    raise SetupError("the file is a database, but not a registry's")


def _require_idle(file: Path) -> None:
    """Make sure that nobody has the database open for work.

    :raises SetupError: somebody has
    """
    with _complaining(file), closing(sqlite3.connect(file, timeout=1)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        try:
            # Only who is alone can leave the write-ahead log.
            mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
        except sqlite3.OperationalError:
            mode = "wal"
    if mode != "delete":
        raise SetupError(f"{file} is being served; stop the registry first")


def _put(copying: Path, file: Path) -> None:
    """Put a whole copy in its place, durably."""
    with copying.open("rb+") as opened:
        os.fsync(opened.fileno())
    copying.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
