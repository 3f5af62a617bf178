"""Archives that users made: ``model.tar.gz`` and the like, unpacked without trusting them."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST_BYTES = 8 * 1024**3
"""What an archive may hold unpacked."""


class ArchiveError(Exception):
    """The archive cannot be read, or it would write where it may not."""


def unpack(content: bytes, directory: Path) -> None:
    """Unpack a tar archive, compressed or not, into a directory.

    :raises ArchiveError: it is no tar archive, is too large, or has a member that points out of the directory, a
        device or the like
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
            size = 0
            for member in archive:
                size += member.size
                if size > MOST_BYTES:
                    raise ArchiveError(f"it holds more than {MOST_BYTES:,} bytes")
                archive.extract(member, directory, filter="data")
    except tarfile.FilterError as problem:
        raise ArchiveError(f"it is unsafe: {problem}") from None
    except (tarfile.TarError, EOFError, OSError, ValueError) as problem:
        raise ArchiveError(f"it cannot be unpacked: {problem}") from None


def write(files: Mapping[str, bytes], directory: Path) -> None:
    """Write files into a directory.

    :raises ArchiveError: a path points out of the directory, or is a file and a directory at once
    """
    for path, content in files.items():
        place = (directory / path).resolve()
        if not place.is_relative_to(directory.resolve()):
            raise ArchiveError(f"it is unsafe: {path!r} is outside of it")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        except (OSError, ValueError) as problem:
            raise ArchiveError(f"{path!r} cannot be written: {problem}") from None
