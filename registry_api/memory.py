"""Remember between transactions what a database's rows never change: ids by key.

What a transaction learns is remembered only when it is committed. A rebuild of the derived tables gives other ids; it
leaves a new number in the table ``generation``, and whoever finds one forgets everything.
"""

from __future__ import annotations

from collections.abc import Hashable
from threading import Lock
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

MEMORY = "festaf_memory"
RECALL = "festaf_recall"
CAPACITY = 400_000


class Memory:
    """What is remembered of one database."""

    def __init__(self) -> None:
        self.known: dict[Hashable, Any] = {}
        self.generation: int | None = None
        self._lock = Lock()

    def learn(self, fresh: dict[Hashable, Any], generation: int) -> None:
        """Remember; when there is too much, the oldest half is forgotten."""
        with self._lock:
            if generation != self.generation:
                return
            known = self.known | fresh if len(fresh) > len(self.known) else self.known
            known.update(fresh)
            if len(known) > CAPACITY:
                known = dict(list(known.items())[len(known) // 2 :])
            self.known = known

    def turn(self, generation: int) -> None:
        """Forget everything if the database is of another generation."""
        with self._lock:
            if generation != self.generation:
                self.known, self.generation = {}, generation


class Recall:
    """What is remembered, as one transaction sees it."""

    def __init__(self, session: Session) -> None:
        self.memory: Memory = session.info.get(MEMORY) or Memory()
        self.generation = session.connection().execute(text("SELECT max(number) FROM generation")).scalar() or 0
        self.memory.turn(self.generation)
        self.known = self.memory.known
        self.fresh: dict[Hashable, Any] = {}

    def get(self, key: Hashable) -> Any:
        """Give what is remembered under a key, or None."""
        found = self.fresh.get(key)
        return self.known.get(key) if found is None else found

    def put(self, key: Hashable, value: Any) -> None:
        """Remember, if the transaction is committed."""
        self.fresh[key] = value

    def forget(self) -> None:
        """Forget what this transaction learned: a part of it was undone."""
        self.fresh = {}

    def keep(self) -> None:
        """Remember what was learned: it is committed."""
        self.memory.learn(self.fresh, self.generation)


def recall(session: Session) -> Recall:
    """Give what is remembered for the session's transaction."""
    found: Recall = session.info.get(RECALL) or Recall(session)
    session.info[RECALL] = found
    return found


def keep_recall(session: Session) -> None:
    """Remember what the session's transaction learned, after it was committed."""
    found: Recall | None = session.info.get(RECALL)
    if found is not None:
        found.keep()
