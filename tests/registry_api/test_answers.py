"""An answer is given again only while the database is in the state that it was read from."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastapi import Request
from sqlalchemy import create_engine, text

from festaf.contract.http import Page
from festaf.registry_api.access.caller import ANYONE
from festaf.registry_api.answering import Answering
from festaf.registry_api.answers import Answer, Answers, kept_answer
from festaf.registry_api.edge import now as clock
from tests.registry_api.events import RICH, at, dag_event, task_event, written
from tests.registry_api.test_read_cost import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from tests.registry_api.conftest import Registry

DESCRIBE = text("UPDATE feature SET description = :said")


@contextmanager
def stranger(registry: Registry) -> Iterator[Connection]:
    """Connect as another process does, of which the registry knows nothing."""
    engine = create_engine(registry.database.url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def described(registry: Registry) -> str:
    (item,) = registry.get("/features")["items"]
    return str(item["description"])


def test_an_answer_is_read_once_while_nothing_is_written(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)))
    first = registry.feature()

    with counted(registry) as statements:
        again = registry.feature()

    assert again == first
    assert len(statements) == (0 if registry.database.sqlite else 1)


def test_what_another_process_commits_is_seen_at_once(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)))
    with stranger(registry) as other:
        for number in range(20):
            before = described(registry)
            other.execute(DESCRIBE, {"said": f"version {number}"})
            assert described(registry) == before
            other.commit()
            assert described(registry) == f"version {number}"


def test_what_is_undone_changes_no_answer(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)))
    before = described(registry)
    with stranger(registry) as other:
        other.execute(DESCRIBE, {"said": "undone"})
        other.rollback()
        assert described(registry) == before


def test_an_answer_that_a_commit_crosses_is_given_and_not_kept(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)))
    scope = {"type": "http", "app": registry.app, "path": "/crossed", "query_string": b"", "headers": []}
    asking = Answering(Request(scope), registry.database, ANYONE)
    said: list[str] = []

    def read(session: Session) -> Page[str]:
        found = session.execute(text("SELECT description FROM feature")).scalar_one()
        if not said:
            with stranger(registry) as other:
                other.execute(DESCRIBE, {"said": "crossed"})
                other.commit()
            # The transaction goes on with the state that it began with.
            assert session.execute(text("SELECT description FROM feature")).scalar_one() == found
        said.append(str(found))
        return Page[str](items=(str(found),))

    answers = [asyncio.run(asking.give(read)) for _ in range(3)]

    assert said == ["mean delay", "crossed"]
    assert [b"crossed" in answer.body for answer in answers] == [False, True, True]


def test_what_changes_with_the_time_is_measured_at_each_answer(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH | {"fresh_within_seconds": 3600}),)), dag_event())
    ages = []
    for minutes in (40, 41, 100):
        registry.app.dependency_overrides[clock] = lambda minutes=minutes: at(minutes)
        freshness = registry.feature()["when"]["freshness"]
        ages.append((freshness["age_seconds"], freshness["status"]))

    assert ages == [(1800, "fresh"), (1860, "fresh"), (5400, "stale")]


def test_who_has_the_answer_is_told_that_it_is_the_same(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)))
    first = registry.ask("/features")
    tag = {"If-None-Match": first.headers["ETag"]}

    same = registry.http.get("/api/v1/features", headers=tag)
    with stranger(registry) as other:
        other.execute(DESCRIBE, {"said": "new"})
        other.commit()
    changed = registry.http.get("/api/v1/features", headers=tag)

    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == 200
    assert first.headers["Cache-Control"] == "private, no-cache"


def test_what_was_not_asked_for_longest_is_forgotten_first() -> None:
    answers = Answers(capacity=20)
    for name in ("first", "second"):
        answers.keep(name, kept_answer(1, Answer(b"x" * 10, '"x"')))
    assert answers.find("first", 1)

    answers.keep("third", kept_answer(1, Answer(b"x" * 10, '"x"')))

    assert [bool(answers.find(name, 1)) for name in ("first", "second", "third")] == [True, False, True]
    assert answers.find("first", 2) is None
    assert answers.weight == 20
