"""The files of a source, local or in S3, each pinned to the version that was found."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from festaf.provider.errors import InputError
from festaf.provider.hooks.aws_error import code_of, sorted_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from festaf.provider.hooks.feature_store import FeatureStoreHook

READ_AHEAD = 4 << 20
"""Bytes that one request to S3 asks for at least."""


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine."""

    path: Path
    size: int
    version: str

    @property
    def uri(self) -> str:
        """Give the file's URI."""
        return self.path.as_uri()

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return self.path.open("rb")


@dataclass(frozen=True)
class S3File:
    """An object in S3; reading it fails when it was replaced since it was found."""

    hook: FeatureStoreHook
    bucket: str
    key: str
    size: int
    version: str

    @property
    def uri(self) -> str:
        """Give the object's URI."""
        return f"s3://{self.bucket}/{self.key}"

    def open(self) -> BinaryIO:
        """Open the object for reading; it is fetched piece by piece as it is read."""
        return cast("BinaryIO", io.BufferedReader(_ObjectReader(self), READ_AHEAD))


SourceFile = LocalFile | S3File


class _ObjectReader(io.RawIOBase):
    """Read an object by ranges, all of one version."""

    def __init__(self, file: S3File) -> None:
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        end = min(self._position + len(view), self._file.size)
        if end <= self._position:
            return 0
        data = self._fetch(self._position, end)
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _fetch(self, start: int, end: int) -> bytes:
        file = self._file
        with sorted_errors("GetObject", file.hook.aws_conn_id):
            try:
                answer = file.hook.client("s3").get_object(
                    Bucket=file.bucket, Key=file.key, Range=f"bytes={start}-{end - 1}", IfMatch=file.version
                )
                data: bytes = answer["Body"].read()
                return data
            except file.hook.client("s3").exceptions.ClientError as error:
                if code_of(error) in {"PreconditionFailed", "412"}:
                    raise InputError(f"{file.uri} was replaced while it was read; run the task again") from error
                raise


def find_files(uri: str, suffixes: tuple[str, ...], hook: FeatureStoreHook) -> list[SourceFile]:
    """Find the file that a path or URI names, or the files of that folder by suffix, in the order of their names.

    :raises InputError: there is nothing there, or the scheme is not known
    """
    scheme = urlsplit(uri).scheme if "://" in uri else ""
    if scheme in {"", "file"}:
        path = Path(unquote(urlsplit(uri).path)) if scheme else Path(uri)
        return list(_local_files(path.expanduser().absolute(), suffixes))
    if scheme in {"s3", "s3a", "s3n"}:
        return _s3_files(uri, suffixes, hook)
    raise InputError(f"Source {uri} cannot be read: give a path, file:// or s3://")


def _local_files(path: Path, suffixes: tuple[str, ...]) -> Iterator[SourceFile]:
    if not path.exists():
        raise InputError(f"There is no source {path}")
    found = sorted(item for item in path.rglob("*") if _wanted(item.name, suffixes)) if path.is_dir() else [path]
    if not found:
        raise InputError(f"Folder {path} has no file that ends in {' or '.join(suffixes)}")
    for item in found:
        stat = item.stat()
        yield LocalFile(item, stat.st_size, f"{stat.st_size}-{stat.st_mtime_ns}")


def _s3_files(uri: str, suffixes: tuple[str, ...], hook: FeatureStoreHook) -> list[SourceFile]:
    parts = urlsplit(uri)
    bucket, key = parts.netloc, parts.path.lstrip("/")
    if not bucket:
        raise InputError(f"Source {uri} names no bucket: write s3://bucket/key")
    head = hook.call_or_none("s3", "head_object", Bucket=bucket, Key=key) if key and not key.endswith("/") else None
    if head:
        return [_s3_file(hook, bucket, key, head["ContentLength"], head["ETag"])]
    prefix = f"{key.rstrip('/')}/" if key else ""
    found = [
        _s3_file(hook, bucket, item["Key"], item["Size"], item["ETag"])
        for item in _objects(hook, bucket, prefix)
        if _wanted(item["Key"].rpartition("/")[2], suffixes)
    ]
    if not found:
        raise InputError(f"There is no source {uri}: neither an object nor a folder with {' or '.join(suffixes)} files")
    return sorted(found, key=lambda file: file.uri)


def _s3_file(hook: FeatureStoreHook, bucket: str, key: str, size: int, etag: str) -> SourceFile:
    return S3File(hook, bucket, key, size, etag)


def _objects(hook: FeatureStoreHook, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
    while True:
        page = hook.call_or_none("s3", "list_objects_v2", **asked)
        if page is None:
            raise InputError(f"There is no bucket {bucket}")
        yield from page.get("Contents", ())
        if not page.get("IsTruncated"):
            return
        asked["ContinuationToken"] = page["NextContinuationToken"]


def _wanted(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.endswith(suffixes) and not name.startswith((".", "_"))
