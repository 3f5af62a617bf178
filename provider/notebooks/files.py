"""Files that others may write at the same time: an editor, Jupyter, a formatter."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from festaf.provider.notebooks.errors import ChangedMeanwhileError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Original:
    """A file as it was read; ``data`` is None when there was none."""

    path: Path
    data: bytes | None

    @classmethod
    def read(cls, path: Path) -> Original:
        """Read a file that may be absent."""
        try:
            return cls(path, path.read_bytes())
        except FileNotFoundError:
            return cls(path, None)
        except OSError as error:
            raise UnreadableError(f"{path} cannot be read: {error.strerror}") from error

    @property
    def newline(self) -> str:
        """The line ending that the file uses."""
        return "\r\n" if self.data and b"\r\n" in self.data else "\n"

    @property
    def text(self) -> str:
        """The text with plain line feeds."""
        try:
            return (self.data or b"").decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise UnreadableError(f"{self.path} is not UTF-8: byte {error.start} cannot be read") from error

    def with_text(self, text: str) -> Change:
        """Give the change that makes the file say this, with the line endings it has."""
        return Change(self, text.replace("\n", self.newline).encode())


@dataclass(frozen=True)
class Change:
    """A file, and the bytes that are to stand in it."""

    original: Original
    data: bytes

    @property
    def needed(self) -> bool:
        """Whether the file says something else now."""
        return self.data != self.original.data


def write_all(changes: Sequence[Change]) -> tuple[Path, ...]:
    """Write files each in one step, or none of them when one has changed since it was read."""
    changes = [change for change in changes if change.needed]
    drafts: list[tuple[Path, Change]] = []
    try:
        drafts.extend((_draft(change), change) for change in changes)
        for change in changes:
            if Original.read(change.original.path).data != change.original.data:
                raise ChangedMeanwhileError(f"{change.original.path} changed meanwhile; nothing was written, try again")
        for draft, change in drafts:
            draft.replace(change.original.path)
    finally:
        for draft, _ in drafts:
            draft.unlink(missing_ok=True)
    return tuple(change.original.path for change in changes)


def _draft(change: Change) -> Path:
    """Write the new bytes beside the file, with its rights."""
    path = change.original.path.resolve()
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(change.data)
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        Path(name).chmod(mode)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be written: {error.strerror}") from error
    return Path(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
