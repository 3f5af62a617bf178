"""Write a zip file in one way only, and read nothing but what was written so.

The bytes depend on the entries alone: no compression, because what zlib makes differs between its builds; one time,
one mode, one version; no extra fields, comments, descriptors or ZIP64. It is written here, not by ``zipfile``, whose
choices may change with Python. Any zip program can open the result; text shrinks on the way, by HTTP's own compression.

The reader never guesses: each field must hold what the writer puts there, and the message says what it was instead.
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from festaf.sharing import limits
from festaf.sharing.errors import ArchiveError
from festaf.sharing.paths import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOCAL: Final = struct.Struct("<4s5H3L2H")
CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
END: Final = struct.Struct("<4s4H2LH")
LOCAL_SIGNATURE: Final = b"PK\x03\x04"
CENTRAL_SIGNATURE: Final = b"PK\x01\x02"
END_SIGNATURE: Final = b"PK\x05\x06"
VERSION: Final = 20
MADE_BY: Final = 3 << 8 | VERSION
"""Unix, so that the mode counts."""
UTF8: Final = 0x800
TIME: Final = 0
DATE: Final = 1 << 5 | 1
"""1980-01-01, the first day that a zip file can tell."""
MODE: Final = stat.S_IFREG | 0o644


@dataclass(frozen=True)
class _Entry:
    """What the central directory says of one file."""

    name: str
    raw_name: bytes
    crc: int
    size: int
    offset: int


def write(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """Give the one zip file with these entries in this order."""
    body = bytearray()
    directory = bytearray()
    count = 0
    for name, content in entries:
        raw = name.encode()
        flags = 0 if name.isascii() else UTF8
        fields = (VERSION, flags, 0, TIME, DATE, zlib.crc32(content), len(content), len(content), len(raw), 0)
        directory += CENTRAL.pack(CENTRAL_SIGNATURE, MADE_BY, *fields, 0, 0, 0, MODE << 16, len(body)) + raw
        body += LOCAL.pack(LOCAL_SIGNATURE, *fields) + raw + content
        count += 1
    end = END.pack(END_SIGNATURE, 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)


def read(data: bytes) -> dict[str, bytes]:
    """Give the entries of a zip file in their order.

    :raises ArchiveError: it is not what ``write`` makes
    """
    if not data.startswith(LOCAL_SIGNATURE):
        raise ArchiveError("no_zip", "The archive is no zip file, or something stands before its first entry")
    count, start, end = _end_of(data)
    entries: dict[str, bytes] = {}
    expected = total = 0
    for entry in _directory(data, count, start, end):
        if entry.name in entries:
            raise ArchiveError("duplicate", f"{shown(entry.name)} is in the archive twice", shown(entry.name))
        if entry.offset != expected:
            message = (
                f"{shown(entry.name)} does not begin where the entry before it ends; entries overlap or hide bytes"
            )
            raise ArchiveError("overlap", message, shown(entry.name))
        total += entry.size
        if total > limits.ARCHIVE_BYTES:
            raise ArchiveError("large_archive", f"The files are larger than {limits.ARCHIVE_BYTES} bytes together")
        entries[entry.name], expected = _content(data, entry, start)
    if expected != start:
        raise ArchiveError("hidden_bytes", "The archive holds bytes that belong to no entry")
    return entries


def _end_of(data: bytes) -> tuple[int, int, int]:
    """Give the number of entries, and where the central directory begins and ends."""
    at = len(data) - END.size
    if at < 0 or data[at : at + 4] != END_SIGNATURE:
        found = data.rfind(END_SIGNATURE)
        if found < 0:
            raise ArchiveError("truncated", "The archive has no end; it was cut off on the way. Send it again")
        raise ArchiveError("trailing_bytes", "The archive has a comment, or bytes after its end")
    _, disk, first_disk, here, count, length, start, comment = END.unpack_from(data, at)
    if comment or disk or first_disk or here != count:
        raise ArchiveError("bad_end", "The archive's end names other disks, or a comment that is not there")
    if count == 0xFFFF or start == 0xFFFFFFFF:
        raise ArchiveError("zip64", "The archive is in the ZIP64 form, which no package needs")
    if count > limits.ENTRIES:
        raise ArchiveError("many_entries", f"The archive has {count} entries; {limits.ENTRIES} are allowed")
    if start + length != at:
        raise ArchiveError("hidden_bytes", "The archive's directory is not where its end says")
    return count, start, at


def _directory(data: bytes, count: int, start: int, end: int) -> Iterator[_Entry]:
    at = start
    for _ in range(count):
        if at + CENTRAL.size > end or data[at : at + 4] != CENTRAL_SIGNATURE:
            raise ArchiveError("bad_directory", "The archive's directory is shorter than its end says")
        fields = CENTRAL.unpack_from(data, at)
        at += CENTRAL.size
        raw = data[at : at + fields[10]]
        at += fields[10]
        entry = _central_entry(fields, raw)
        if at > end:
            raise ArchiveError("bad_directory", "The archive's directory is longer than its end says")
        yield entry
    if at != end:
        raise ArchiveError("hidden_bytes", "The archive's directory holds bytes that belong to no entry")


def _central_entry(fields: tuple[int, ...], raw: bytes) -> _Entry:
    try:
        name = raw.decode()
    except UnicodeDecodeError as error:
        raise ArchiveError("name_encoding", f"The name {raw[:80]!r} in the archive is not UTF-8") from error
    _, made_by, version, flags, method, time, date, crc, packed, size, _, extra, comment, disk, inner, mode, offset = (
        fields
    )
    for wrong, code, message in (
        (flags & 0x1, "encrypted", "is encrypted"),
        (flags & 0x8, "data_descriptor", "has its size after its content"),
        (method, "compressed", f"is compressed (method {method}); packages are stored, and shrink on the way"),
        (extra, "extra_field", "has an extra field"),
        (comment, "comment", "has a comment"),
        (name.endswith("/") or stat.S_ISDIR(mode >> 16), "folder", "is a folder; packages hold files only"),
        (stat.S_ISLNK(mode >> 16), "link", "is a symbolic link"),
        (mode != MODE << 16, "mode", f"has the mode {mode >> 16:o}; every file is a regular one of mode 644"),
        (packed != size, "sizes", "has two sizes"),
        (size > limits.FILE_BYTES, "large_file", f"is larger than {limits.FILE_BYTES} bytes"),
        ((time, date) != (TIME, DATE), "time", "has a time of its own; every file is of 1980-01-01"),
        (
            (made_by, version, flags, disk, inner) != (MADE_BY, VERSION, 0 if name.isascii() else UTF8, 0, 0),
            "header",
            "has a header that festaf does not write",
        ),
    ):
        if wrong:
            raise ArchiveError(code, f"{shown(name)} in the archive {message}", shown(name))
    return _Entry(name, raw, crc, size, offset)


def _content(data: bytes, entry: _Entry, limit: int) -> tuple[bytes, int]:
    """Give the bytes of an entry and where they end; its own header must say what the directory says."""
    flags = 0 if entry.name.isascii() else UTF8
    fields = (VERSION, flags, 0, TIME, DATE, entry.crc, entry.size, entry.size, len(entry.raw_name), 0)
    header = LOCAL.pack(LOCAL_SIGNATURE, *fields) + entry.raw_name
    begin = entry.offset + len(header)
    end = begin + entry.size
    if data[entry.offset : begin] != header:
        message = f"{shown(entry.name)} is described otherwise before its content than in the archive's directory"
        raise ArchiveError("header_mismatch", message, shown(entry.name))
    if end > limit:
        raise ArchiveError("sizes", f"{shown(entry.name)} is longer than the archive", shown(entry.name))
    content = data[begin:end]
    if zlib.crc32(content) != entry.crc:
        raise ArchiveError("checksum", f"{shown(entry.name)} has another checksum than its content", shown(entry.name))
    return content, end
