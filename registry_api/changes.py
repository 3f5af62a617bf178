"""What committed transactions may have changed, so that an answer outlives those that did not touch what it is of.

Each transaction that writes leaves one row, in ``Database.writing``: so no writer has to remember it. The row says
that anything may have changed, unless the writer named the subjects that its work concerns. An answer is kept with the
subjects that it was read from. Subjects are hashes: two that are alike by chance cost no more than a new reading.

A row's number orders transactions as they become visible: on SQLite, where one writes at a time, the rows are counted;
on PostgreSQL it is the transaction's own number, and an answer is compared with all that had not ended when it was
read.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Collection, Iterable
from functools import lru_cache
from threading import Lock
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, Session, mapped_column

from festaf.registry_api.listed import is_sqlite
from festaf.registry_api.state import State, oldest_running
from festaf.registry_api.table import Key, Table

ROWS = 1_000
"""How many rows SQLite keeps at least."""
TRANSACTIONS = 100_000
"""How many transactions of PostgreSQL back rows are kept at least; not each of them is the registry's."""
SWEEP_EVERY = 50
"""Each how many numbers old rows are let go."""
REMEMBERED = 500_000
"""How many subjects one process remembers."""
OWN_NUMBER = text("CAST(CAST(pg_current_xact_id() AS text) AS bigint)")


class ChangeTable(Table):
    """One transaction that wrote."""

    __tablename__ = "change"

    number: Mapped[int] = mapped_column(Key, primary_key=True)
    subjects: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Eight bytes for each subject that it concerns; None when it may concern anything."""


@lru_cache(maxsize=200_000)
def subject(kind: str, *names: str) -> int:
    """Hash something that answers are about: a dataset or job, a run, a DAG."""
    text_of = "\0".join((kind, *names))
    return int.from_bytes(hashlib.blake2b(text_of.encode(errors="replace"), digest_size=8).digest(), signed=True)


def dag_subject(namespace: str, dag_id: str) -> int:
    """Name a DAG."""
    return subject("dag", namespace, dag_id)


def run_subject(run_id: UUID) -> int:
    """Name a run."""
    return subject("run", run_id.hex)


class Naming:
    """What a session says that it is about: subjects, or anything when it never promised to name them all."""

    def __init__(self, word: str) -> None:
        self.word = word

    def begin(self, session: Session) -> None:
        """Promise to name every subject."""
        session.info.setdefault(self.word, set())

    def name(self, session: Session, subjects: Iterable[int]) -> None:
        """Name subjects."""
        named: set[int] | None = session.info.get(self.word)
        if named is not None:
            named.update(subjects)

    def name_anything(self, session: Session) -> None:
        """Take the promise back: nobody can tell."""
        session.info[self.word] = None

    def of(self, session: Session) -> frozenset[int] | None:
        """Give the subjects that were named; None for anything."""
        named: set[int] | None = session.info.get(self.word)
        return None if named is None else frozenset(named)


_CHANGED, _READ = Naming("festaf_changed"), Naming("festaf_read")
name_subjects = _CHANGED.begin
"""Promise that a transaction names all that it may change of what is asked of features."""
concern = _CHANGED.name
concern_anything = _CHANGED.name_anything
follow_subjects = _READ.begin
"""Promise that what is read from here on names all that it depends on."""
follow = _READ.name
follow_anything = _READ.name_anything
followed = _READ.of


def leave_change(session: Session) -> None:
    """Leave the row of a transaction that is about to be committed, and let rows go that nobody needs."""
    named = _CHANGED.of(session)
    written = None if named is None else array("q", sorted(named)).tobytes()
    connection = session.connection()
    sqlite = is_sqlite(session)
    if sqlite:
        number: int = connection.execute(insert(ChangeTable).values(subjects=written)).lastrowid
    else:
        new = upsert(ChangeTable).values(number=OWN_NUMBER, subjects=written)
        new = new.on_conflict_do_update(index_elements=["number"], set_={"subjects": new.excluded.subjects})
        number = connection.execute(new.returning(ChangeTable.number)).scalar_one()
    if number % SWEEP_EVERY == 0:
        connection.execute(delete(ChangeTable).where(_unneeded(number, sqlite=sqlite)))


def _unneeded(number: int, *, sqlite: bool) -> ColumnElement[bool]:
    """Say of a row that nobody compares with it any more when this is the newest."""
    if sqlite:
        return ChangeTable.number <= number - ROWS
    # Greater numbers come with a copy from another server.
    gone = ~ChangeTable.number.between(number - TRANSACTIONS, number + TRANSACTIONS)
    return ChangeTable.number.in_(select(ChangeTable.number).where(gone).with_for_update(skip_locked=True))


class Changes:
    """What one process knows of the transactions that ended."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._mark: int | None = None
        self._forgotten = 0
        """What is compared with an earlier mark than this has been changed for all that is known."""
        self._anything = 0
        """The last transaction that may have changed anything."""
        self._last: dict[int, int] = {}
        """By subject the last transaction that concerned it."""

    def mark(self, session: Session, state: State) -> int:
        """Give the number of the last transaction that a session sees ended with all before it.

        :param state: what the session reads
        """
        mark = _newest(session) if isinstance(state, int) else oldest_running(state) - 1
        with self._turn:
            if self._mark is None:
                self._forget(mark)
        return mark

    def learn(self, session: Session, mark: int) -> None:
        """Learn what the transactions concerned that a session with this mark sees."""
        sqlite = is_sqlite(session)
        with self._turn:
            if self._mark is None or mark - self._mark > (ROWS if sqlite else TRANSACTIONS):
                self._forget(mark)
            elif mark > self._mark or not sqlite:
                rows = select(ChangeTable.number, ChangeTable.subjects).where(ChangeTable.number > self._mark)
                for number, subjects in session.connection().execute(rows):
                    self._learn(number, subjects)
                self._mark = max(mark, self._mark)
                if len(self._last) > REMEMBERED:
                    self._forget(self._mark)

    def _learn(self, number: int, subjects: bytes | None) -> None:
        if subjects is None:
            self._anything = max(self._anything, number)
        else:
            named = array("q")
            named.frombytes(subjects)
            for item in named:
                self._last[item] = max(number, self._last.get(item, 0))

    def _forget(self, mark: int) -> None:
        self._mark, self._forgotten, self._anything, self._last = mark, mark, 0, {}

    def concern(self, subjects: Collection[int], mark: int) -> bool:
        """Tell whether a transaction after a mark, of those that are known, may have changed one of some subjects."""
        with self._turn:
            if mark < max(self._forgotten, self._anything):
                return True
            last = self._last
            return any(last.get(item, 0) > mark for item in subjects)


def _newest(session: Session) -> int:
    newest: int = session.connection().execute(select(func.coalesce(func.max(ChangeTable.number), 0))).scalar_one()
    return newest
