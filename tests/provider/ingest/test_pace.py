from __future__ import annotations

import pytest

from festaf.provider.ingest.pace import LONGEST_DELAY, Pace, delay


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_calls_go_at_once_until_aws_throttles() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert [pace.turn() for _ in range(100)] == [0.0] * 100
    assert pace.rate is None


def test_throttling_cuts_the_rate_once_for_a_burst_and_spaces_the_calls() -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(100):
        pace.turn()
    clock.now = 1.0
    pace.throttled()
    pace.throttled()
    assert pace.rate == pytest.approx(60)
    assert pace.turn() == 0.0
    assert pace.turn() == pytest.approx(1 / 60)
    assert pace.turn() == pytest.approx(2 / 60)


def test_quiet_lets_the_rate_grow_until_there_is_no_limit() -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(100):
        pace.turn()
    clock.now = 1.0
    pace.throttled()
    clock.now = 3.0
    pace.turn()
    assert pace.rate == pytest.approx(60 * 1.1**2)
    clock.now = 60.0
    assert pace.turn() == 0.0
    assert pace.rate is None


def test_the_wait_before_a_new_attempt_grows_and_is_bounded() -> None:
    assert delay(0, lambda: 1.0) < delay(3, lambda: 1.0) < delay(30, lambda: 1.0) == LONGEST_DELAY
    assert delay(3, lambda: 0.0) == delay(3, lambda: 1.0) / 2
