"""What the flow tests do with their small company."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from festaf.client import RegistryClient

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from festaf.contract.feature import Feature
    from festaf.provider.demo.airflow_api import AirflowApi, DagRun
    from festaf.provider.demo.cluster import Cluster

RUN_SECONDS = 180
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Company:
    """Running processes, Airflow's API, the file that the DAG reads, and a token to ask the registry with."""

    cluster: Cluster
    airflow: AirflowApi
    rows: Path
    token: str

    def write_rows(self, *levels: float, day: int = 1) -> None:
        """Write the CSV file: one gauge, one reading an hour."""
        lines = [f"north,2026-01-{day:02}T{hour:02}:00:00Z,{level}" for hour, level in enumerate(levels)]
        self.rows.write_text("\n".join(["gauge,read_at,level_m", *lines]) + "\n")

    def run(self, dag_id: str) -> DagRun:
        """Run a DAG to its end."""
        self.airflow.wait_for_dag(dag_id, seconds=60)
        run_id = self.airflow.start(dag_id)
        assert run_id is not None
        self.airflow.unpause(dag_id)
        return self.until(lambda: self.airflow.run(dag_id, run_id), lambda run: run.finished)

    def feature(self) -> Feature | None:
        """Ask the registry where ``level_m`` comes from."""
        with RegistryClient(self.cluster.place.registry_url, self.token) as registry:
            return registry.feature("harbour", "tides", "level_m")

    def until(self, look: Callable[[], Seen], enough: Callable[[Seen], bool]) -> Seen:
        """Look until it is enough, and give what was seen."""
        deadline = time.monotonic() + RUN_SECONDS
        while not enough(seen := look()):
            self.cluster.check()
            assert time.monotonic() < deadline, f"still {seen!r} after {RUN_SECONDS} s"
            time.sleep(0.5)
        return seen
