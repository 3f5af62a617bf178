"""Where a search stands: what a cursor keeps, so that the next page goes on from there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from enum import IntEnum

from festaf.registry_api.errors import BadRequestError
from festaf.registry_api.page import decode_cursor, encode_cursor

Key = tuple[int | str, ...]
"""What features found in one stage are ordered by."""


class Stage(IntEnum):
    """Where a search looks, one after the other."""

    BEGINNING = 0
    NAME = 1
    LABELS = 2
    ANYWHERE = 3
    SIMILAR = 4
    FILTER = 5
    END = 6


@dataclass(frozen=True)
class Position:
    """A place in the results."""

    stage: Stage
    after: int = 0
    """The last feature of the windows that were seen to their end."""
    last: Key = ()
    """The last feature that was given out of the present window; empty before the first."""
    boundary: tuple[str, int] | None = None
    """The last name that the first stage looked at; None when it saw all that begin with the words."""
    found: bool = False
    """Whether anything was found."""

    def to(self, stage: Stage) -> Position:
        """Begin another stage."""
        return replace(self, stage=stage, after=0, last=())

    def encode(self, question: str) -> str:
        """Write a cursor."""
        rest = json.dumps([self.stage, self.after, self.last, self.boundary, self.found])
        return encode_cursor(fingerprint(question), rest)


def decode(cursor: str, question: str) -> Position:
    """Read a cursor.

    :raises BadRequestError: it was not given out for this question
    """
    mark, rest = decode_cursor(cursor, 2)
    refused = BadRequestError("the cursor is not one that this search gave out")
    if mark != fingerprint(question):
        raise refused
    try:
        stage, after, last, boundary, found = json.loads(rest)
        return Position(
            Stage(stage),
            _number(after),
            _key(last),
            (str(boundary[0]), _number(boundary[1])) if boundary else None,
            bool(found),
        )
    except (ValueError, TypeError, IndexError, KeyError, RecursionError) as error:
        raise refused from error


def fingerprint(question: str) -> str:
    """Tell questions apart."""
    return hashlib.sha256(question.encode()).hexdigest()[:12]


def _number(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(value)
    return value


def _key(value: object) -> Key:
    if not isinstance(value, list) or not all(isinstance(part, (int, str)) for part in value):
        raise ValueError(value)
    return tuple(value)
