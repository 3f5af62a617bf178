"""A mirror file: archives with what proves where they come from, in one zip file that any program can open.

It proves nothing itself. Whoever opens it checks each archive by its hash and each signature by keys that they trust.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from festaf.contract.dag_package_mirror import MOST_MIRRORED, Mirror
from festaf.sharing import limits, strict_json
from festaf.sharing.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Mapping

MIRROR_BYTES: Final = 2 * limits.ARCHIVE_BYTES
INDEX: Final = "mirror.json"
INDEX_BYTES: Final = 4 * limits.MIB
TIME: Final = (1980, 1, 1, 0, 0, 0)


def build_mirror(mirror: Mirror, archives: Mapping[str, bytes]) -> bytes:
    """Write a mirror file.

    :param archives: by digest, each that the mirror names
    :raises ArchiveError: it would be too large
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as writing:
        content = mirror.model_dump(mode="json", exclude_defaults=True)
        entries = [(INDEX, strict_json.dumps({**content, "festaf_mirror": mirror.festaf_mirror}))]
        entries += [(_path(version.digest), archives[version.digest]) for version in mirror.versions]
        for name, data in entries:
            writing.writestr(zipfile.ZipInfo(name, TIME), data)
    if file.tell() > MIRROR_BYTES:
        raise ArchiveError("large_mirror", f"The archives are larger together than {MIRROR_BYTES} bytes; export fewer")
    return file.getvalue()


def open_mirror(data: bytes) -> tuple[Mirror, dict[str, bytes]]:
    """Read a mirror file; give what it says, and its archives by digest, each with the hash that it says.

    :raises ArchiveError: it is none, or holds something else than it says
    """
    if len(data) > MIRROR_BYTES:
        raise ArchiveError("large_mirror", f"The mirror file is larger than {MIRROR_BYTES} bytes")
    try:
        entries = _entries(data)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, ArchiveError):
            raise
        raise ArchiveError("no_mirror", "The file is no mirror file, or was cut off on the way") from error
    mirror = _index(entries.pop(INDEX, None))
    archives: dict[str, bytes] = {}
    for version in mirror.versions:
        content = entries.pop(_path(version.digest), None)
        if content is None or hashlib.sha256(content).hexdigest() != version.digest or len(content) != version.size:
            message = (
                f"The archive of {version.namespace}/{version.name} {version.version} is not the one of its digest"
            )
            raise ArchiveError("wrong_hash", message)
        archives[version.digest] = content
    if entries:
        raise ArchiveError("unlisted_file", "The mirror file holds something that it does not list")
    return mirror, archives


def _entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as reading:
        listed = reading.infolist()
        if len(listed) > MOST_MIRRORED + 1 or len({entry.filename for entry in listed}) != len(listed):
            raise ArchiveError("many_entries", "The mirror file holds too many entries, or one of them twice")
        if sum(entry.file_size for entry in listed) > len(data):
            raise ArchiveError("sizes", "The mirror file's entries are larger than the file")
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in listed):
            raise ArchiveError("compressed", "An entry of the mirror file is compressed")
        return {entry.filename: reading.read(entry) for entry in listed}


def _index(data: bytes | None) -> Mirror:
    if data is None or len(data) > INDEX_BYTES:
        raise ArchiveError("no_manifest", f"The mirror file has no {INDEX}, or a very large one")
    try:
        return Mirror.model_validate(strict_json.loads(data))
    except strict_json.StrictJsonError as error:
        raise ArchiveError(error.code, f"{INDEX}: {error.message}") from error
    except ValidationError as error:
        message = f"{INDEX} is not as it must be ({error.error_count()} faults, the first: {error.errors()[0]['msg']})"
        raise ArchiveError("bad_manifest", message) from error


def _path(digest: str) -> str:
    return f"archives/{digest}.zip"
