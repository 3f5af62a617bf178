"""Every AWS operation that a task uses, struck by every fault: the right end or one clear error, and nothing twice.

Which operations a task uses is not written down: a run without faults tells. The table that the last test prints is
kept in docs/reference/faults.md by ``make fault-table``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.retries.standard import ExponentialBackoff

from tests.faults.scenarios import SCENARIOS
from tests.faults.stage import Stage

if TYPE_CHECKING:
    from tests.faults.stage import Outcome, Scenario
    from tests.local_aws.server import LocalAws

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

FAULTS: dict[str, dict[str, Any]] = {
    "throttled 5 times": {"kind": "throttle", "count": 5},
    "500 three times": {"kind": "error", "count": 3},
    "connection reset": {"kind": "reset", "count": 1},
    "time-out after the work": {"kind": "lost_reply", "count": 1},
    "not visible 3 times": {"kind": "hidden", "count": 3},
    "partial": {"kind": "partial", "count": 2},
}
READS = ("Describe", "Get")
PARTIAL = ("BatchWrite", "BatchGet", "List")
DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"


@dataclass
class Table:
    """The outcomes of all scenarios."""

    rows: dict[tuple[str, str], dict[str, Outcome | str]] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"| task | operation | {' | '.join(FAULTS)} |", f"|---|---|{'---|' * len(FAULTS)}"]
        for (task, operation), cells in self.rows.items():
            lines.append(f"| {task} | {operation} | {' | '.join(str(cells.get(name, '')) for name in FAULTS)} |")
        return "\n".join(lines)


@pytest.fixture(scope="module")
def table() -> Table:
    return Table()


@pytest.fixture
def stage(aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Give an empty stage, on which botocore's own waits between its tries are short."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0.01)
    return Stage(aws, tmp_path)


def fits(fault: str, operation: str) -> bool:
    """Tell whether a fault can strike an operation at all."""
    if fault == "not visible 3 times":
        return operation.startswith(READS)
    return fault != "partial" or operation.startswith(PARTIAL)


def struck(stage: Stage, count: int) -> bool:
    """Tell whether an ordered fault came down; the local AWS hides only what it keeps itself, not moto's things."""
    left = stage.aws.faults()
    return not left or left[0]["count"] < count


def emptied(stage: Stage, folder: str) -> Stage:
    """Empty the local AWS, with the bucket that every scenario finds."""
    from tests.feature_store import BUCKET

    stage.aws.reset()
    stage.aws.client("s3").create_bucket(Bucket=BUCKET)
    (fresh := stage.folder / folder).mkdir()
    return Stage(stage.aws, fresh)


def operations(scenario: Scenario, stage: Stage) -> list[str]:
    """Run a task without faults, and tell what it asked of AWS."""
    scenario.prepare(stage)
    before = stage.aws.stats()
    outcome = scenario.run(stage)
    assert outcome.error is None, outcome.error
    used = [name for name, count in stage.aws.stats().items() if count > before.get(name, 0)]
    scenario.check(stage)
    return sorted(set(used) - scenario.untouched)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_whatever_aws_does_the_end_is_right_or_the_error_clear(scenario: Scenario, stage: Stage, table: Table) -> None:
    wrong = []
    for operation in operations(scenario, emptied(stage, "faultless")):
        cells = table.rows.setdefault((scenario.name, operation), {})
        for name, order in FAULTS.items():
            if not fits(name, operation):
                continue
            here = emptied(stage, f"{operation} {name}".replace(" ", "-"))
            scenario.prepare(here)
            here.aws.fault(**order, operation=operation)
            try:
                outcome = scenario.run(here)
            except Exception as error:
                cells[name] = f"WRONG: {type(error).__name__}"
                wrong.append(f"{operation}, {name}: {type(error).__name__}: {error}")
                continue
            if not struck(here, order["count"]):
                continue
            cells[name] = outcome
            here.aws.clear_faults()
            if outcome.error is None:
                try:
                    scenario.check(here)
                except AssertionError as error:
                    cells[name] = "WRONG END"
                    wrong.append(f"{operation}, {name}: {outcome}, but {error}")
            elif "\n" in str(outcome.error).strip() or not str(outcome.error):
                wrong.append(f"{operation}, {name}: no one clear sentence: {outcome.error!r}")
    assert wrong == []


def test_the_table_is_printed_and_kept(table: Table) -> None:
    print(f"\n{table}")
    if os.environ.get("KEEP_FAULT_TABLE"):
        head = DOCUMENT.read_text().split("| task |")[0]
        DOCUMENT.write_text(f"{head}{table}\n")
    assert len({task for task, _ in table.rows}) == len(SCENARIOS)
