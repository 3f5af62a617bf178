"""Where archives are kept: by their hash, so that what is read is what was written, or shows that it is not."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from sqlalchemy import URL

from festaf.registry_api.errors import SetupError

PIECE = 256 * 1024
SECONDS_BEFORE_LOST = 3_600.0
"""How old a blob must be that no version names before it counts as left behind: its version may be about to come."""


class BlobStore(Protocol):
    """Keeps bytes under their SHA-256."""

    def put(self, digest: str, data: bytes) -> None:
        """Keep bytes, durably; the same again changes nothing."""

    def read(self, digest: str) -> bytes | None:
        """Give bytes; None when they are not there or are not those of the hash any more."""

    def has(self, digest: str) -> bool:
        """Tell whether bytes are there."""

    def stream(self, digest: str) -> Iterator[bytes] | None:
        """Give bytes in pieces, unchecked; None when they are not there."""

    def remove(self, digest: str) -> None:
        """Forget bytes; what is not there is forgotten already."""

    def old(self, seconds: float) -> Iterator[str]:
        """Name the hashes of what was put longer than some seconds ago."""


class DiskBlobs:
    """Keeps blobs in a folder: ``ab/abcdef...`` below it, and what is being written in ``incoming``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, digest: str, data: bytes) -> None:
        """Write beside, make it durable, and rename: a blob that is there is whole."""
        target = self._path(digest)
        if self.read(digest) is not None:
            target.touch()
            return
        incoming = self.folder / "incoming"
        incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=incoming)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
            with _opened(target.parent) as folder:
                os.fsync(folder)
        finally:
            Path(name).unlink(missing_ok=True)

    def read(self, digest: str) -> bytes | None:
        """Read a blob and check it."""
        with suppress(FileNotFoundError):
            data = self._path(digest).read_bytes()
            if hashlib.sha256(data).hexdigest() == digest:
                return data
        return None

    def has(self, digest: str) -> bool:
        """Look for a blob's file."""
        return self._path(digest).is_file()

    def stream(self, digest: str) -> Iterator[bytes] | None:
        """Open a blob's file, and give it in pieces."""
        try:
            file = self._path(digest).open("rb")
        except FileNotFoundError:
            return None
        return _pieces(file)

    def remove(self, digest: str) -> None:
        """Remove a blob's file."""
        self._path(digest).unlink(missing_ok=True)

    def old(self, seconds: float) -> Iterator[str]:
        """Look at the age of each file; what was left half written is removed on the way."""
        before = time.time() - seconds
        for path in self.folder.glob("incoming/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
        for path in self.folder.glob("??/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    yield path.name

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest


def open_blobs(place: str | None, database: URL) -> BlobStore:
    """Open the store at a place: a folder; by default one beside the SQLite file.

    :raises SetupError: it is no place
    """
    if place is None:
        return DiskBlobs(_beside(database))
    if "://" in place:
        raise SetupError(f"archives are kept in a folder, not in {place!r}")
    return DiskBlobs(Path(place).expanduser())


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _beside(database: URL) -> Path:
    if database.get_backend_name() == "sqlite":
        file = Path(str(database.database)).expanduser()
        return file.with_name(f"{file.name}.packages")
    folder = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return folder / "festaf" / "packages"


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
