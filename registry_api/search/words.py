"""Cut texts into words: at everything that is no letter or digit, at capitals, and between letters and digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 64
"""Characters of a word that count."""
RUN = re.compile(r"[^\W_]+")
CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
PIECE = re.compile(r"\d+|\D+")


@dataclass(frozen=True)
class Run:
    """Letters and digits that stand together, such as ``carrierDelay24h``.

    ``parts`` are cut at capitals (``carrier``, ``delay24h``); each with the pieces that it is made of when letters and
    digits are mixed in it (``delay``, ``24``, ``h``).
    """

    whole: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    words: frozenset[str]
    """Every word by which the run can be found."""


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Make equal what a reader takes for equal: capitals, accents, ligatures and widths do not matter."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return "".join(char for char in unicodedata.normalize("NFKD", bare.casefold()) if char.isalnum())


@lru_cache(maxsize=65_536)
def run_of(text: str) -> Run | None:
    """Cut what stands together; None when nothing is left of it to search for."""
    whole = fold(text)[:LONGEST]
    parts = tuple(_parts(text))
    pieces = {piece for part, cut in parts for piece in (part, *cut)}
    return Run(whole, parts, frozenset({whole, *pieces})) if whole else None


def runs(text: str) -> Iterator[tuple[Run, int, int]]:
    """Cut a text into runs, each with where it begins and ends."""
    for match in RUN.finditer(text):
        if run := run_of(match[0]):
            yield run, match.start(), match.end()


def words(text: str) -> set[str]:
    """Give every word by which a text can be found."""
    found: set[str] = set()
    for run in map(run_of, RUN.findall(text)):
        if run:
            found |= run.words
    return found


def compact(text: str) -> str:
    """Write a name without what separates its words: ``carrier_delay`` and ``carrierDelay`` are ``carrierdelay``."""
    return "".join(map(fold, RUN.findall(text)))[:LONGEST]


def _parts(run: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for text in CAPITAL.split(run):
        part = fold(text)[:LONGEST]
        if part:
            pieces = tuple(PIECE.findall(part))
            yield part, pieces if len(pieces) > 1 else ()
