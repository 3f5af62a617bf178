"""What a scenario of the fault matrix stands on: the local AWS, and tasks as Airflow runs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow.exceptions import AirflowRescheduleException

from festaf.provider.errors import FestafError, FinalError
from tests.feature_store import FakeDag, FakeTask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.local_aws.server import LocalAws

TRIES = 4
"""How often Airflow tries a task here: three retries."""


@dataclass
class Stage:
    """A local AWS that was just emptied, and a folder."""

    aws: LocalAws
    folder: Path
    kept: dict[str, Any] = field(default_factory=dict)
    """What the preparation hands to the act and the check."""

    def context(self) -> dict[str, Any]:
        """Give the context of a task's first try."""
        from airflow.sdk.execution_time.context import OutletEventAccessors

        return {
            "ti": FakeTask(),
            "dag": FakeDag(),
            "outlet_events": OutletEventAccessors(),
            "task_reschedule_count": 0,
            "run_id": "manual__2026-01-01",
        }


@dataclass(frozen=True)
class Outcome:
    """How a task ended: in which try it succeeded, or with which clear error it gave up."""

    tries: int
    error: FestafError | None = None

    def __str__(self) -> str:
        if self.error is not None:
            return f"error: {type(self.error).__name__}"
        return "right" if self.tries == 1 else f"right, try {self.tries}"


@dataclass(frozen=True)
class Scenario:
    """One task and everything that it asks of AWS.

    ``check`` is called after success and after a final error alike: whatever happened, nothing may stand twice, and
    after a success everything must be right.
    """

    name: str
    prepare: Callable[[Stage], None]
    act: Callable[[Stage], Any]
    check: Callable[[Stage], None]
    """Fails when what stands after a success is not right."""
    untouched: frozenset[str] = frozenset()
    """Operations that are not struck, each with a reason beside it in the scenario."""

    def run(self, stage: Stage) -> Outcome:
        """Run the task as Airflow does: again after an error that a retry may cure."""
        for number in range(1, TRIES + 1):
            try:
                self.act(stage)
            except FinalError as error:
                return Outcome(number, error)
            except FestafError as error:
                if number == TRIES:
                    return Outcome(number, error)
            except AirflowRescheduleException:
                continue
            else:
                return Outcome(number)
        raise AssertionError(f"{self.name} never ended")
