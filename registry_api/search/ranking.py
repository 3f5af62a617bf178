"""Order what one window of a stage found; every order ends with the whole name, so that it is the same each time."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from rapidfuzz import fuzz

from festaf.registry_api.search.asked import Asked
from festaf.registry_api.search.position import Key, Stage
from festaf.registry_api.search.repository import Candidate

ALIKE = 60
"""How alike a name has to be to come near, of 100."""


def rank(stage: Stage, asked: Asked, found: Candidate) -> Key:
    """Give the key of a feature; smaller is better."""
    name = _name(found)
    if stage in {Stage.BEGINNING, Stage.NAME}:
        return (_nearness(asked, found), *name)
    if stage in {Stage.LABELS, Stage.ANYWHERE}:
        return (-sum(run.whole in found.compact for run in asked.runs), *name)
    if stage is Stage.SIMILAR:
        return (-_likeness(asked, found.compact), *name)
    return (found.feature_id,)


def alike(asked: Asked, found: Iterable[Candidate]) -> list[Candidate]:
    """Give the features whose names come near the words, the nearest first."""
    likened = [(_likeness(asked, item.compact), item) for item in found]
    near = [((-likeness, *_name(item)), item) for likeness, item in likened if likeness >= ALIKE]
    return [item for _, item in sorted(near, key=itemgetter(0))]


def _name(found: Candidate) -> Key:
    return (len(found.compact), found.compact, found.name, found.project, found.feature_set)


def _likeness(asked: Asked, compact: str) -> int:
    """Say how alike a name is to the words, of 100."""
    return round(max(fuzz.ratio(asked.compact, compact), fuzz.partial_ratio(asked.compact, compact) * 0.9))


def _nearness(asked: Asked, found: Candidate) -> int:
    if found.name == asked.text.strip():
        return 0
    return 1 if found.compact == asked.compact else 2
