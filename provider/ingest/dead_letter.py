"""The file that keeps the rejected rows: JSON lines with row number, reason and values."""

from __future__ import annotations

import json
from collections import Counter
from typing import IO, TYPE_CHECKING

from festaf.provider.ingest.work import spool

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk.types import Logger

    from festaf.provider.ingest.rows import RejectedRow
    from festaf.provider.ingest.work import WorkFolder

NAME = "rejected.jsonl"
SHOWN = 10
"""How many rejected rows the log names; the file has them all."""


class DeadLetter:
    """Collects the rejected rows of one run."""

    def __init__(self, folder: WorkFolder, log: Logger) -> None:
        self._folder = folder
        self._log = log
        self._path: Path | None = None
        self._file: IO[str] | None = None
        self._closed = False
        self.uri: str | None = None
        self.count = 0
        self.first: RejectedRow | None = None
        self._reasons: Counter[str] = Counter()

    def add(self, rejected: RejectedRow) -> None:
        """Keep one row."""
        if self._file is None:
            self._path = spool()
            self._file = self._path.open("w", encoding="utf-8")
        line = {"row": rejected.row, "reason": rejected.reason, "values": dict(rejected.values)}
        self._file.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")
        self.first = self.first or rejected
        self.count += 1
        self._reasons[rejected.reason.partition(":")[0]] += 1
        if self.count <= SHOWN:
            self._log.warning("Row %s is rejected: %s", rejected.row, rejected.reason)
        elif self.count == SHOWN + 1:
            self._log.warning("More rows are rejected; the dead-letter file names them all")

    def close(self) -> str | None:
        """Keep the file in the work folder and give its URI; None when no row was rejected."""
        if self._closed:
            return self.uri
        self._closed = True
        if self._file is not None:
            self._file.close()
            by_column = ", ".join(f"{name} ({count:,})" for name, count in self._reasons.most_common(SHOWN))
            self._log.warning("%s rows were rejected, because of: %s", f"{self.count:,}", by_column)
        self.uri = self._folder.replace(NAME, self._path)
        return self.uri
