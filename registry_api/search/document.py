"""What is kept of a feature so that it can be found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from festaf.registry_api.access.sight import owner_of_source
from festaf.registry_api.search.expression import Place, fact, lexeme, owned
from festaf.registry_api.search.spelling import is_spelled
from festaf.registry_api.search.words import compact, words

PLACES: Mapping[str, Place] = {
    "name": "n",
    "project": "l",
    "feature_set": "l",
    "owner": "l",
    "tags": "l",
    "dag_id": "l",
    "description": "t",
    "purpose": "t",
    "technique": "t",
}
"""Where each searched fact stands; of sources, see ``_source_places``."""
UNSPELLED = {"project", "owner", "sources"}
"""Facts whose words are names of people and places: a typo is not corrected to one of them."""
MOST_WORDS = 2_000
"""Of one feature; what stands further behind in a long text is not searched."""


@dataclass(frozen=True)
class Described:
    """A feature with everything that a search may ask for; ``facts`` are the searched texts by name."""

    feature_id: int
    facts: Mapping[str, tuple[str, ...]]
    type: str | None
    deleted: bool

    @property
    def name(self) -> str:
        """Give the feature's name."""
        return self.facts["name"][0]

    @property
    def project(self) -> str:
        """Give the feature's project."""
        return self.facts["project"][0]

    @property
    def compact(self) -> str:
        """Give the name without what separates its words."""
        return compact(self.name)

    def lexemes(self) -> list[str]:
        """Give the document: its words by place, and its facts."""
        found = {
            lexeme(place, word)
            for name, place in PLACES.items()
            for text in self.facts.get(name, ())
            for word in _words(text)
        }
        found |= {
            lexeme(place, word)
            for source in self.facts.get("sources", ())
            for place in _source_places(source)
            for word in _words(source)
        }
        return sorted(found | self._keys())

    def spelled_words(self) -> set[str]:
        """Give the words that a typo may have meant."""
        found: set[str] = set()
        for name, said in self.facts.items():
            if name not in UNSPELLED:
                found.update(*map(words, said))
        return {word for word in found if is_spelled(word)}

    def _keys(self) -> set[str]:
        single = {name: self.facts.get(name, ()) for name in ("project", "feature_set", "dag_id")}
        keys = {fact(name, value) for name, values in single.items() for value in values}
        keys |= {fact("owner", fold_fact(value)) for value in self.facts.get("owner", ())}
        keys |= {fact("tag", fold_fact(value)) for value in self.facts.get("tags", ())}
        keys |= {fact("type", fold_fact(self.type))} if self.type else set()
        return keys | {fact("deleted", "yes" if self.deleted else "no")}


def _source_places(source: str) -> tuple[Place, ...]:
    """Give the places of a source's words: for who sees everything, and for who sees what it is part of."""
    owner = owner_of_source(source)
    return ("t",) if owner is None else ("s", owned(*owner))


@lru_cache(maxsize=8_192)
def _words(text: str) -> tuple[str, ...]:
    return tuple(sorted(words(text))[:MOST_WORDS])


def fold_fact(value: str) -> str:
    """Make equal what filters by owner, tag and type take for equal."""
    return value.strip().casefold()


def texts(*values: Any) -> tuple[str, ...]:
    """Keep what is a text with something in it."""
    return tuple(value for value in values if isinstance(value, str) and value.strip())
