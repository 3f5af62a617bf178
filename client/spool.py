"""A folder of events that wait for the registry: one file each, written durably, safe with many processes at once.

    pending/<nanoseconds>-<pid>-<random>.json    what the registry has not yet accepted, in the order of their names
    rejected/<same name>                         what it will never accept; the reason is in <same name>.reason
    staging/                                     files that are being written
    flush.lock                                   held by the one process that sends older events

A file appears in ``pending`` complete or not at all: it is written in ``staging``, synced and renamed. It is removed
only after the registry said yes. The folder is readable by its owner alone, since events carry source code.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import secrets
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from festaf.client.errors import SpoolFullError, SpoolUnwritableError

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

MAX_EVENTS = 10_000
MAX_BYTES = 256 * 1024 * 1024
STAGING_SECONDS = 3600
_NAME = re.compile(r"\d{20}-\d+-[0-9a-f]{8}\.json")

_locks_held: set[int] = set()
"""File descriptors of locks that this process holds."""


def _leave_parents_locks() -> None:
    """Close the copies that a forked child has of its parent's locks, so that the child cannot prolong them."""
    for descriptor in _locks_held:
        with suppress(OSError):
            os.close(descriptor)
    _locks_held.clear()


os.register_at_fork(after_in_child=_leave_parents_locks)


@dataclass(frozen=True)
class SpoolStatus:
    """What the folder holds; ages in seconds, sizes in bytes."""

    pending: int
    pending_bytes: int
    oldest_age: float | None
    rejected: int


class Spool:
    """The folder; made when the first event comes."""

    def __init__(self, folder: Path | str, *, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self.folder = Path(folder)
        self.max_events = max_events
        self.max_bytes = max_bytes

    @property
    def pending(self) -> Path:
        """Where events wait."""
        return self.folder / "pending"

    @property
    def rejected(self) -> Path:
        """Where refused events are kept."""
        return self.folder / "rejected"

    def append(self, body: bytes, *, durable: bool = True) -> str:
        """Keep an event and give the name under which it waits.

        :param durable: wait until the disk has it, so that it outlives the machine's fall and not only the process's
        :raises SpoolFullError: the bound in count or bytes is reached
        :raises SpoolUnwritableError: the folder or the disk does not take it
        """
        count, size = self._measure()
        if count >= self.max_events or size + len(body) > self.max_bytes:
            raise SpoolFullError(
                f"The spool {self.folder} is full: {count} events, {size} bytes wait for the registry "
                f"(at most {self.max_events} events, {self.max_bytes} bytes)"
            )
        name = _fresh_name()
        try:
            self._write(body, name, durable)
        except OSError as error:
            raise SpoolUnwritableError(f"The spool {self.folder} cannot be written: {error}") from error
        return name

    def names(self, *, min_age: float = 0.0) -> list[str]:
        """List what waits, oldest first; files that are not the spool's own are passed over.

        :param min_age: pass over events younger than this, in seconds: whoever made them is sending them
        """
        newest = time.time_ns() - int(min_age * 1e9)
        return [name for name in _names(self.pending) if int(name[:20]) <= newest]

    def read(self, name: str) -> bytes | None:
        """Read a waiting event; None when it cannot be sent: taken by another process, unreadable, or torn."""
        try:
            body = (self.pending / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("The event %s cannot be read and is passed over: %s", self.pending / name, error)
            return None
        try:
            whole = isinstance(json.loads(body), dict)
        except ValueError:
            whole = False
        if not whole:
            self.reject(name, "The file is torn: it holds no JSON object")
            return None
        return body

    def remove(self, name: str) -> None:
        """Forget an event that the registry accepted."""
        (self.pending / name).unlink(missing_ok=True)

    def reject(self, name: str, reason: str) -> None:
        """Put an event aside that the registry will never accept, with the reason beside it."""
        log.error("The registry will not accept the event %s, which is kept in %s: %s", name, self.rejected, reason)
        self.rejected.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.rejected / f"{name}.reason").write_text(reason + "\n", encoding="utf-8")
        with suppress(FileNotFoundError):
            (self.pending / name).rename(self.rejected / name)

    def restore(self) -> int:
        """Let what was rejected wait again, such as after the registry learned to read it, and count it."""
        names = _names(self.rejected)
        for name in names:
            (self.rejected / name).rename(self.pending / name)
            (self.rejected / f"{name}.reason").unlink(missing_ok=True)
        return len(names)

    def postpone(self, name: str) -> None:
        """Put an event behind all others, so that one which the registry stumbles over does not stop the rest."""
        with suppress(FileNotFoundError):
            (self.pending / name).rename(self.pending / _fresh_name())

    @contextmanager
    def flusher(self) -> Iterator[bool]:
        """Be the one process that sends older events; get False at once when another is, or nobody can be.

        The lock belongs to the open file: it ends with the process that holds it, however that ends.
        """
        descriptor = self._open_lock()
        if descriptor is None:
            yield False
            return
        _locks_held.add(descriptor)
        held = False
        try:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = True
            yield held
        finally:
            if descriptor in _locks_held:
                _locks_held.discard(descriptor)
                if held:
                    # A child forked meanwhile may still have a copy of the descriptor: closing would not be enough.
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
                os.close(descriptor)

    def tidy(self) -> None:
        """Remove what processes that died while writing left in ``staging``."""
        with suppress(FileNotFoundError):
            for path in (self.folder / "staging").iterdir():
                with suppress(OSError):
                    if time.time() - path.stat().st_mtime > STAGING_SECONDS:
                        path.unlink()

    def status(self) -> SpoolStatus:
        """Say what waits and what was rejected."""
        names = self.names()
        count, size = self._measure()
        oldest = time.time() - int(names[0][:20]) / 1e9 if names else None
        return SpoolStatus(count, size, oldest, len(_names(self.rejected)))

    def _measure(self) -> tuple[int, int]:
        count = size = 0
        try:
            with os.scandir(self.pending) as entries:
                for entry in entries:
                    if _NAME.fullmatch(entry.name):
                        count += 1
                        with suppress(OSError):
                            size += entry.stat().st_size
        except OSError:
            return 0, 0
        return count, size

    def _open_lock(self) -> int | None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self.folder / "flush.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            log.warning("The spool %s cannot be used: %s", self.folder, error)
            return None

    def _write(self, body: bytes, name: str, durable: bool) -> None:
        staging = self.folder / "staging"
        for folder in (self.folder, staging, self.pending):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = staging / name
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            draft.rename(self.pending / name)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        if durable:
            _sync_folder(self.pending)


def _fresh_name() -> str:
    return f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}.json"


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if _NAME.fullmatch(entry.name))
    except FileNotFoundError:
        return []


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
