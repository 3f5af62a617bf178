"""Words that a mistyped word may have meant.

Two words that differ by a few letters are equal once those letters are left out of both (SymSpell's observation): so
the words near to one are found by equality, in an index, and only they are compared letter by letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from rapidfuzz.distance import OSA

BEGINNING = 7
"""Letters of a word that its variants are made of."""
SHORTEST = 3
LONGEST = 32
CHOICES = 3


def tolerance(word: str) -> int:
    """Say how many letters may be wrong: added, left out, changed, or swapped with the next."""
    return 0 if len(word) < SHORTEST else 1 if len(word) < 6 else 2


def is_spelled(word: str) -> bool:
    """Tell whether a word is one that is typed by its letters: no number, no hash."""
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def variants(word: str) -> set[str]:
    """Give the beginning of a word with up to as many letters left out as may be wrong."""
    beginning = word[:BEGINNING]
    found = set()
    for count in range(tolerance(word) + 1):
        for kept in combinations(beginning, len(beginning) - count):
            found.add("".join(kept))
    return found - {""}


def nearest(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """Choose the known words that are nearest, among equals those that begin alike."""
    bound = tolerance(word)
    measured = ((OSA.distance(word, other, score_cutoff=bound), other) for other in set(known) - {word})
    near = sorted((far, other[:1] != word[:1], other) for far, other in measured if far <= bound)
    return tuple(other for _, _, other in near[:CHOICES])
