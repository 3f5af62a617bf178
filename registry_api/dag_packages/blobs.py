"""Where archives are kept: by their hash, so that what is read is what was written, or shows that it is not."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import URL

from festaf.registry_api.errors import SetupError, StoreAwayError

log = logging.getLogger(__name__)
PIECE = 256 * 1024
SECONDS_BEFORE_LOST = 3_600.0
"""How old a blob must be that no version names before it counts as left behind: its version may be about to come."""


class BlobStore(Protocol):
    """Keeps bytes under their SHA-256.

    Whatever asks a store may meet a ``StoreFaultError`` or a ``StoreAwayError``.
    """

    def put(self, digest: str, data: bytes) -> None:
        """Keep bytes, durably; the same again changes nothing."""

    def read(self, digest: str) -> bytes | None:
        """Give bytes; None when they are not there or are not those of the hash any more."""

    def has(self, digest: str) -> bool:
        """Tell whether bytes are there."""

    def stream(self, digest: str) -> Iterator[bytes] | None:
        """Give bytes in pieces, the first one when all are checked; None as ``read`` does."""

    def remove(self, digest: str) -> None:
        """Forget bytes; what is not there is forgotten already."""

    def old(self, seconds: float) -> Iterator[str]:
        """Name the hashes of what was put longer than some seconds ago."""

    def check(self) -> None:
        """Make sure that the store can be asked."""

    def failing(self) -> bool:
        """Tell at once whether what was last asked of the store failed."""


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
            if is_whole(digest, hashlib.sha256(data).hexdigest()):
                return data
        return None

    def has(self, digest: str) -> bool:
        """Look for a blob's file."""
        return self._path(digest).is_file()

    def stream(self, digest: str) -> Iterator[bytes] | None:
        """Open a blob's file, check it, and give it in pieces."""
        try:
            file = self._path(digest).open("rb")
        except FileNotFoundError:
            return None
        if not is_whole(digest, hashlib.file_digest(file, "sha256").hexdigest()):
            file.close()
            return None
        file.seek(0)
        return pieces(file)

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

    def check(self) -> None:
        """Ask nothing: a folder is made when the first blob comes."""

    def failing(self) -> bool:
        """Say no: a disk that fails is seen by those who watch the machine."""
        return False

    def _path(self, digest: str) -> Path:
        return self.folder / key_of(digest)


def open_blobs(place: str | None, database: URL) -> BlobStore:
    """Open the store at a place: a folder, or ``s3://bucket/prefix``; by default a folder beside the SQLite file.

    :raises SetupError: it is no place
    """
    if place is None:
        return DiskBlobs(_beside(database))
    if place.startswith("s3://"):
        try:
            from festaf.registry_api.dag_packages.s3_blobs import open_s3
        except ImportError as error:
            raise SetupError("archives in S3 need the package obstore: pip install 'festaf[registry,s3]'") from error
        return open_s3(place, os.environ)
    if "://" in place:
        raise SetupError(f"archives are kept in a folder or under s3://bucket/prefix, not in {place.split(':')[0]!r}")
    return DiskBlobs(Path(place).expanduser())


def require_usable(blobs: BlobStore) -> None:
    """Look at a store before it is needed; one that is only away may come back, and keeps nobody from starting.

    :raises StoreFaultError: it cannot be used as it is set up
    """
    try:
        blobs.check()
    except StoreAwayError as error:
        log.warning("The registry starts without its archives: %s", error.detail)


def key_of(digest: str) -> str:
    """Name a blob's place in a store: the same in each, so that a store is moved by copying it."""
    return f"{digest[:2]}/{digest}"


def is_whole(digest: str, found: str) -> bool:
    """Tell whether bytes are those of the hash; if not, say it to whoever watches the log."""
    if found != digest:
        log.error("The archive %s was changed in its store: its SHA-256 is %s", digest, found)
    return found == digest


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Give a file in pieces, and close it."""
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
