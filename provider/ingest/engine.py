"""The engine: read, check, send, note; in memory that does not grow with the number of rows.

One thread reads, checks and encodes, and does all the accounting; the senders only send. What is in flight when the
process dies is sent again by the next run, which the feature store takes as the same fact.
"""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from festaf.provider.errors import RefusedError, RejectedRowsError
from festaf.provider.ingest.moments import moment_of
from festaf.provider.ingest.rows import RejectedRow
from festaf.provider.ingest.sender import BATCH_ROWS, Answer, StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from airflow.sdk.types import Logger

    from festaf.provider.ingest.dead_letter import DeadLetter
    from festaf.provider.ingest.ledger import Ledger
    from festaf.provider.ingest.progress import Progress
    from festaf.provider.ingest.rows import EncodedRows, Numbers, RowEncoder
    from festaf.provider.ingest.sender import Sender
    from festaf.provider.ingest.source import Source

CALL_BYTES = 1 << 20
"""A call with more than one row stays below this."""
HOPELESS = 4 * BATCH_ROWS
"""When the first rows are refused, this many and not one taken, it is not the rows."""


@dataclass(frozen=True)
class Call:
    """The rows of one call."""

    entries: list[bytes]
    rows: Numbers
    milliseconds: Numbers


@dataclass(frozen=True)
class Totals:
    """What an ingest came to; ``read`` is ``accepted + rejected``."""

    read: int
    accepted: int
    rejected: int
    resumed: int
    """Those of the accepted that an earlier run had sent."""
    calls: int
    first_event_time: datetime | None
    last_event_time: datetime | None
    dead_letter: str | None
    seconds: float


@dataclass
class Engine:
    """One ingest."""

    source: Source
    columns: list[str]
    encoder: RowEncoder
    sender: Sender
    ledger: Ledger
    dead_letter: DeadLetter
    progress: Progress
    log: Logger
    threads: int
    stop_at_first_bad_row: bool = False
    _settled: queue.SimpleQueue[tuple[Call, Answer | BaseException]] = field(default_factory=queue.SimpleQueue)
    _flying: int = 0
    _read: int = 0
    _accepted: int = 0
    _resumed: int = 0
    _calls: int = 0
    _first: int | None = None
    _last: int | None = None

    def run(self) -> Totals:
        """Send every row that is good and not acknowledged yet.

        :raises FestafError: AWS or the source failed; what was acknowledged until then is in the ledger
        """
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(self.threads, "festaf-ingest"))
            stack.callback(self.dead_letter.close)
            stack.enter_context(closing(_Draining(self)))
            for call in self._calls_to_make():
                pool.submit(self._send, call)
                self._flying += 1
                while self._flying > 4 * self.threads:
                    self._settle()
                self.progress.report(self._accepted + self.dead_letter.count, self._accepted - self._resumed)
            while self._flying:
                self._settle()
        return Totals(
            read=self._read,
            accepted=self._accepted,
            rejected=self.dead_letter.count,
            resumed=self._resumed,
            calls=self._calls,
            first_event_time=moment_of(self._first),
            last_event_time=moment_of(self._last),
            dead_letter=self.dead_letter.close(),
            seconds=self.progress.seconds,
        )

    def _calls_to_make(self) -> Iterator[Call]:
        """Read the source, and give what AWS has not acknowledged yet."""
        for chunk in self.source.chunks(self.columns):
            encoded = self.encoder.encode(chunk)
            self._read += encoded.read
            for rejected in encoded.rejected:
                self._reject(rejected)
            if self.source.pinned:
                yield from _cut(self._without_acknowledged(encoded))
                continue
            for call in _cut(Call(encoded.entries, encoded.rows, encoded.milliseconds)):
                if self.ledger.has_content(call.entries):
                    self._take(call, resumed=True)
                else:
                    yield call

    def _without_acknowledged(self, encoded: EncodedRows) -> Call:
        done = self.ledger.has(encoded.rows)
        everything = Call(encoded.entries, encoded.rows, encoded.milliseconds)
        if not done.any():
            return everything
        self._take(_part(everything, done), resumed=True)
        return _part(everything, ~done)

    def _send(self, call: Call) -> None:
        """Send a call, in a thread of the pool."""
        try:
            self._settled.put((call, self.sender.send(call.entries)))
        except BaseException as error:
            self.sender.stop.set()
            self._settled.put((call, error))

    def _settle(self) -> None:
        """Account for one call that came back."""
        call, answer = self._settled.get()
        self._flying -= 1
        if isinstance(answer, BaseException):
            raise self._cause(answer)
        self._calls += answer.attempts
        taken = call
        if answer.refused:
            good = np.ones(len(call.rows), bool)
            good[list(answer.refused)] = False
            taken = _part(call, good)
        if len(taken.rows):
            self.ledger.note(taken.rows) if self.source.pinned else self.ledger.note_content(taken.entries)
            self._take(taken, resumed=False)
        for place, reason in sorted(answer.refused.items()):
            self._reject(RejectedRow(int(call.rows[place]), reason, {"entry": call.entries[place].decode()}))
            if not self._accepted and self.dead_letter.count >= HOPELESS:
                raise RefusedError(f"AWS takes none of the first {HOPELESS} rows: {reason}")

    def _cause(self, error: BaseException) -> BaseException:
        """Find the failure that made the other senders stop."""
        while isinstance(error, StoppedError) and self._flying:
            _, answer = self._settled.get()
            self._flying -= 1
            error = answer if isinstance(answer, BaseException) else error
        return error

    def _take(self, call: Call, *, resumed: bool) -> None:
        """Count rows that stand in the feature set."""
        if not len(call.rows):
            return
        self._accepted += len(call.rows)
        self._resumed += len(call.rows) if resumed else 0
        first, last = int(call.milliseconds.min()), int(call.milliseconds.max())
        self._first = first if self._first is None else min(self._first, first)
        self._last = last if self._last is None else max(self._last, last)

    def _reject(self, rejected: RejectedRow) -> None:
        self.dead_letter.add(rejected)
        if self.stop_at_first_bad_row:
            raise RejectedRowsError(
                f"Row {rejected.row} is rejected: {rejected.reason}; the task was told to stop at the first",
                rejected=1,
                allowed=0,
                dead_letter=self.dead_letter.close(),
            )

    def drain(self) -> None:
        """Note what AWS acknowledged while the run was failing."""
        while self._flying:
            call, answer = self._settled.get()
            self._flying -= 1
            if isinstance(answer, Answer) and not answer.refused:
                self.ledger.note(call.rows) if self.source.pinned else self.ledger.note_content(call.entries)


@dataclass(frozen=True)
class _Draining:
    engine: Engine

    def close(self) -> None:
        self.engine.sender.stop.set()
        self.engine.drain()


def _part(call: Call, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Call:
    places = np.flatnonzero(chosen)
    return Call([call.entries[place] for place in places], call.rows[places], call.milliseconds[places])


def _cut(call: Call) -> Iterator[Call]:
    """Cut rows into calls of at most 25 rows and CALL_BYTES."""
    start = 0
    while start < len(call.entries):
        end = min(start + BATCH_ROWS, len(call.entries))
        while end - start > 1 and sum(map(len, call.entries[start:end])) > CALL_BYTES:
            end -= 1
        yield Call(call.entries[start:end], call.rows[start:end], call.milliseconds[start:end])
        start = end
