"""An answer that outlives a transaction is the one that would be read anew."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from festaf.registry_api.access.sight import EVERYTHING
from festaf.registry_api.changes import Changes, concern, follow_subjects, followed, name_subjects, subject
from festaf.registry_api.database import Database
from festaf.registry_api.errors import NotFoundError
from festaf.registry_api.features.answer import FeatureAnswer
from festaf.registry_api.features.impact import ImpactAnswer
from festaf.registry_api.features.listing import FeatureFilter, FeatureListing
from festaf.registry_api.features.sources import FeatureGraph
from festaf.registry_api.graph.names import feature_node
from festaf.registry_api.graph.walk import Walk
from festaf.registry_api.lineage.service import LineageService
from festaf.registry_api.state import snapshot
from festaf.registry_api.viewpoint import NOW
from tests.registry_api.events import DAY, RICH, dag_event, dataset, declaration, defined, facet, task_event, written
from tests.registry_api.story import story

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.registry_api.conftest import Registry
    from tests.registry_api.events import Json

Name = tuple[str, str, str]
ISLANDS = ("north", "east", "south", "west")
"""Pipelines that have nothing to do with each other."""
LATER = DAY + timedelta(days=400)


def columns(chance: random.Random, island: str, features: list[str]) -> Json:
    """Say from which columns some features come."""
    fields = {}
    for name in features:
        other = f"{island}{chance.randrange(2)}"
        ends = [("x-festaf://nyc", other, f"{other}_{chance.randrange(2)}"), (f"s3://{island}", "table", "column")]
        picked = chance.sample(ends, chance.randrange(1, 3))
        fields[name] = {"inputFields": [dict(zip(("namespace", "name", "field"), end, strict=True)) for end in picked]}
    return {"columnLineage": facet(fields=fields)}


def some_event(chance: random.Random) -> Json:
    """Make an event of a task that may have run before, may be late, and reads and writes what others do, too."""
    island, number = chance.choice(ISLANDS), chance.randrange(2)
    own = f"{island}{number}"
    inputs = [dataset("table", f"s3://{island}")] if chance.random() < 0.5 else []
    if chance.random() < 0.5:
        inputs.append({"namespace": "x-festaf://nyc", "name": f"{island}{1 - number}", "facets": {}})
    outputs = []
    if chance.random() < 0.8:
        names = [f"{own}_{index}" for index in range(2) if chance.random() < 0.8]
        sources = {"sources": [f"s3://{island}/t{chance.randrange(3)}"]} if chance.random() < 0.2 else {}
        said = [declaration(name, purpose=chance.choice(["one", "two"]), **sources) for name in names]
        output = written(*said, name=own)
        if chance.random() < 0.6:
            output["facets"] = {**output["facets"], **columns(chance, island, names)}
        outputs.append(output)
    if chance.random() < 0.1:
        outputs.append(defined(declaration(f"{own}_0"), name=own, deleted=chance.random() < 0.4))
    if chance.random() < 0.2:
        outputs.append(dataset("report", f"s3://{island}"))
    return task_event(
        chance.choice(["START", "COMPLETE", "COMPLETE", "COMPLETE", "FAIL"]),
        chance.randrange(200),
        task=f"task{number}",
        day=chance.randrange(12),
        try_number=chance.randrange(1, 3),
        map_index=chance.choice([-1, -1, -1, 0, 1]),
        dag_id=f"dag_{island}",
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        version=None,
        source=chance.choice(["# one", "# one", "# two"]),
    )


def answers(session: Session, name: Name) -> dict[str, Any]:
    """Give what is kept on a feature, each as a way to read it."""

    def walk() -> Any:
        FeatureAnswer(session, NOW, LATER, EVERYTHING).require_row(*name)
        return Walk(FeatureGraph(session, NOW), feature_node(*name), 40, EVERYTHING).go("both", 4)

    def impact() -> Any:
        FeatureAnswer(session, NOW, LATER, EVERYTHING).require_row(*name)
        return ImpactAnswer(session, NOW, EVERYTHING).give(*name, depth=4, limit=40)

    return {
        "answer": lambda: FeatureAnswer(session, NOW, LATER, EVERYTHING).give(*name),
        "walk": walk,
        "impact": impact,
    }


def read_all(database: Database, kept: dict[Any, Any], outcome: Counter[str]) -> None:
    """Read everything; what was kept and is not concerned has to be what it would be now."""
    with database.reading() as session:
        names = [
            (item.project, item.feature_set, item.name)
            for item in FeatureListing(session, EVERYTHING).page(FeatureFilter()).items
        ]
    for name in names:
        for question in ("answer", "walk", "impact"):
            with database.open_steady() as session:
                mark = known(database, session)
                follow_subjects(session)
                try:
                    said = answers(session, name)[question]()
                except NotFoundError:
                    continue
                before = kept.get((name, question))
                if before and not database.changes.concern(before[1], before[2]):
                    assert said == before[0], (name, question)
                    outcome["outlived"] += 1
                    if chance_to_go_on(outcome):
                        continue
                outcome["read"] += 1
                subjects = followed(session)
                if subjects is not None:
                    kept[name, question] = (said, subjects, mark)


def chance_to_go_on(outcome: Counter[str]) -> bool:
    """Let most answers grow old, so that what was overlooked once shows later."""
    return outcome["outlived"] % 5 != 0


def known(database: Database, session: Session) -> int:
    """Let this process know what the session sees; give its mark."""
    state = 0 if database.sqlite else snapshot(session)
    assert state is not None
    mark = database.changes.mark(session, state)
    database.changes.learn(session, mark)
    return mark


def tell(database: Database, events: list[Json]) -> None:
    with database.writing() as session:
        name_subjects(session)
        LineageService(session, LATER).take_batch(events)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 4))])
def test_what_outlives_a_transaction_is_what_would_be_read(registry: Registry, seed: int) -> None:
    chance = random.Random(seed)
    told = [some_event(chance) for _ in range(35)]
    kept: dict[Any, Any] = {}
    outcome: Counter[str] = Counter()
    while told:
        batch = [told.pop() for _ in range(min(chance.choice([1, 1, 1, 2, 3]), len(told)))]
        tell(registry.database, batch)
        read_all(registry.database, kept, outcome)

    assert outcome["outlived"] > outcome["read"] / 10, outcome


@pytest.mark.parametrize("seed", range(2))
def test_of_the_story_in_any_order_too(registry: Registry, seed: int) -> None:
    told = story()
    random.Random(seed).shuffle(told)
    kept: dict[Any, Any] = {}
    for event in told:
        tell(registry.database, [event])
        read_all(registry.database, kept, Counter())


def far(number: int) -> Json:
    """Give an event of a pipeline that has nothing to do with the others."""
    return task_event(
        day=number,
        task="far",
        dag_id="far",
        inputs=(dataset(f"far{number}"),),
        outputs=(written(RICH, name="far", project="far"),),
    )


def reads(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which features are read anew."""
    found: list[str] = []
    give = FeatureAnswer.give

    def noting(self: FeatureAnswer, *name: str) -> Any:
        found.append("/".join(name))
        return give(self, *name)

    monkeypatch.setattr(FeatureAnswer, "give", noting)
    return found


