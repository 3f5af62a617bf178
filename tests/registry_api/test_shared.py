"""What recurs is kept once, and is told apart by its last byte."""

from __future__ import annotations

import json
from typing import Any

import pytest

from festaf.contract.openlineage import RunEvent
from festaf.contract.secrets import MASKED
from festaf.registry_api.lineage.incoming import read_event
from festaf.registry_api.memo import digest
from festaf.registry_api.shared import Pool, Shared, hold, made_of, write_canonical
from tests.registry_api.events import RICH, at, facet, task_event, written

HUGE = 2**70


def test_equal_bodies_are_one_object_and_others_are_not() -> None:
    pool = Pool()
    body = {"rows": 1, "of": ["a", {"b": 2.5}]}

    assert pool.share(body) is pool.share(json.loads(json.dumps(body)))
    assert pool.share(body) == body
    assert pool.share(body) is not pool.share({**body, "rows": 2})
    assert pool.share(["a"]) is not pool.share({"a": None})


def test_the_order_of_keys_is_kept_and_the_canonical_text_does_not_depend_on_it() -> None:
    pool = Pool()
    one, other = pool.share({"a": 1, "b": 2}), pool.share({"b": 2, "a": 1})

    assert list(other) == ["b", "a"]
    assert write_canonical({"x": one}) == write_canonical({"x": other}) == b'{"x":{"a":1,"b":2}}'


def test_a_secret_is_masked_and_its_masked_twin_is_another_object_of_the_same_text() -> None:
    pool = Pool()
    told, twin = pool.share({"password": "hunter2hunter2"}), pool.share({"password": MASKED})

    assert told == twin == {"password": MASKED}
    assert pool.share({"password": "hunter3hunter3"}) == twin
    assert write_canonical(told) == write_canonical(twin)
    assert b"hunter2" not in write_canonical(told)


def test_parts_that_are_shared_are_told_apart_inside_of_others() -> None:
    pool = Pool()
    wholes = [pool.share({"n": 1, "of": pool.share([item])}) for item in ("a", "b", "a")]

    assert wholes[0] is wholes[2]
    assert wholes[0] is not wholes[1]
    assert digest([wholes[0]]) != digest([wholes[1]])
    assert digest([hold({"n": 1})]) != digest([hold({"n": 2})])
    assert digest(wholes[0]["of"]) != digest([f"#{wholes[0]['of'].digest.hex()}"])


def test_what_was_made_is_made_once_and_an_error_is_not_kept() -> None:
    calls: list[Any] = []

    def count(body: Any) -> int:
        calls.append(body)
        return len(calls)

    def fail(body: Any) -> int:
        calls.append(body)
        raise ValueError(len(calls))

    body = Pool().share({"a": 1})
    assert [made_of(body, count), made_of(body, count)] == [1, 1]
    assert [made_of({"a": 1}, count), made_of({"a": 1}, count)] == [2, 3]
    for number in (4, 5):
        with pytest.raises(ValueError, match=str(number)):
            made_of(body, fail)


def test_no_more_is_kept_than_there_is_room_for_and_what_is_asked_for_stays() -> None:
    pool = Pool(capacity=2_000)
    asked = pool.share({"asked": 0})
    for number in range(1_000):
        pool.share({"number": number})
        assert pool.share({"asked": 0}) is asked

    assert pool.size <= 1_000
    assert sum(len(write_canonical(item)) for item in (*pool.recent.values(), *pool.older.values())) <= 2_000


def test_a_number_that_no_fast_writer_writes_is_kept_as_it_is() -> None:
    body = {"n": HUGE}

    assert Pool().share(body) is body
    event = task_event(outputs=(written(RICH) | {"facets": {"custom": facet(n=HUGE)}},))
    assert str(HUGE) in read_event(event).body.decode()


def _bodies(event: Any) -> list[Any]:
    assert isinstance(event, RunEvent)
    outputs = [body for item in event.outputs for body in (*item.facets.values(), *item.output_facets.values())]
    return [*event.job.facets.values(), *outputs]


def test_an_event_keeps_its_text_whether_its_facets_came_before_or_not() -> None:
    event = task_event(outputs=(written(RICH),))
    plain = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    first, again, later = read_event(event), read_event(event), read_event({**event, "eventTime": at(999).isoformat()})

    assert first.body == again.body == plain
    assert first.key == again.key != later.key
    assert first.blobs == again.blobs == later.blobs
    assert all(isinstance(body, Shared) for body in _bodies(first.event))
    for one, other in zip(_bodies(first.event), _bodies(later.event), strict=True):
        assert one is other


def test_reading_an_event_changes_nothing_that_was_given() -> None:
    event = task_event(outputs=(written(RICH),))
    before = json.dumps(event)

    read_event(event)

    assert json.dumps(event) == before
