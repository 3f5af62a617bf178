"""Questions to a full-text index, in the languages of SQLite's FTS5 and PostgreSQL's tsquery.

A document is a set of lexemes. A lexeme is a word behind a letter that says where the word stands: ``n`` in the name,
``l`` on a label (project, feature set, owner, tags, DAG), ``t`` in a longer text, ``s`` in a declared source, and there
also ``v`` with the hash of whose the source is; or ``k`` and the hash of a fact that a filter asks for. So one index
answers all of it to everybody, and no row has to be read again to see where a word stood.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Place = str
FACT = "k"


@dataclass(frozen=True)
class Lexeme:
    """One lexeme, or all that begin with it."""

    text: str
    prefix: bool = False

    def fts5(self) -> str:
        """Write it for SQLite."""
        return f'"{self.text}" *' if self.prefix else f'"{self.text}"'

    def tsquery(self) -> str:
        """Write it for PostgreSQL."""
        return f"'{self.text}':*" if self.prefix else f"'{self.text}'"

    def matches(self, document: Collection[str]) -> bool:
        """Tell whether a document has it."""
        return any(item.startswith(self.text) for item in document) if self.prefix else self.text in document

    def whole(self) -> Expression | None:
        """Give what a document has that matches, of whole words alone; None when those do not tell."""
        return None if self.prefix or self.text.startswith(FACT) else self


@dataclass(frozen=True)
class Every:
    """All of several."""

    items: tuple[Expression, ...]

    def fts5(self) -> str:
        """Write it for SQLite."""
        return f"({' AND '.join(item.fts5() for item in self.items)})"

    def tsquery(self) -> str:
        """Write it for PostgreSQL."""
        return f"({' & '.join(item.tsquery() for item in self.items)})"

    def matches(self, document: Collection[str]) -> bool:
        """Tell whether a document has them all."""
        return all(item.matches(document) for item in self.items)

    def whole(self) -> Expression | None:
        """Give what a document has that matches, of whole words alone; None when those do not tell."""
        known = [found for item in self.items if (found := item.whole())]
        return every(known) if known else None


@dataclass(frozen=True)
class Some:
    """At least one of several."""

    items: tuple[Expression, ...]

    def fts5(self) -> str:
        """Write it for SQLite."""
        return f"({' OR '.join(item.fts5() for item in self.items)})"

    def tsquery(self) -> str:
        """Write it for PostgreSQL."""
        return f"({' | '.join(item.tsquery() for item in self.items)})"

    def matches(self, document: Collection[str]) -> bool:
        """Tell whether a document has one of them."""
        return any(item.matches(document) for item in self.items)

    def whole(self) -> Expression | None:
        """Give what a document has that matches, of whole words alone; None when those do not tell."""
        known = [found for item in self.items if (found := item.whole())]
        return some(known) if known and len(known) == len(self.items) else None


@dataclass(frozen=True)
class Without:
    """One, but not the other."""

    wanted: Expression
    unwanted: Expression

    def fts5(self) -> str:
        """Write it for SQLite."""
        return f"({self.wanted.fts5()} NOT {self.unwanted.fts5()})"

    def tsquery(self) -> str:
        """Write it for PostgreSQL."""
        return f"({self.wanted.tsquery()} & !{self.unwanted.tsquery()})"

    def matches(self, document: Collection[str]) -> bool:
        """Tell whether a document has the one and not the other."""
        return self.wanted.matches(document) and not self.unwanted.matches(document)

    def whole(self) -> Expression | None:
        """Give what a document has that matches, of whole words alone; None when those do not tell."""
        return self.wanted.whole()


Expression = Lexeme | Every | Some | Without


def every(items: Iterable[Expression]) -> Expression:
    """Ask for all of them."""
    found = tuple(items)
    return found[0] if len(found) == 1 else Every(found)


def some(items: Iterable[Expression]) -> Expression:
    """Ask for at least one of them."""
    found = tuple(dict.fromkeys(items))
    return found[0] if len(found) == 1 else Some(found)


def lexeme(place: Place, word: str) -> str:
    """Code a word: letters beyond ASCII in hexadecimal, so that both databases take it as it is, and its prefixes."""
    return place + (word if word.isascii() else "0x" + word.encode("utf-8").hex())


@lru_cache(maxsize=16_384)
def owned(kind: Literal["project", "namespace"], name: str) -> Place:
    """Give the place of words in sources that are a project's or an OpenLineage namespace's."""
    return "v" + hashlib.sha256(f"{kind}={name}".encode()).hexdigest()[:8]


@lru_cache(maxsize=16_384)
def fact(kind: str, value: str) -> str:
    """Code a fact that filters ask for."""
    return FACT + hashlib.sha256(f"{kind}={value}".encode()).hexdigest()[:16]
