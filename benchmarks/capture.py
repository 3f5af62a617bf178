"""What the lineage listener costs a task, beside the limit: the same task without a listener.

    .venv/bin/python -m benchmarks.capture --tasks 20 --rounds 2

One real Airflow (api-server, scheduler with LocalExecutor, one worker) runs a task that does nothing, many times:
without a listener, and with it while the registry answers, refuses connections and hangs. The four take turns in every
round. Two figures, in milliseconds: the task's own time from start to end as Airflow records it, and how long the
worker's slot is held after the end, measured by a plugin of the benchmark's own that is there in all four.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.client.recorder import Recorder, Reply, yes
from tests.provider.lineage.airflow import Airflow

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET_MS = 10.0
CASES = ("none", "up", "down", "hung")

DAG_FILE = """
from airflow.sdk import DAG, task

with DAG("nothing", schedule=None, is_paused_upon_creation=False):

    @task
    def nothing(number):
        pass

    nothing.expand(number=list(range({tasks})))
"""

PLUGIN_FILE = """
import json, os, time
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin


class SlotListener:
    task = None

    @hookimpl
    def on_task_instance_success(self, task_instance):
        self.task = task_instance

    @hookimpl
    def before_stopping(self, component):
        if self.task is not None:
            held = time.time() - self.task.end_date.timestamp()
            with open(os.environ["SLOT_FILE"], "a") as file:
                file.write(json.dumps({"run_id": self.task.run_id, "held": held}) + "\\n")


class SlotPlugin(AirflowPlugin):
    name = "slot"
    listeners = [SlotListener()]
"""


@dataclass(frozen=True)
class Figures:
    """One case: medians and spread in milliseconds."""

    tasks: int
    duration_median: float
    duration_p95: float
    slot_median: float
    slot_p95: float
    slot_max: float


class Bench:
    """One Airflow and its registry."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._slots = folder / "slots.jsonl"
        self.durations: dict[str, list[float]] = defaultdict(list)
        self.slots: dict[str, list[float]] = defaultdict(list)

    def round(self, recorder: Recorder) -> None:
        """Run every case once."""
        with self._airflow(recorder.port, listener=False) as airflow:
            self._measure(airflow, "none")
        with self._airflow(recorder.port, listener=True) as airflow:
            recorder.release(yes)
            self._measure(airflow, "up")
            recorder.answer = lambda _: Reply(hang=True)
            self._measure(airflow, "hung")
            recorder.close()
            airflow.breaker.reset()
            self._measure(airflow, "down")

    @contextmanager
    def _airflow(self, port: int, *, listener: bool) -> Iterator[Airflow]:
        settings = {
            "AIRFLOW__CORE__PARALLELISM": "1",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self._folder / "plugins"),
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
            "SLOT_FILE": str(self._slots),
        }
        if not listener:
            settings["AIRFLOW__FESTAF__REGISTRY_URL"] = ""
        with Airflow.started(self._folder / "home", port, self._folder / "dags", **settings) as airflow:
            airflow.run("nothing")
            yield airflow

    def _measure(self, airflow: Airflow, case: str) -> None:
        run = airflow.run("nothing")
        path = f"/api/v2/dags/nothing/dagRuns/{run.run_id}/taskInstances"
        for instance in airflow.api._get(path, limit=1000)["task_instances"]:
            start, end = (datetime.fromisoformat(instance[name]) for name in ("start_date", "end_date"))
            self.durations[case].append((end - start).total_seconds() * 1000)
        time.sleep(3)
        lines = map(json.loads, self._slots.read_text().splitlines())
        self.slots[case] += [line["held"] * 1000 for line in lines if line["run_id"] == run.run_id]
        print(f"{case:<5} {len(self.durations[case])} tasks", flush=True)

    def figures(self, case: str) -> Figures:
        """Sum one case up."""
        durations, slots = sorted(self.durations[case]), sorted(self.slots[case])
        return Figures(
            len(durations),
            round(statistics.median(durations), 1),
            round(durations[int(len(durations) * 0.95)], 1),
            round(statistics.median(slots), 1),
            round(slots[int(len(slots) * 0.95)], 1),
            round(slots[-1], 1),
        )


def main() -> None:
    """Measure, print the ratio and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=20, help="tasks of one case in one round")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="festaf-capture-") as name:
        folder = Path(name)
        for kind, text in (("dags", DAG_FILE.format(tasks=options.tasks)), ("plugins", PLUGIN_FILE)):
            (folder / kind).mkdir()
            (folder / kind / "bench.py").write_text(text)
        bench = Bench(folder)
        for _ in range(options.rounds):
            with Recorder.started() as recorder:
                bench.round(recorder)
        report({case: bench.figures(case) for case in CASES})


def report(figures: dict[str, Figures]) -> None:
    """Print a table and keep it with the machine's description."""
    limit = figures["none"]
    print(
        f"\n{'registry':<10} {'tasks':>6} {'own time':>9} {'cost':>7} {'slot':>8} {'held longer':>12} {'slot max':>9}"
    )
    for case, found in figures.items():
        print(
            f"{case:<10} {found.tasks:>6} {found.duration_median:>9} "
            f"{found.duration_median - limit.duration_median:>+7.1f} {found.slot_median:>8} "
            f"{found.slot_median - limit.slot_median:>+12.1f} {found.slot_max:>9}"
        )
    print(f"target: at most {TARGET_MS:g} ms of the task's own time, median")
    result = {
        "benchmark": "capture",
        "unit": "ms",
        "target": {"own_time_median_at_most": TARGET_MS},
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "load_average": os.getloadavg(),
        },
        "cases": {case: vars(found) for case, found in figures.items()},
        "cost_median": {
            case: round(found.duration_median - limit.duration_median, 1) for case, found in figures.items()
        },
    }
    path = Path(__file__).parent / "results" / "capture.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
