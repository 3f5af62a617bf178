"""A worker that is killed anywhere: the next try ends right, and nothing stands twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults.scenarios import SCENARIOS
from tests.faults.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.faults.stage import Scenario
    from tests.local_aws.server import LocalAws

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

REQUESTS: dict[str, Iterable[int]] = {
    "CreateFeatureSetOperator": range(1, 4),
    "IngestFeaturesOperator": range(1, 5),
    "RegisterModelVersionOperator": range(3, 10),
    "DeployEndpointOperator creates": (3, 5, 6),
    "DeployEndpointOperator updates": (3, 5, 6, 7, 8),
    "ShiftTrafficOperator": (3, 4),
    "DeleteEndpointOperator": (8, 10, 12),
    "MonitorEndpointOperator creates": (5, 8, 10),
}
"""Around which of its requests to AWS a task is killed."""
POINTS = [
    pytest.param(scenario, when, number, id=f"{scenario.name}-{when}-{number}")
    for scenario in SCENARIOS
    for when in ("before", "after")
    for number in REQUESTS.get(scenario.name, ())
]


@pytest.mark.parametrize(("scenario", "when", "number"), POINTS)
def test_a_killed_worker_leaves_what_the_next_try_finishes(
    scenario: Scenario, when: str, number: int, aws: LocalAws, tmp_path: Path
) -> None:
    stage = Stage(aws, tmp_path)
    scenario.prepare(stage)
    words = [scenario.name, when, str(number), str(tmp_path), json.dumps(stage.kept)]
    died = subprocess.run(
        [sys.executable, "-m", "tests.faults.killed", *words],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert died.returncode in (-signal.SIGKILL, 0), died.stderr
    if died.returncode == 0:
        pytest.skip(f"{scenario.name} ends before its request {number}")
    outcome = scenario.run(stage)
    assert outcome.error is None, outcome.error
    scenario.check(stage)