def test_an_answer_outlives_what_other_pipelines_tell(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.post(task_event(outputs=(written(RICH),)), dag_event(), far(1))
    first = registry.feature()
    read = reads(registry, monkeypatch)

    for number in range(2, 5):
        registry.post(far(number))
        assert registry.feature() == first
    registry.post(task_event(minutes=20, outputs=(written(RICH, accepted=7),)))
    again = registry.feature()

    assert again["run"]["rows"]["accepted"] == 7
    assert read == ["nyc/delays/dep_delay"]


def test_whoever_names_no_subject_may_have_changed_anything(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.post(task_event(outputs=(written(RICH),)))
    registry.feature()
    read = reads(registry, monkeypatch)

    with registry.database.writing() as session:
        session.execute(text("UPDATE feature SET description = 'by hand'"))
    registry.feature()

    assert len(read) == 1


def test_another_process_names_its_subjects_to_all(registry: Registry) -> None:
    """What one process wrote, the other learns from the rows that were left, though they are read only when asked."""
    other = Database(registry.database.url.render_as_string(hide_password=False))
    near, distant = subject("dataset", "near"), subject("dataset", "distant")
    with registry.database.open_steady() as session:
        mark = known(registry.database, session)
    for named in (distant, near):
        with other.writing() as session:
            name_subjects(session)
            concern(session, [named])
        with registry.database.open_steady() as session:
            known(registry.database, session)
        assert registry.database.changes.concern({near}, mark) is (named == near)
    other.close()


def test_a_process_that_slept_too_long_believes_nothing(registry: Registry) -> None:
    changes = registry.database.changes = Changes()
    with registry.database.open_steady() as session:
        mark = known(registry.database, session)
    assert not changes.concern({1}, mark)
    far_off = mark + 1_000_000
    with registry.database.engine.begin() as connection:
        connection.execute(text("INSERT INTO change (number) VALUES (:number)"), {"number": far_off})
    if registry.database.sqlite:
        with registry.database.open_steady() as session:
            known(registry.database, session)
        assert changes.concern({1}, mark)


def test_old_rows_are_let_go(registry: Registry) -> None:
    if not registry.database.sqlite:
        with registry.database.engine.begin() as connection:
            connection.execute(text("INSERT INTO change (number) VALUES (900000000000)"))
    for _ in range(1_100 if registry.database.sqlite else 110):
        with registry.database.writing() as session:
            name_subjects(session)

    with registry.database.engine.connect() as connection:
        numbers = list(connection.execute(text("SELECT number FROM change ORDER BY number")).scalars())
    assert len(numbers) <= 1_050
    assert max(numbers) < 900000000000
