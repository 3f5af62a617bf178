"""Late, doubled and shuffled events give the same answers as events in order."""

from __future__ import annotations

import itertools
import random
import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from festaf.registry_api.access.sight import EVERYTHING
from festaf.registry_api.dags.listing import DagListing
from festaf.registry_api.dags.record import run_record
from festaf.registry_api.database import Database
from festaf.registry_api.errors import NotFoundError
from festaf.registry_api.features.answer import FeatureAnswer
from festaf.registry_api.features.history import FeatureHistory
from festaf.registry_api.features.impact import ImpactAnswer
from festaf.registry_api.features.listing import FeatureFilter, FeatureListing
from festaf.registry_api.features.sources import FeatureGraph
from festaf.registry_api.graph.names import feature_node
from festaf.registry_api.graph.walk import Walk
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.schema import migrate
from festaf.registry_api.viewpoint import Viewpoint
from tests.registry_api.contents import contents, differences
from tests.registry_api.events import DAY, RICH, at, dag_run_of, dataset, run_of, task_event, written
from tests.registry_api.story import story

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from sqlalchemy.orm import Session

    from festaf.contract.http import Page
    from tests.registry_api.events import Json

STORY = story()
VIEWS = tuple(Viewpoint(moment) for moment in (None, at(24 * 60 + 15)))


def tell(database: Database, events: list[Json]) -> None:
    with database.writing() as session:
        service = LineageService(session, DAY)
        for event in events:
            service.take(event)


def tell_in_batches(database: Database, batches: list[list[Json]]) -> None:
    """Tell batches, each a minute after the one before."""
    for number, events in enumerate(batches):
        with database.writing() as session:
            assert LineageService(session, DAY + timedelta(minutes=number)).take_batch(events) == []


class Answers:
    """Everything the registry says, with a short repr."""

    def __init__(self, said: list[Any]) -> None:
        self.said = said

    def differences(self, other: Answers) -> list[tuple[Any, Any]]:
        """Give the first answers that differ."""
        if len(self.said) != len(other.said):
            return [(len(self.said), len(other.said))]
        return [pair for pair in zip(self.said, other.said, strict=True) if pair[0] != pair[1]][:2]


def _answers(session: Session, view: Viewpoint, now: datetime) -> list[Any]:
    asked = FeatureFilter(asOf=view.as_of, knownAt=view.known_at)
    features = FeatureListing(session, EVERYTHING).page(asked).items
    said: list[Any] = [features]
    for item in features:
        name = (item.project, item.feature_set, item.name)
        answer = FeatureAnswer(session, view, now, EVERYTHING)
        row, _ = answer.require(*name)
        said.append(answer.give(*name))
        said.append(FeatureHistory(session, view, row, EVERYTHING).page(None, 100))
        if item.name == "dep_delay":
            said.append(ImpactAnswer(session, view, EVERYTHING).give(*name, depth=6, limit=100))
        said.append(Walk(FeatureGraph(session, view), feature_node(*name), 100, EVERYTHING).go("both", 6))
    listing = DagListing(session, view, EVERYTHING)
    dags: Page[Any] = listing.dags_page(None, None, 100)
    said.append(dags)
    said += [listing.versions_page(dag.dag_id, None, None, 100) for dag in dags.items]
    return said + [_run(session, run, view) for run in (run_of(), run_of(day=1), run_of("marked"), dag_run_of())]


def _run(session: Session, run: UUID, view: Viewpoint) -> Any:
    try:
        return run_record(session, run, view, EVERYTHING)
    except NotFoundError as error:
        return error.detail


def everything(database: Database, views: Iterable[Viewpoint] = VIEWS, now: datetime = DAY) -> Answers:
    """Ask for all that the registry knows."""
    with database.reading() as session:
        return Answers([answer for view in views for answer in _answers(session, view, now)])


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with the schema and nothing else, to be copied."""
    path = tmp_path_factory.mktemp("order") / "empty.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@dataclass
class Told:
    """What a registry says after it was told something, and the rows that stand."""

    answers: Answers
    rows: dict[str, list[str]]


def _told(empty: Path, batches: list[list[Json]]) -> Told:
    path = empty.with_name("told.db")
    shutil.copy(empty, path)
    database = Database(f"sqlite:///{path}")
    try:
        tell_in_batches(database, batches)
        return Told(everything(database), contents(database))
    finally:
        database.close()
        for left in empty.parent.glob("told.db*"):
            left.unlink()


@pytest.fixture(scope="module")
def in_order(empty: Path) -> Told:
    """Give what is said after the story was told in order, event by event."""
    return _told(empty, [[event] for event in STORY])


# Shrinking would tell the story hundreds of times; a shuffle that fails is short enough to read.
@settings(max_examples=4, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
@given(
    order=st.permutations(range(len(STORY))),
    repeated=st.lists(st.integers(0, len(STORY) - 1), max_size=5),
    cuts=st.sets(st.integers(1, len(STORY) + 4), max_size=6),
)
def test_any_order_with_repeats_in_any_batches_gives_the_same_answers_and_rows(
    empty: Path, in_order: Told, order: list[int], repeated: list[int], cuts: set[int]
) -> None:
    events = [STORY[index] for index in [*order, *repeated]]
    ends = sorted(cuts | {0, len(events)})
    told = _told(empty, [events[start:end] for start, end in itertools.pairwise(ends)])

    assert told.answers.differences(in_order.answers) == []
    assert differences(told.rows, in_order.rows) == []


def _read(name: str, *, day: int) -> Json:
    return task_event(day=day, inputs=(dataset(name),), outputs=(written(RICH),))


CORRECTED = [
    _read("a", day=0),
    _read("b", day=1),
    _read("c", day=2),
    task_event("FAIL", 20, day=1),
    task_event("ABORT", 20, day=2),
    _read("d", day=3),
    task_event("FAIL", 20, day=3),
]
"""A task whose runs completed, and all but the first failed after all."""


@pytest.fixture(scope="module")
def corrected(empty: Path) -> Told:
    return _told(empty, [[event] for event in CORRECTED])


@settings(max_examples=12, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
@given(order=st.permutations(range(len(CORRECTED))))
def test_runs_that_fail_after_they_completed_leave_the_same_graph_in_any_order(
    empty: Path, corrected: Told, order: list[int]
) -> None:
    told = _told(empty, [[CORRECTED[index]] for index in order])

    assert told.answers.differences(corrected.answers) == []
    assert differences(told.rows, corrected.rows) == []


def test_postgresql_gives_the_answers_that_sqlite_gives(postgres_url: str, in_order: Told) -> None:
    database = Database(postgres_url)
    shuffled = random.Random(7).sample(STORY, len(STORY)) + STORY[:3]
    tell(database, shuffled)
    assert everything(database).differences(in_order.answers) == []
    assert differences(contents(database), in_order.rows) == []
    database.close()
