"""Search features: by the beginning of the name, then by words in better and worse places, then forgiving typos.

Each stage is walked in windows of a few hundred features, in the index's own order; what one window holds is ranked.
So a page costs the same at any depth and for any word, and every feature that matches is given out once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from typing import Any

from sqlalchemy.orm import Session

from festaf.contract.feature import FeatureSummary
from festaf.contract.http import API
from festaf.contract.search import Ask, FeatureSearch, Hit, Match, SearchFilter
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.catalog.hiding import without_hidden
from festaf.registry_api.errors import BadRequestError
from festaf.registry_api.search.asked import LABELS, NAME, Asked, Meant, anywhere, facts_of
from festaf.registry_api.search.document import texts
from festaf.registry_api.search.expression import Expression, Without, every
from festaf.registry_api.search.highlights import highlights
from festaf.registry_api.search.position import Key, Position, Stage, decode
from festaf.registry_api.search.ranking import alike, rank
from festaf.registry_api.search.repository import SEPARATE, Candidate, SearchRepository, Shown
from festaf.registry_api.search.spelling import is_spelled, nearest, tolerance

WINDOW = 100
MOST_WINDOWS = 10
"""Of one page; a page that found less by then says where to go on."""
NEAR = 5
MOST_OF_A_NAME = 64
ASK_HERE = f"{API}/feature-requests"


@dataclass(frozen=True)
class Question:
    """What is asked, by words and facts."""

    words: str
    filter: SearchFilter
    deleted: bool = False
    written_since: datetime | None = None
    not_written_since: datetime | None = None

    @property
    def text(self) -> str:
        """Write it so that a cursor can tell it from others."""
        return repr((self.words, self.filter, self.deleted, self.written_since, self.not_written_since))


class FeatureFinder:
    """Answers one question."""

    def __init__(self, session: Session, question: Question, sight: Sight) -> None:
        self.repository = SearchRepository(session)
        self.question = question
        self.sight = sight
        self.asked = Asked(question.words)
        self.anywhere = anywhere(sight)
        self.facts = facts_of(question.filter, sight, deleted=question.deleted)

    def page(self, cursor: str | None, limit: int) -> FeatureSearch:
        """Give one page.

        :raises BadRequestError: the cursor is not one of this question
        """
        position = self._start()
        if cursor:
            given = decode(cursor, self.question.text)
            if Stage.FILTER in {position.stage, given.stage} and position.stage is not given.stage:
                raise BadRequestError("the cursor is not one that this search gave out")
            position = position if position.stage is Stage.END else given
        found: list[tuple[Candidate, Stage]] = []
        windows = 0
        while position.stage is not Stage.END and len(found) < limit and windows < MOST_WINDOWS:
            taken, position = self._step(position, limit - len(found))
            found += taken
            windows += 1
            if Stage.LABELS <= position.stage < Stage.END and self._is_named(found):
                break  # What was typed is a name: whoever wants weaker matches asks for the next page.
        ended = position.stage is Stage.END
        missing = ended and not position.found
        return FeatureSearch(
            items=self._hits(found),
            cursor=None if ended else position.encode(self.question.text),
            near=self._near() if missing else (),
            ask=self._ask() if missing and self.asked.runs else None,
        )

    def _is_named(self, found: list[tuple[Candidate, Stage]]) -> bool:
        return any(item.compact == self.asked.compact for item, _ in found)

    def _start(self) -> Position:
        if self.facts is None:
            return Position(Stage.END)
        if self.asked.runs:
            return Position(Stage.BEGINNING)
        return Position(Stage.END if self.question.words.strip() else Stage.FILTER)

    def _step(self, position: Position, limit: int) -> tuple[list[tuple[Candidate, Stage]], Position]:
        """Take what is left of one window, and say where to go on."""
        stage = position.stage
        ids, following = self._window(position)
        found = [(self._rank(stage, item), item) for item in self._candidates(ids, position)]
        ranked = sorted(found, key=itemgetter(0))
        try:
            left = [(key, item) for key, item in ranked if not position.last or key > position.last]
        except TypeError as error:
            raise BadRequestError("the cursor is not one that this search gave out") from error
        taken = left[:limit]
        if len(taken) < len(left):
            following = replace(position, last=taken[-1][0])
        return [(item, stage) for _, item in taken], replace(following, found=position.found or bool(taken))

    def _rank(self, stage: Stage, item: Candidate) -> Key:
        return rank(stage, self.asked, item)

    def _window(self, position: Position) -> tuple[list[int], Position]:
        """Give the features of a window, and the position behind it."""
        if position.stage is Stage.BEGINNING:
            return self._beginning(position)
        ids = self.repository.matching(self._expression(position.stage), position.after, WINDOW)
        if len(ids) == WINDOW:
            return ids, replace(position, after=ids[-1], last=())
        found = position.found or bool(ids)
        return ids, position.to(_next(position.stage, found=found))

    def _beginning(self, position: Position) -> tuple[list[int], Position]:
        projects = self._projects()
        rows = self.repository.beginning(self.asked.compact, projects, WINDOW)
        boundary = rows[-1] if len(rows) == WINDOW else None
        ids = [feature_id for _, feature_id in rows]
        narrowed = self.question.filter.model_copy(update={"project": None}) != SearchFilter()
        if ids and self.facts and (narrowed or (projects is not None and len(projects) > SEPARATE)):
            ids = self.repository.agreeing(ids, self.facts)
        return ids, replace(position.to(Stage.NAME), boundary=boundary)

    def _projects(self) -> frozenset[str] | None:
        project = self.question.filter.project
        return frozenset({project}) if project is not None else self.sight.projects

    def _candidates(self, ids: list[int], position: Position) -> list[Candidate]:
        if not ids:
            return []
        question = self.question
        found = self.repository.candidates(
            ids,
            deleted=question.deleted,
            written_since=question.written_since,
            not_written_since=question.not_written_since,
        )
        if Stage.NAME <= position.stage <= Stage.ANYWHERE:
            return [item for item in found if not self._seen(item, position.boundary)]
        return found

    def _seen(self, item: Candidate, boundary: tuple[str, int] | None) -> bool:
        """Tell whether the first stage looked at a feature."""
        if not item.compact.startswith(self.asked.compact):
            return False
        return boundary is None or (item.compact, item.feature_id) <= boundary

    def _expression(self, stage: Stage) -> Expression:
        assert self.facts is not None
        asked = self.asked
        if stage is Stage.FILTER:
            return self.facts
        if stage is Stage.NAME:
            return every([self.facts, asked.all_in(NAME)])
        if stage is Stage.LABELS:
            return Without(every([self.facts, asked.all_in(LABELS)]), asked.all_in(NAME))
        if stage is Stage.ANYWHERE:
            return Without(every([self.facts, asked.all_in(self.anywhere)]), asked.all_in(LABELS))
        return every([self.facts, asked.all_in(self.anywhere, self._meanings, self._begun)])

    @cached_property
    def _begun(self) -> frozenset[str]:
        """Give the words that stand for all that begin with them once nothing else was found: the unknown ones."""
        spelled = {word for word in self.asked.words if is_spelled(word)}
        return frozenset(spelled - self.repository.spelled(spelled)) | self.asked.last

    @cached_property
    def _meanings(self) -> Meant:
        """Give what each word may have meant if it was mistyped: others, or two that were not separated."""
        return {word: self._meaning(word) for word in sorted(self.asked.words) if is_spelled(word)}

    def _meaning(self, word: str) -> tuple[str, ...]:
        others = nearest(word, self.repository.spelled_like(word)) if tolerance(word) else ()
        cuts = [(word[:end], word[end:]) for end in range(2, len(word) - 1)]
        known = self.repository.spelled({half for cut in cuts for half in cut}) if cuts else set()
        return (*others, *(f"{first} {second}" for first, second in cuts if {first, second} <= known))

    def _ask(self) -> Ask:
        """Say how to ask for it."""
        project = self.question.filter.project
        visible = project if project is not None and self.sight.sees(project) else None
        name = "_".join(run.whole for run in self.asked.runs)[:MOST_OF_A_NAME]
        return Ask(href=ASK_HERE, template={"project": visible, "name": name, "purpose": None})

    def _near(self) -> tuple[FeatureSummary, ...]:
        """Give the features with the most similar names, whatever the filters say."""
        facts = facts_of(SearchFilter(), self.sight, deleted=False)
        if facts is None or not self.asked.runs:
            return ()
        asked = (self.asked.all_in(NAME), self.asked.any_in(NAME, self._meanings))
        ids = {id_ for words in asked for id_ in self.repository.matching(every([facts, words]), 0, WINDOW)}
        found = self.repository.candidates(ids, deleted=False)
        near = [item.feature_id for item in alike(self.asked, found)[:NEAR]]
        shown = self.repository.shown(near)
        return tuple(FeatureSummary(**_summary(shown[feature_id])) for feature_id in near)

    def _hits(self, found: list[tuple[Candidate, Stage]]) -> tuple[Hit, ...]:
        shown = self.repository.shown([item.feature_id for item, _ in found]) if found else {}
        return tuple(
            self._hit(self._match(item, stage), shown[item.feature_id])
            for item, stage in found
            if item.feature_id in shown
        )

    def _match(self, item: Candidate, stage: Stage) -> Match:
        if stage in {Stage.BEGINNING, Stage.NAME}:
            if item.compact == self.asked.compact:
                return "exact"
            return "prefix" if item.compact.startswith(self.asked.compact) else "name"
        others: dict[Stage, Match] = {Stage.LABELS: "labels", Stage.ANYWHERE: "text", Stage.SIMILAR: "similar"}
        return others.get(stage, "filter")

    def _hit(self, match: Match, shown: Shown) -> Hit:
        content = without_hidden(shown.content, self.sight)
        facts = {
            "name": (shown.name,),
            "feature_set": (shown.feature_set,),
            "project": (shown.project,),
            "owner": texts(shown.owner),
            "tags": texts(*(content.get("tags") or ())),
            "dag_id": texts(shown.dag_id),
            "description": texts(shown.description),
            "purpose": texts(content.get("purpose")),
            "technique": texts(content.get("technique")),
            "sources": texts(*(content.get("sources") or ())),
        }
        words = set(self.asked.words)
        begun = self.asked.last
        if match == "similar":
            begun = self._begun
            words |= {half for others in self._meanings.values() for other in others for half in other.split()}
        beginning = self.asked.compact if match in {"exact", "prefix"} else None
        return Hit(
            **_summary(shown),
            match=match,
            tags=facts["tags"],
            highlights=highlights(facts, words, begun, beginning) if words else (),
        )


def _next(stage: Stage, *, found: bool) -> Stage:
    if stage is Stage.ANYWHERE:
        return Stage.END if found else Stage.SIMILAR
    return Stage.END if stage in {Stage.SIMILAR, Stage.FILTER} else Stage(stage + 1)


def _summary(shown: Shown) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in FeatureSummary.model_fields}
