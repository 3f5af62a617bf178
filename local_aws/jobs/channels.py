"""Objects of S3 as the files of a job."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from festaf.local_aws.jobs.failure import JobFailedError
from festaf.local_aws.objects import Objects, ObjectStoreError
from festaf.local_aws.serving import archive

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def split_prefix(uri: str) -> tuple[str, str]:
    """Split ``s3://bucket/prefix`` or ``https://<S3's host>/bucket/prefix``; the prefix is kept as it stands.

    :raises ValueError: it names no bucket of S3
    """
    scheme, _, rest = uri.partition("://")
    if scheme == "https":
        host, _, rest = rest.partition("/")
        if not host.startswith("s3"):
            raise ValueError(f"{uri!r} is no URL of S3 in path style")
    bucket, _, prefix = rest.partition("/")
    if scheme not in ("s3", "https") or not bucket:
        raise ValueError(f"{uri!r} is no S3 URI")
    return bucket, prefix


def has_objects(objects: Objects, uri: str) -> bool:
    """Say whether any object stands under a prefix; none does in a bucket that is not there."""
    try:
        bucket, prefix = split_prefix(uri)
        return next(objects.under(bucket, prefix), None) is not None
    except (ValueError, ObjectStoreError):
        return False


def keys_of(objects: Objects, uri: str, data_type: str) -> Iterator[tuple[str, str, str]]:
    """Give bucket, key and the file's name for every object of a data source, folder marks left out.

    :param data_type: ``S3Prefix`` or ``ManifestFile``
    :raises JobFailedError: there is none, or the manifest is none
    """
    bucket, prefix = _split(uri)
    try:
        if data_type == "ManifestFile":
            yield from _manifest(objects, bucket, prefix)
            return
        found = False
        for one in objects.under(bucket, prefix):
            found = True
            if not one.key.endswith("/"):
                yield bucket, one.key, _name_under(prefix, one.key)
    except ObjectStoreError as error:
        raise JobFailedError(f"ClientError: Data download failed:{error} ({uri})") from error
    if not found:
        raise JobFailedError(f"ClientError: Data download failed:No S3 objects found under S3 URL {uri}")


def download(objects: Objects, uri: str, data_type: str, folder: Path, share: tuple[int, int] = (0, 1)) -> None:
    """Fill a folder with the objects of a data source.

    :param share: of so many equal shares of the objects (the second number), which is taken (the first, from 0)
    :raises JobFailedError: as :func:`keys_of`, or a name leads out of the folder
    """
    folder.mkdir(parents=True, exist_ok=True)
    for bucket, key, name in itertools.islice(keys_of(objects, uri, data_type), share[0], None, share[1]):
        if ".." in PurePosixPath(name).parts or name.startswith("/"):
            raise JobFailedError(f"ClientError: Data download failed:s3://{bucket}/{key} leads out of the folder")
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(fetch(objects, bucket, key))
        except OSError as error:
            reason = f"ClientError: Data download failed:s3://{bucket}/{key} cannot be a file: {error.strerror}"
            raise JobFailedError(reason) from error


def fetch(objects: Objects, bucket: str, key: str) -> bytes:
    """Read an object.

    :raises JobFailedError: it is not there
    """
    try:
        return objects.get(bucket, key)
    except ObjectStoreError as error:
        raise JobFailedError(f"ClientError: Data download failed:{error} (s3://{bucket}/{key})") from error


def upload(objects: Objects, folder: Path, uri: str) -> None:
    """Write the files of a folder under a prefix; links are followed only within the folder.

    :raises JobFailedError: S3 refused
    """
    bucket, prefix = _split(uri)
    home = folder.resolve()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.resolve().is_relative_to(home):
            name = file.relative_to(folder).as_posix()
            put(objects, bucket, f"{prefix.rstrip('/')}/{name}".lstrip("/"), file.read_bytes())


def put(objects: Objects, bucket: str, key: str, content: bytes) -> None:
    """Write an object.

    :raises JobFailedError: S3 refused
    """
    try:
        objects.put(bucket, key, content)
    except ObjectStoreError as error:
        raise JobFailedError(f"ClientError: Data upload failed:{error} (s3://{bucket}/{key})") from error


def pack(folders: Sequence[Path]) -> bytes | None:
    """Make a tar.gz of what stands in folders; of files of the same name, the first. None when nothing does."""
    found: dict[str, Path] = {}
    for folder in folders:
        for entry in sorted(folder.rglob("*")):
            found.setdefault(entry.relative_to(folder).as_posix(), entry)
    if not found:
        return None
    written = io.BytesIO()
    with tarfile.open(mode="w:gz", fileobj=written) as packed:
        for name, entry in sorted(found.items()):
            packed.add(entry, arcname=name, recursive=False)
    return written.getvalue()


def unpack(content: bytes, folder: Path, name: str) -> None:
    """Take a tar.gz apart.

    :param name: what it is called in the failure's reason
    :raises JobFailedError: it is none, or a member leads out of the folder
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        archive.unpack(content, folder)
    except (archive.ArchiveError, zlib.error) as error:
        raise JobFailedError(f"ClientError: {name} cannot be used: {error}") from error


def _manifest(objects: Objects, bucket: str, key: str) -> Iterator[tuple[str, str, str]]:
    content = fetch(objects, bucket, key)
    try:
        first, *names = json.loads(content)
        common = first["prefix"]
        if not all(isinstance(name, str) for name in names):
            raise TypeError("a name is no text")
    except (ValueError, TypeError, KeyError) as error:
        reason = f'ClientError: s3://{bucket}/{key} is no manifest [{{"prefix": "s3://..."}}, "name", ...]: {error}'
        raise JobFailedError(reason) from error
    its_bucket, prefix = _split(common)
    for name in names:
        yield its_bucket, f"{prefix}{name}", name


def _name_under(prefix: str, key: str) -> str:
    """Name the file of an object: its key without the prefix, which may end amid a name."""
    if key == prefix:
        return key.rpartition("/")[2]
    if prefix.endswith("/") or not prefix:
        return key.removeprefix(prefix)
    if key.startswith(f"{prefix}/"):
        return key.removeprefix(f"{prefix}/")
    return key[len(prefix.rpartition("/")[0]) :].lstrip("/")


def _split(uri: str) -> tuple[str, str]:
    try:
        return split_prefix(uri)
    except ValueError as error:
        raise JobFailedError(f"ClientError: {error}") from error
