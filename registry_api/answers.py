"""Answers that were given before: given again while the database is in the state that they were read from."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from pydantic import BaseModel

from festaf.registry_api.state import State

CAPACITY = 64 * 1024 * 1024
"""How many bytes of answers one process keeps."""
WEIGHT_OF_SUBJECT = 60
WEIGHT_OF_MODEL = 10
"""About how many times the bytes of its JSON a model takes."""


@dataclass(frozen=True)
class Answer:
    """An answer as it is sent."""

    body: bytes
    etag: str


@dataclass(frozen=True)
class Source:
    """What an answer was read from; see ``changes``."""

    subjects: frozenset[int]
    mark: int
    """All that had ended by then is in it."""

    @property
    def weight(self) -> int:
        """Give about how many bytes it takes."""
        return WEIGHT_OF_SUBJECT * len(self.subjects)


@dataclass(frozen=True)
class Kept:
    """What one state of the database answers to one question."""

    state: State | None
    """None when it was passed by before the answer was ready."""
    answer: Answer | None = None
    model: BaseModel | None = None
    """In the place of the answer, when that changes with the time, too."""
    weight: int = 0
    source: Source | None = None
    """None when it is of this state alone."""


class Answers:
    """The answers of one process, those that were asked for last."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.weight = 0
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._turn = threading.Lock()

    def find(self, question: Hashable, state: State) -> Kept | None:
        """Give what the state answers, if it was asked before."""
        found = self.last(question)
        return found if found and found.state == state else None

    def last(self, question: Hashable) -> Kept | None:
        """Give what was answered last, from whichever state."""
        with self._turn:
            found = self._kept.get(question)
            if found is not None:
                self._kept.move_to_end(question)
            return found

    def keep(self, question: Hashable, kept: Kept) -> None:
        """Keep it, and forget what was not asked for longest."""
        with self._turn:
            before = self._kept.pop(question, None)
            self.weight += kept.weight - (before.weight if before else 0)
            self._kept[question] = kept
            while self.weight > self.capacity:
                _, forgotten = self._kept.popitem(last=False)
                self.weight -= forgotten.weight


def write(model: BaseModel) -> Answer:
    """Write an answer that needs no second check."""
    body: bytes = model.__pydantic_serializer__.to_json(model, by_alias=True)
    return Answer(body, f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"')


def kept_answer(state: State | None, answer: Answer, source: Source | None = None) -> Kept:
    """Keep an answer that changes only with the database."""
    return Kept(state, answer, None, len(answer.body) + (source.weight if source else 0), source)


def kept_model(state: State | None, model: BaseModel, answer: Answer, source: Source | None = None) -> Kept:
    """Keep what an answer is made from that changes with the time, too."""
    weight = len(answer.body) * WEIGHT_OF_MODEL + (source.weight if source else 0)
    return Kept(state, None, model, weight, source)
