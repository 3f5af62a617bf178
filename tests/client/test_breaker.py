"""The breaker keeps everybody off a failing registry for a time that fits what the failure cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from festaf.client import Breaker

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(tmp_path: Path, clock: Clock) -> Breaker:
    return Breaker(tmp_path / "new" / "breaker.json", clock=clock)


def test_without_a_failure_everybody_tries(breaker: Breaker) -> None:
    assert breaker.state == "closed"


def test_after_a_failure_nobody_tries_until_the_time_is_up(breaker: Breaker, clock: Clock) -> None:
    breaker.trip("it hangs", cost=2.0)
    clock.now += 199
    assert breaker.state == "open"
    clock.now += 2
    assert breaker.state == "probing"
    breaker.reset()
    assert breaker.state == "closed"


@pytest.mark.parametrize(
    ("cost", "asked", "pause"),
    [(0.001, None, 1.0), (1.0, None, 100.0), (60.0, None, 300.0), (0.001, 30.0, 30.0), (0.001, 9000.0, 300.0)],
)
def test_the_pause_fits_the_cost_and_what_the_registry_asked_for(
    breaker: Breaker, clock: Clock, cost: float, asked: float | None, pause: float
) -> None:
    breaker.trip("no", cost=cost, at_least=asked)
    trip = breaker.trip_in_force()
    assert trip is not None
    assert trip.until - clock.now == pytest.approx(pause)
    assert trip.reason == "no"


def test_all_processes_see_the_same_marker(breaker: Breaker, tmp_path: Path, clock: Clock) -> None:
    breaker.trip("no", cost=1.0)
    assert Breaker(tmp_path / "new" / "breaker.json", clock=clock).state == "open"


def test_a_clock_that_was_set_back_does_not_keep_everybody_off_for_long(breaker: Breaker, clock: Clock) -> None:
    breaker.trip("no", cost=1.0)
    clock.now -= 10_000
    assert breaker.state == "probing"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"until": "soon", "reason": ""}', "\0"])
def test_a_torn_marker_keeps_nobody_off(tmp_path: Path, content: str) -> None:
    path = tmp_path / "breaker.json"
    path.write_text(content)
    assert Breaker(path).state == "closed"


def test_a_marker_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    breaker = Breaker(tmp_path / "file" / "breaker.json")
    breaker.trip("no", cost=1.0)
    breaker.reset()
    assert breaker.state == "closed"
