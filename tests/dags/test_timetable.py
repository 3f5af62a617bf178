from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machines.timetable import Slot, Training, chart, most_at_once, plan

TEAMS = st.lists(
    st.builds(
        Training,
        team=st.uuids().map(str),
        priority=st.integers(0, 5),
        machines=st.integers(1, 3),
        seconds=st.integers(1, 50).map(float),
        max_iter=st.just(1),
    ),
    max_size=12,
)


def training(team: str, priority: int, machines: int = 1, seconds: float = 10) -> Training:
    return Training(team, priority, machines, seconds, 1)


def test_the_highest_priority_goes_first_and_what_fits_goes_beside_it() -> None:
    teams = [training("low", 1), training("wide", 2, machines=2), training("high", 3)]
    assert plan(teams, 2) == {"high": Slot(0, 10), "low": Slot(0, 10), "wide": Slot(10, 20)}


@given(TEAMS, st.integers(3, 5))
def test_every_team_trains_for_its_time_and_machines_are_never_short(teams: list[Training], machines: int) -> None:
    slots = plan(teams, machines)
    assert {team: slot.end - slot.start for team, slot in slots.items()} == pytest.approx(
        {one.team: one.seconds for one in teams}
    )
    assert most_at_once(teams, slots) <= machines


def test_a_training_that_never_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="team big needs 3 machines, there are 2"):
        plan([training("big", 1, machines=3)], 2)


def test_a_chart_has_a_line_a_team_in_the_order_of_their_start() -> None:
    teams = [training("a", 1), training("b", 2)]
    lines = chart("Planned", teams, plan(teams, 1)).splitlines()
    assert lines[0] == "Planned, 20 s in all"
    assert [line.split()[0] for line in lines[1:]] == ["b", "a"]
