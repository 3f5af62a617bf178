"""What reading one file may cost, so that no input can make it slow or large."""

from __future__ import annotations

from dataclasses import dataclass, field

MAXIMUM_SOURCE = 1024 * 1024
"""Bytes of one file: parsing 6 MB of literals was seen to take 2.9 GB."""
MAXIMUM_TEXT = 256 * 1024
"""Characters of one computed string."""
MAXIMUM_ITEMS = 20_000
"""Items of one computed list, dict or set."""
MAXIMUM_CALLS = 40
"""Functions of the file that may be in one another."""
MAXIMUM_NESTING = 80
"""Expressions and statements that may be in one another."""
MAXIMUM_STEPS = 400_000
MAXIMUM_TASKS = 10_000
MAXIMUM_MODULES = 400
MAXIMUM_BITS = 4096
"""Bits of one computed integer."""


class ExhaustedError(Exception):
    """Reading went as far as it may; what was found until then stands, and the rest is told as undecided."""


@dataclass(slots=True)
class Budget:
    """Count what the evaluation of one file has cost."""

    steps: int = MAXIMUM_STEPS
    nesting: int = 0
    calls: int = 0
    tasks: int = 0
    weight: int = field(default=0)

    def step(self) -> None:
        """Take one step, or stop."""
        self.steps -= 1
        if self.steps < 0:
            raise ExhaustedError(f"Reading the file takes more than {MAXIMUM_STEPS} steps")

    def make(self, items: int) -> None:
        """Account for a value of this many items or characters; the sum of all bounds the memory."""
        self.steps -= items // 64
        if self.steps < 0:
            raise ExhaustedError(f"Reading the file takes more than {MAXIMUM_STEPS} steps")

    def add_task(self) -> None:
        """Account for a task."""
        self.tasks += 1
        if self.tasks > MAXIMUM_TASKS:
            raise ExhaustedError(f"The file makes more than {MAXIMUM_TASKS} tasks")
