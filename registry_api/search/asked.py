"""What is asked for: the words, and the facts that features must have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from festaf.contract.search import SearchFilter
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.search.document import fold_fact
from festaf.registry_api.search.expression import Expression, Lexeme, Place, every, fact, lexeme, owned, some
from festaf.registry_api.search.words import Run, compact, runs

MOST_RUNS = 12
"""Words further behind are not looked for."""
NAME: Sequence[Place] = ("n",)
LABELS: Sequence[Place] = ("n", "l")
TEXTS: Sequence[Place] = ("n", "l", "t")
Meant = Mapping[str, Sequence[str]]
"""By a word, others that it may have meant."""


@dataclass(frozen=True)
class Asked:
    """The words of a search."""

    text: str

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Give the words."""
        return tuple(run for run, _, _ in runs(self.text))[:MOST_RUNS]

    @cached_property
    def compact(self) -> str:
        """Give what a name would begin with if it is the name that was typed."""
        return compact(self.text)

    @cached_property
    def words(self) -> frozenset[str]:
        """Give every form of the words."""
        return frozenset(word for run in self.runs for word in run.words)

    @cached_property
    def last(self) -> frozenset[str]:
        """Give the word that may be unfinished, since it was typed last."""
        return frozenset({self.runs[-1].whole}) if self.runs else frozenset()

    def all_in(self, places: Sequence[Place], meant: Meant | None = None, begun: Set[str] | None = None) -> Expression:
        """Ask for all the words in some places; each word may stand in another.

        :param begun: words that stand for all that begin with them; only the last one when None. An index reads all
            that begins with them, wherever the other words stand: they are dear.
        """
        search = _Search(places, meant or {}, self.last if begun is None else begun)
        return every(search.run(run) for run in self.runs)

    def any_in(self, places: Sequence[Place], meant: Meant) -> Expression:
        """Ask for one of the words."""
        search = _Search(places, meant, frozenset())
        return some(search.run(run) for run in self.runs)


@dataclass(frozen=True)
class _Search:
    """How words are asked for: where, what else they may have meant, and which of them are only begun."""

    places: Sequence[Place]
    meant: Meant
    begun: Set[str]

    def run(self, run: Run) -> Expression:
        ways = [self.word(run.whole)]
        if len(run.parts) > 1 or run.parts[0][1]:
            ways.append(every(self.part(part, pieces) for part, pieces in run.parts))
        return some(ways)

    def part(self, part: str, pieces: Sequence[str]) -> Expression:
        return some([self.word(part), every(map(self.word, pieces))]) if pieces else self.word(part)

    def word(self, word: str) -> Expression:
        own: list[Expression] = [Lexeme(lexeme(place, word), word in self.begun) for place in self.places]
        for other in self.meant.get(word, ()):
            halves = [some(Lexeme(lexeme(place, half)) for place in self.places) for half in other.split()]
            own.append(every(halves))
        return some(own)


def anywhere(sight: Sight) -> Sequence[Place]:
    """Give every place whose words a caller may read: what a search finds would tell of others."""
    return (*TEXTS, *(["s"] if sight.everything else (owned(*owner) for owner in sorted(sight.owners))))


def facts_of(asked: SearchFilter, sight: Sight, *, deleted: bool) -> Expression | None:
    """Ask for the facts that a filter names, in projects that the caller may see; None when there is no such project.

    :param deleted: whether deleted features are looked for, too
    """
    wanted: list[Expression] = []
    if asked.project is not None:
        if not sight.sees(asked.project):
            return None
        wanted.append(Lexeme(fact("project", asked.project)))
    elif sight.projects is not None:
        if not sight.projects:
            return None
        wanted.append(some(Lexeme(fact("project", name)) for name in sorted(sight.projects)))
    said = {
        "feature_set": asked.feature_set,
        "dag_id": asked.dag_id,
        "owner": fold_fact(asked.owner) if asked.owner is not None else None,
        "type": fold_fact(asked.type) if asked.type is not None else None,
    }
    wanted += [Lexeme(fact(kind, value)) for kind, value in said.items() if value is not None]
    wanted += [Lexeme(fact("tag", fold_fact(tag))) for tag in asked.tag]
    states = ("no", "yes") if deleted else ("no",)
    wanted.append(some(Lexeme(fact("deleted", state)) for state in states))
    return every(wanted)
