"""What was known at a time is what a registry answers that had received only the events up to that time."""

from __future__ import annotations

import random
import shutil
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from festaf.contract.graph import Graph
from festaf.registry_api.database import Database
from festaf.registry_api.graph.walk import PART_OF
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.viewpoint import NOW, Viewpoint
from tests.registry_api.events import DAY, at
from tests.registry_api.story import story
from tests.registry_api.test_order import Answers, empty, everything

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from tests.registry_api.events import Json

__all__ = ["empty"]


STORY = story()
EARLIER = at(24 * 60 + 15)


def arrival(place: int) -> datetime:
    """Give when the event at a place of the order arrives: a year after all of them happened."""
    return DAY + timedelta(days=365, minutes=place)


def receive(database: Database, events: Sequence[Json]) -> None:
    for place, event in enumerate(events):
        with database.writing() as session:
            LineageService(session, arrival(place)).take(event)


@contextmanager
def registry_of(empty: Path, name: str) -> Iterator[Database]:
    path = empty.with_name(f"{name}.db")
    shutil.copy(empty, path)
    database = Database(f"sqlite:///{path}")
    try:
        yield database
    finally:
        database.close()
        for left in empty.parent.glob(f"{name}.db*"):
            left.unlink()


def assert_same(full: Database, cut: Database, known_at: datetime) -> None:
    """Compare what the full registry knew at a time with what the cut one answers now."""
    then = everything(full, (Viewpoint(None, known_at), Viewpoint(EARLIER, known_at)), known_at)
    now = everything(cut, (NOW, Viewpoint(EARLIER)), known_at)
    assert Answers(_without_parts(then)).differences(Answers(_without_parts(now))) == []


def _without_parts(answers: Answers) -> list[Any]:
    """Leave out since when a column is a part of its dataset: nodes keep one time only."""
    found: list[Any] = []
    for said in answers.said:
        if isinstance(said, Graph):
            edges = tuple(edge for edge in said.edges if edge.transformation != PART_OF)
            found.append(said.model_copy(update={"edges": edges}))
        else:
            found.append(said)
    return found


# Shrinking would tell the story hundreds of times; a shuffle that fails is short enough to read.
@settings(max_examples=2, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
@given(order=st.permutations(range(len(STORY))), cut=st.integers(1, len(STORY) - 1))
@pytest.mark.long
def test_what_was_known_is_what_a_registry_answers_that_learned_no_more(
    empty: Path, order: list[int], cut: int
) -> None:
    events = [STORY[index] for index in order]
    with registry_of(empty, "full") as full, registry_of(empty, "cut") as short:
        receive(full, events)
        receive(short, events[:cut])
        assert_same(full, short, arrival(cut - 1))


def test_postgresql_knows_what_it_knew(empty: Path, postgres_url: str) -> None:
    events = random.Random(11).sample(STORY, len(STORY))
    cut = len(events) * 2 // 3
    full = Database(postgres_url)
    with registry_of(empty, "cut") as short:
        receive(full, events)
        receive(short, events[:cut])
        assert_same(full, short, arrival(cut - 1))
    full.close()
