"""A package as one file: the manifest and the files it lists, as bytes that depend on nothing else.

Whoever opens an archive makes it again from what was read, and refuses a difference. So there is one archive for one
content, its SHA-256 is the package's identity, and no two programs can see different things in it.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.contract.dag_package import MANIFEST_PATH, Manifest
from festaf.sharing import canonical_zip, limits
from festaf.sharing.errors import ArchiveError, SharingError
from festaf.sharing.manifest import list_files, manifest_bytes, read_manifest, refused_manifest
from festaf.sharing.paths import refused_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NATIVE_STARTS = (b"\x7fELF", b"MZ\x90\x00", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_PICKLE_OR_TAR_AT = 257


@dataclass(frozen=True)
class Archive:
    """An archive that was opened and holds what it says."""

    manifest: Manifest
    files: Mapping[str, bytes]
    """Every file but the manifest, by path, sorted."""
    digest: str
    """SHA-256 of the archive, hexadecimal."""
    size: int


def build_archive(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    """Give the archive of these files; the manifest's list of files is made from them.

    :raises ArchiveError: something cannot be in a package; ``refused`` gives all of it
    """
    complete = manifest.model_copy(update={"files": list_files(files)})
    for error in refused(complete, files):
        raise error
    return _written(complete, files)


def open_archive(data: bytes) -> Archive:
    """Open an archive, in memory, and trust nothing of it.

    :raises ArchiveError: it is not, byte for byte, what ``build_archive`` makes; NameRefusedError is one of its reasons
    """
    if len(data) > limits.ARCHIVE_BYTES:
        raise ArchiveError("large_archive", f"The archive is larger than {limits.ARCHIVE_BYTES} bytes")
    entries = canonical_zip.read(data)
    if next(iter(entries), None) != MANIFEST_PATH:
        raise ArchiveError("no_manifest", f"The archive does not begin with {MANIFEST_PATH}")
    files = {path: content for path, content in entries.items() if path != MANIFEST_PATH}
    for error in (*_refused_files(files), *_order(files)):
        raise error
    manifest = read_manifest(entries[MANIFEST_PATH])
    for reason in refused_manifest(manifest, files):
        raise ArchiveError(reason.code, reason.message, reason.path)
    if _written(manifest, files) != data:
        raise ArchiveError("not_canonical", "The archive is not, byte for byte, what its content makes")
    return Archive(manifest, files, digest_of(data), len(data))


def digest_of(data: bytes) -> str:
    """Give the SHA-256 of an archive, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def refused(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[ArchiveError]:
    """Give every reason for which a manifest and files cannot be a package."""
    yield from _refused_files(files)
    reasons: Iterator[SharingError] = refused_manifest(manifest, files)
    for reason in reasons:
        yield ArchiveError(reason.code, reason.message, reason.path)
    written = len(manifest_bytes(manifest))
    if written > limits.MANIFEST_BYTES:
        yield ArchiveError(
            "large_manifest", f"The manifest is larger than {limits.MANIFEST_BYTES} bytes", MANIFEST_PATH
        )
    total = written + sum(len(content) for content in files.values())
    if total > limits.ARCHIVE_BYTES - limits.MIB:
        allowed = limits.ARCHIVE_BYTES - limits.MIB
        yield ArchiveError("large_archive", f"The files have {total} bytes together; {allowed} are allowed")


def _refused_files(files: Mapping[str, bytes]) -> Iterator[ArchiveError]:
    if len(files) > limits.ENTRIES - 1:
        yield ArchiveError("many_entries", f"There are {len(files)} files; {limits.ENTRIES - 1} are allowed")
        return
    yield from refused_paths(files)
    for path, content in files.items():
        allowed = limits.SOURCE_BYTES if path.casefold().endswith(".py") else limits.FILE_BYTES
        if len(content) > allowed:
            yield ArchiveError("large_file", f"{path} has {len(content)} bytes; {allowed} are allowed", path)
        if content.startswith(_NATIVE_STARTS):
            yield ArchiveError("native_code", f"{path} is a compiled program; nobody can review it", path)
        if _is_archive(content):
            message = f"{path} is an archive, whatever its name says; Airflow loads DAGs from those"
            yield ArchiveError("nested_archive", message, path)


def _is_archive(content: bytes) -> bool:
    """Tell whether a reader would take a file for an archive: a zip file may begin with anything."""
    if content.startswith((b"\x1f\x8b", b"BZh9", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")):
        return True
    return content[_PICKLE_OR_TAR_AT : _PICKLE_OR_TAR_AT + 5] == b"ustar" or zipfile.is_zipfile(io.BytesIO(content))


def _order(files: Mapping[str, bytes]) -> Iterator[ArchiveError]:
    if list(files) != sorted(files):
        yield ArchiveError("order", "The files of the archive are not sorted by path")


def _written(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    return canonical_zip.write([(MANIFEST_PATH, manifest_bytes(manifest)), *sorted(files.items())])
