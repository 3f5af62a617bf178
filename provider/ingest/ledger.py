"""Which rows AWS has acknowledged, so that running again sends only what is missing.

Each line of the journal carries its own checksum; a line that was torn when the process died is left out. Rows of a
source whose content is pinned are noted by their numbers; those of a query by a hash of what was sent.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from festaf.provider.ingest.rows import Numbers
    from festaf.provider.ingest.work import WorkFolder

ROWS = b"rows"
HASH = b"hash"


class Ledger:
    """The acknowledged rows of one ingest."""

    def __init__(self, folder: WorkFolder, *, resume: bool = True) -> None:
        self._folder = folder
        ranges, self._hashes = _read(folder.lines()) if resume else ([], set())
        self._starts, self._ends = _merged(ranges)

    def has(self, rows: Numbers) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Tell for each row number whether an earlier run had it acknowledged."""
        if not len(self._starts):
            return np.zeros(len(rows), bool)
        place = np.searchsorted(self._starts, rows, side="right") - 1
        return (place >= 0) & (rows <= self._ends[place])

    def has_content(self, entries: Sequence[bytes]) -> bool:
        """Tell whether an earlier run had exactly these entries acknowledged."""
        return bool(self._hashes) and _hash(entries) in self._hashes

    def note(self, rows: Numbers) -> None:
        """Keep that rows are acknowledged, given in ascending order."""
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        for run in np.split(rows, breaks) if len(breaks) else [rows]:
            self._folder.append(_line(ROWS, b"%d %d" % (run[0], run[-1])))

    def note_content(self, entries: Sequence[bytes]) -> None:
        """Keep that exactly these entries are acknowledged."""
        self._folder.append(_line(HASH, _hash(entries)))


def _line(kind: bytes, content: bytes) -> bytes:
    text = kind + b" " + content
    return text + b" %08x" % zlib.crc32(text)


def _hash(entries: Sequence[bytes]) -> bytes:
    return hashlib.blake2b(b",".join(entries), digest_size=16).hexdigest().encode()


def _read(lines: Iterable[bytes]) -> tuple[list[tuple[int, int]], set[bytes]]:
    ranges: list[tuple[int, int]] = []
    hashes: set[bytes] = set()
    for line in lines:
        text, _, checksum = line.rstrip(b"\n").rpartition(b" ")
        if checksum != b"%08x" % zlib.crc32(text):
            continue
        kind, _, content = text.partition(b" ")
        if kind == ROWS:
            first, _, last = content.partition(b" ")
            ranges.append((int(first), int(last)))
        else:
            hashes.add(content)
    return ranges, hashes


def _merged(ranges: list[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    """Join ranges that touch; the result is sorted."""
    starts: list[int] = []
    ends: list[int] = []
    for first, last in sorted(ranges):
        if ends and first <= ends[-1] + 1:
            ends[-1] = max(ends[-1], last)
        else:
            starts.append(first)
            ends.append(last)
    return np.array(starts, np.int64), np.array(ends, np.int64)
