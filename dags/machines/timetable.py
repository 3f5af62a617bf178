"""Who trains when: the timetable that follows from priorities and machines, and the one that came true."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WIDTH = 40
"""Characters of a bar."""


@dataclass(frozen=True)
class Training:
    """What a team wants to train."""

    team: str
    priority: int
    """The larger goes first."""
    machines: int
    """How many it needs at once."""
    seconds: float
    """How long its team thinks that it takes."""
    max_iter: int

    @property
    def task_id(self) -> str:
        """Name its task."""
        return f"train_{self.team}"


@dataclass(frozen=True)
class Slot:
    """When a team trains, in seconds since the first training could start."""

    start: float
    end: float


def plan(trainings: Sequence[Training], machines: int) -> dict[str, Slot]:
    """Lay the trainings on the machines as Airflow's scheduler does: the highest priority that fits goes first.

    A training that does not fit yet is passed by; the order in which teams stand breaks ties.

    :raises ValueError: a training needs more machines than there are
    """
    waiting = sorted(trainings, key=lambda one: -one.priority)
    running: list[tuple[float, int]] = []
    planned: dict[str, Slot] = {}
    now, free = 0.0, machines
    for one in waiting:
        if one.machines > machines:
            raise ValueError(f"team {one.team} needs {one.machines} machines, there are {machines}")
    while waiting:
        for one in list(waiting):
            if one.machines <= free:
                free -= one.machines
                heapq.heappush(running, (now + one.seconds, one.machines))
                planned[one.team] = Slot(now, now + one.seconds)
                waiting.remove(one)
        now, freed = heapq.heappop(running)
        free += freed
        while running and running[0][0] == now:
            free += heapq.heappop(running)[1]
    return planned


def chart(title: str, trainings: Iterable[Training], slots: Mapping[str, Slot]) -> str:
    """Draw a timetable with one line a team, in the order in which they started."""
    end = max((slot.end for slot in slots.values()), default=0.0) or 1.0
    by_team = {one.team: one for one in trainings}
    lines = [f"{title}, {end:.0f} s in all"]
    for team, slot in sorted(slots.items(), key=lambda item: (item[1].start, item[0])):
        before, length = round(slot.start / end * WIDTH), max(1, round((slot.end - slot.start) / end * WIDTH))
        bar = (" " * before + "#" * length)[:WIDTH].ljust(WIDTH)
        one = by_team[team]
        lines.append(
            f"  {team:<12} {bar} {slot.start:5.0f} to {slot.end:4.0f} s, "
            f"{one.machines} machine{'s' if one.machines > 1 else ''}, priority {one.priority}"
        )
    return "\n".join(lines)


def most_at_once(trainings: Iterable[Training], slots: Mapping[str, Slot]) -> int:
    """Count the machines that were in use at once, at most."""
    needs = {one.team: one.machines for one in trainings}
    moments = sorted(slot.start for slot in slots.values())
    return max(
        (sum(needs[team] for team, slot in slots.items() if slot.start <= moment < slot.end) for moment in moments),
        default=0,
    )
