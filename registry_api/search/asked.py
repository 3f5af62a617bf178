"""What is asked for: the words, and the facts that features must have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from festaf.contract.search import SearchFilter
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.search.document import fold_fact
from festaf.registry_api.search.expression import Expression, Lexeme, Place, every, fact, lexeme, some
from festaf.registry_api.search.words import Run, compact, runs

MOST_RUNS = 12
"""Words further behind are not looked for."""
NAME: Sequence[Place] = ("n",)
LABELS: Sequence[Place] = ("n", "l")
ANYWHERE: Sequence[Place] = ("n", "l", "t")
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

    def all_in(self, places: Sequence[Place], meant: Meant | None = None) -> Expression:
        """Ask for all the words in some places; each word may stand in another."""
        last = len(self.runs) - 1
        return every(_run(run, places, meant or {}, last=index == last) for index, run in enumerate(self.runs))

    def any_in(self, places: Sequence[Place], meant: Meant) -> Expression:
        """Ask for one of the words."""
        return some(_run(run, places, meant, last=False) for run in self.runs)


def _run(run: Run, places: Sequence[Place], meant: Meant, *, last: bool) -> Expression:
    ways = [_word(run.whole, places, meant, last=last)]
    if len(run.parts) > 1 or run.parts[0][1]:
        ways.append(every(_part(part, pieces, places, meant) for part, pieces in run.parts))
    return some(ways)


def _part(part: str, pieces: Sequence[str], places: Sequence[Place], meant: Meant) -> Expression:
    whole = _word(part, places, meant, last=False)
    if not pieces:
        return whole
    return some([whole, every(_word(piece, places, meant, last=False) for piece in pieces)])


def _word(word: str, places: Sequence[Place], meant: Meant, *, last: bool) -> Expression:
    """Ask for a word, in any of the places. The last one may be unfinished, and so may any long one."""
    prefix = last or is_prefix(word)
    own: list[Expression] = [Lexeme(lexeme(place, word), prefix) for place in places]
    for other in meant.get(word, ()):
        halves = [some(Lexeme(lexeme(place, half)) for place in places) for half in other.split()]
        own.append(every(halves))
    return some(own)


def is_prefix(word: str) -> bool:
    """Tell whether a word stands for all that begin with it: two letters or a number would stand for too much."""
    return len(word) > 2 and word.isalpha()


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
