"""The work folder of an ingest: journals that outlive the task, on this machine or in S3."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.provider.hooks.feature_store import FeatureStoreHook

FLUSH_SECONDS = 5.0
KEEP_SECONDS = 30 * 86400


class WorkFolder(Protocol):
    """Where one ingest keeps what must outlive its process."""

    def lines(self) -> Iterator[bytes]:
        """Read the journal's lines, whole or torn, in no certain order."""
        ...

    def append(self, line: bytes) -> None:
        """Add a line to the journal."""
        ...

    def close(self) -> None:
        """Make sure that every line is kept."""
        ...

    def replace(self, name: str, content: Path | None) -> str | None:
        """Keep a file under a name in place of an older one, and give its URI; None removes the older one."""
        ...


class LocalFolder:
    """A folder of this machine; a line is kept as soon as it is appended, also when the process is killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        _forget_old(folder.parent)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._journal = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise InputError(f"work_dir cannot be used, {folder} cannot be written: {error.strerror}") from error
        if not _ends_with_newline(folder / "journal"):
            os.write(self._journal, b"\n")

    def lines(self) -> Iterator[bytes]:
        """Read the journal's lines."""
        with (self._folder / "journal").open("rb") as journal:
            yield from journal

    def append(self, line: bytes) -> None:
        """Add a line to the journal."""
        os.write(self._journal, line + b"\n")

    def close(self) -> None:
        """Bring the journal to the disk."""
        os.fsync(self._journal)
        os.close(self._journal)

    def replace(self, name: str, content: Path | None) -> str | None:
        """Keep a file under a name."""
        kept = self._folder / name
        if content is None:
            kept.unlink(missing_ok=True)
            return None
        shutil.move(content, kept)
        return kept.as_uri()


class S3Folder:
    """A folder in S3; lines are kept every few seconds, each time as an object of its own."""

    def __init__(self, hook: FeatureStoreHook, bucket: str, prefix: str) -> None:
        self._hook = hook
        self._bucket = bucket
        self._prefix = prefix
        self._pending: list[bytes] = []
        self._flushed = time.monotonic()

    def lines(self) -> Iterator[bytes]:
        """Read the journal's lines."""
        asked = {"Bucket": self._bucket, "Prefix": f"{self._prefix}/journal/"}
        while True:
            page = self._hook.call_or_none("s3", "list_objects_v2", **asked)
            if page is None:
                raise InputError(f"work_dir cannot be used: there is no bucket {self._bucket}")
            for item in page.get("Contents", ()):
                answer = self._hook.call("s3", "get_object", Bucket=self._bucket, Key=item["Key"])
                yield from answer["Body"].read().splitlines(keepends=True)
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def append(self, line: bytes) -> None:
        """Add a line to the journal."""
        self._pending.append(line + b"\n")
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self._flush()

    def close(self) -> None:
        """Write the lines that are not kept yet."""
        self._flush()

    def replace(self, name: str, content: Path | None) -> str | None:
        """Keep a file under a name."""
        key = f"{self._prefix}/{name}"
        if content is None:
            self._hook.call("s3", "delete_object", Bucket=self._bucket, Key=key)
            return None
        with content.open("rb") as body:
            self._hook.call("s3", "put_object", Bucket=self._bucket, Key=key, Body=body)
        content.unlink()
        return f"s3://{self._bucket}/{key}"

    def _flush(self) -> None:
        if self._pending:
            key = f"{self._prefix}/journal/{time.time_ns()}-{uuid.uuid4().hex}"
            self._hook.call("s3", "put_object", Bucket=self._bucket, Key=key, Body=b"".join(self._pending))
            self._pending.clear()
        self._flushed = time.monotonic()


def open_work_folder(work_dir: str | None, name: str, hook: FeatureStoreHook) -> WorkFolder:
    """Open the folder of one ingest.

    :param work_dir: a path, ``file://`` or ``s3://``; None is ``festaf/ingest`` in Airflow's home
    :param name: name of the ingest, the same for the same rows into the same feature set
    :raises InputError: the folder cannot be used
    """
    if work_dir is None:
        home = os.environ.get("AIRFLOW_HOME", "~/airflow")
        return LocalFolder(Path(home).expanduser() / "festaf" / "ingest" / name)
    parts = urlsplit(work_dir)
    if parts.scheme == "s3":
        prefix = parts.path.strip("/")
        return S3Folder(hook, parts.netloc, f"{prefix}/{name}" if prefix else name)
    if parts.scheme in {"", "file"}:
        return LocalFolder(Path(parts.path).expanduser() / name)
    raise InputError(f"work_dir {work_dir} cannot be used: give a path, file:// or s3://")


def spool() -> Path:
    """Make an empty file for what is not kept under its name yet."""
    handle, path = tempfile.mkstemp(prefix="festaf-")
    os.close(handle)
    return Path(path)


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as journal:
        if journal.seek(0, os.SEEK_END) == 0:
            return True
        journal.seek(-1, os.SEEK_END)
        return journal.read(1) == b"\n"


def _forget_old(folder: Path) -> None:
    """Remove the folders of ingests that nothing touched for a month."""
    if not folder.is_dir():
        return
    for old in folder.iterdir():
        journal = old / "journal"
        if journal.is_file() and time.time() - journal.stat().st_mtime > KEEP_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
