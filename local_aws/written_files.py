"""Rows that were just written to S3, so that whoever reads the file next need not ask for it and parse it.

A copy is found by bucket, key and ETag, which S3's own listing gives: an object that was overwritten or deleted is
never mistaken for the one that was written.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

KEPT_BYTES = 256 << 20
"""How many bytes of rows are kept; the oldest go first."""


class WrittenFiles:
    """Keeps the rows of the latest Parquet files; safe to call from several threads."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._files: OrderedDict[tuple[str, str], tuple[str, pa.Table, int]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, bucket: str, key: str, etag: str, rows: pa.Table) -> None:
        """Take the rows of a file, their columns' names in lower case, with the ETag that S3 gave it."""
        size = rows.nbytes
        with self._lock:
            before = self._files.pop((bucket, key), None)
            self._bytes -= before[2] if before else 0
            self._files[bucket, key] = (etag, rows, size)
            self._bytes += size
            while self._bytes > self._most:
                self._bytes -= self._files.popitem(last=False)[1][2]

    def find(self, bucket: str, key: str, etag: str) -> pa.Table | None:
        """Give the rows of a file; None when they are not kept."""
        with self._lock:
            found = self._files.get((bucket, key))
        return found[1] if found is not None and found[0] == etag else None

    def clear(self) -> None:
        """Forget every file."""
        with self._lock:
            self._files.clear()
            self._bytes = 0
