"""Write files so that they outlast the process and the machine's power."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, with its folders, through to the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, content: bytes) -> None:
    """Put a content in place of a file's as a whole: readers see the old one or the new one."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    write_new(new, content)
    new.replace(path)
    sync_folder(path.parent)


def leftovers(path: Path) -> list[Path]:
    """Give what processes that were killed left beside a file that ``replace`` writes."""
    return list(path.parent.glob(f".{path.name}.*"))


def sync_folder(folder: Path) -> None:
    """Make what was made and renamed in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
