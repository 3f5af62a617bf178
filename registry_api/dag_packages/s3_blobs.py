"""Archives in S3, or in whatever speaks its protocol: one object each, under the same names as on a disk.

An archive is sent by one PutObject with its checksum, never in parts: S3 shows it whole or not at all, and an upload
that breaks off leaves nothing that somebody would have to sweep.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from festaf.registry_api.dag_packages.blobs import PIECE, is_whole, key_of, pieces
from festaf.registry_api.dag_packages.last_answer import LastAnswer
from festaf.registry_api.dag_packages.s3_faults import fault_of, is_missing_bucket, told
from festaf.registry_api.errors import SetupError

if TYPE_CHECKING:
    from obstore.store import ClientConfig

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIX = re.compile(r"(?:[\w.=-]+/)*[\w.=-]+|")
KEY = re.compile(r"[0-9a-f]{2}/([0-9a-f]{64})")
NOBODYS = "incoming/nothing"
"""A name that no archive has: S3 says that it is not there only to those who may read and list."""
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
CONNECTING = timedelta(seconds=3)
IN_MEMORY = 1024 * 1024
"""A larger archive waits on the disk until it is checked."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long S3 is waited for: no repetition begins later."""

    whole: timedelta = timedelta(seconds=25)
    """For a request that carries an archive."""
    small: timedelta = timedelta(seconds=3)
    """For one that carries none: some are made while others wait for a lock of the database."""
    pause: timedelta = timedelta(milliseconds=100)
    """Before the first repetition; twice as long before each other."""
    known: float = 15.0
    """How many seconds a failure is told without looking again."""


PATIENCE = Patience()


class S3Blobs:
    """Keeps blobs in a bucket: ``ab/abcdef...`` below a prefix.

    :raises SetupError: the environment says something that cannot be used
    """

    def __init__(self, bucket: str, prefix: str, environment: Mapping[str, str], patience: Patience = PATIENCE) -> None:
        self.bucket = bucket
        self._large = _store(bucket, prefix, environment, patience.whole, patience.pause)
        self._small = _store(bucket, prefix, environment, patience.small, patience.pause)
        self._last = LastAnswer(self.check, patience.known)

    def put(self, digest: str, data: bytes) -> None:
        """Write an object in one request; the same again makes it younger, and whole if it was changed."""
        with self._asking(absent=False):
            obstore.put(self._large, key_of(digest), data, use_multipart=False)

    def read(self, digest: str) -> bytes | None:
        """Read an object and check it."""
        with suppress(FileNotFoundError), self._asking():
            data = obstore.get(self._large, key_of(digest)).bytes().to_bytes()
            if is_whole(digest, hashlib.sha256(data).hexdigest()):
                return data
        return None

    def has(self, digest: str) -> bool:
        """Look for an object."""
        with suppress(FileNotFoundError), self._asking():
            obstore.head(self._small, key_of(digest))
            return True
        return False

    def stream(self, digest: str) -> Iterator[bytes] | None:
        """Fetch an object, check it, and give it in pieces: how slowly they are taken is nothing to S3."""
        with ExitStack() as closing, suppress(FileNotFoundError), self._asking():
            file = closing.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY))
            hashing = hashlib.sha256()
            for piece in obstore.get(self._large, key_of(digest)).stream(min_chunk_size=PIECE):
                hashing.update(piece)
                file.write(piece)
            if is_whole(digest, hashing.hexdigest()):
                file.seek(0)
                closing.pop_all()
                return pieces(file)
        return None

    def remove(self, digest: str) -> None:
        """Remove an object."""
        with suppress(FileNotFoundError), self._asking():
            obstore.delete(self._small, key_of(digest))

    def old(self, seconds: float) -> Iterator[str]:
        """List the objects; what is not named like an archive is somebody else's."""
        before = datetime.now(UTC) - timedelta(seconds=seconds)
        with self._asking():
            for page in obstore.list(self._large):
                for item in page:
                    named = KEY.fullmatch(item["path"])
                    if named and item["last_modified"] < before:
                        yield named[1]

    def check(self) -> None:
        """Ask for what is not there: it takes credentials, the bucket, and the rights to read and to list."""
        with suppress(FileNotFoundError), self._asking():
            obstore.get(self._small, NOBODYS)

    def failing(self) -> bool:
        """Tell how the last request ended."""
        return self._last.failing()

    @contextmanager
    def _asking(self, *, absent: bool = True) -> Iterator[None]:
        """Name what goes wrong, and remember whether it did.

        :param absent: that an object is not there is an answer, and passed on
        """
        try:
            yield
        except (BaseError, OSError) as error:
            answered = absent and isinstance(error, FileNotFoundError) and not is_missing_bucket(error)
            self._last.note(failed=not answered)
            if answered:
                raise
            fault = fault_of(error, self.bucket)
            log.warning("%s: %s", fault.detail, told(error))
            raise fault from error
        self._last.note(failed=False)


def open_s3(place: str, environment: Mapping[str, str]) -> S3Blobs:
    """Open the store at ``s3://bucket/prefix``.

    :raises SetupError: it is no place, or the environment says something that cannot be used
    """
    parts = urlsplit(place)
    prefix = parts.path.strip("/")
    names = prefix.split("/")
    plain = not (parts.query or parts.fragment) and BUCKET.fullmatch(parts.netloc) and PREFIX.fullmatch(prefix)
    if not plain or {".", ".."} & set(names):
        raise SetupError("archives in S3 are kept under s3://bucket/prefix; FESTAF_REGISTRY_BLOBS says something else")
    return S3Blobs(parts.netloc, prefix, environment)


def _store(bucket: str, prefix: str, environment: Mapping[str, str], patience: timedelta, pause: timedelta) -> S3Store:
    """Open a bucket; obstore itself reads credentials, region and endpoint from where AWS's tools do."""
    try:
        return S3Store(
            bucket,
            prefix=prefix or None,
            # An object's checksum is compared by S3 before it shows it, and is what buckets with Object Lock ask for.
            config={"checksum_algorithm": "SHA256", "disable_bulk_delete": True},
            client_options=_client_options(environment, patience),
            retry_config={
                "max_retries": 3,
                "retry_timeout": patience,
                "backoff": {"init_backoff": pause, "max_backoff": patience / 3, "base": 2},
            },
        )
    except (BaseError, ValueError) as error:
        raise SetupError(f"the settings of S3 cannot be used: {told(error)}") from error


def _client_options(environment: Mapping[str, str], patience: timedelta) -> ClientConfig:
    options: ClientConfig = {
        "timeout": patience,
        "connect_timeout": min(patience, CONNECTING),
        "allow_http": any(environment.get(name, "").startswith("http://") for name in ENDPOINTS),
    }
    if bundle := environment.get("AWS_CA_BUNDLE"):
        try:
            options["root_certificate"] = Path(bundle).read_bytes()
        except OSError as error:
            raise SetupError(f"AWS_CA_BUNDLE names a file that cannot be read: {error}") from error
    return options
