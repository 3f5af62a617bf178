"""Show where words stand in the texts of a feature."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set

from festaf.contract.search import Highlight
from festaf.registry_api.search.words import compact, runs

SHOWN = 200
"""Characters of a longer text."""
BEFORE = 40
"""Of them, before the first word."""
Span = tuple[int, int]


def highlights(
    facts: Mapping[str, Iterable[str]], words: Collection[str], unfinished: Set[str], beginning: str | None
) -> tuple[Highlight, ...]:
    """Give each text in which words stand, cut around the first of them.

    :param unfinished: the words that may go on
    :param beginning: what the name begins with when it was typed without what separates its words
    """
    whole = frozenset(words)
    longer = tuple(word for word in words if word in unfinished)
    found: list[Highlight] = []
    for field, said in facts.items():
        for text in said:
            spans = [(start, end) for run, start, end in runs(text) if _is(run.words, whole, longer)]
            if field == "name" and beginning and not spans:
                spans = [(0, _reach(text, beginning))]
            if spans:
                found.append(_cut(field, text, spans))
    return tuple(found)


def _is(standing: Set[str], whole: Set[str], longer: tuple[str, ...]) -> bool:
    return bool(whole & standing) or any(word.startswith(longer) for word in standing)


def _reach(name: str, beginning: str) -> int:
    return next((end for end in range(1, len(name)) if len(compact(name[:end])) >= len(beginning)), len(name))


def _cut(field: str, text: str, spans: list[Span]) -> Highlight:
    if len(text) <= SHOWN:
        return Highlight(field=field, text=text, spans=tuple(spans))
    start = max(min(spans[0][0] - BEFORE, len(text) - SHOWN), 0)
    end = start + SHOWN
    inside = tuple((first - start, min(last, end) - start) for first, last in spans if start <= first < end)
    return Highlight(field=field, text=text[start:end], spans=inside)
