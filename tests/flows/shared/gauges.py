"""Levels of a harbour, and which code measured them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from airflow.sdk import dag, task

from festaf.operators.lineage import produces, wrote
from gauge_tools.words import HARBOUR


@dag(schedule=None, catchup=False, tags=["harbour"], default_args={"owner": "team:harbour"})
def gauges():
    """Measure the levels of a harbour."""

    @task
    def wait() -> str:
        """Stay until the gate is open."""
        gate = Path(os.environ["GAUGES_GATE"])
        while not gate.exists():
            time.sleep(0.2)
        return HARBOUR

    @produces("harbour/levels", features=[{"name": "level_m", "type": "Fractional"}], purpose="to moor safely")
    @task
    def measure(harbour: str) -> str:
        """Say which code measures."""
        from gauge_tools.code import VERSION

        wrote("harbour/levels", rows=1)
        return f"{harbour} {VERSION}"

    measure(wait())


gauges()
