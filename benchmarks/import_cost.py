"""What importing every operator and sensor costs a DAG file, in CPU time over ``airflow.sdk`` alone.

    .venv/bin/python -m benchmarks.import_cost

Each round is a new process that imports ``airflow.sdk`` first, then ours; CPU time of the second part counts.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

TARGET_MS = 50.0
RESULTS = Path(__file__).parent / "results" / "import_cost.json"
PROGRAM = """
import time
from airflow.sdk import DAG, Asset, AssetAlias, BaseOperator, BaseSensorOperator
start = time.process_time()
import festaf.operators.feature_set, festaf.sensors.feature_set, festaf.provider.assets, festaf.provider.artifacts
print((time.process_time() - start) * 1000)
"""


def main(rounds: int = 9) -> None:
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"AIRFLOW_HOME": home}
        # The first round compiles.
        found = [
            float(
                subprocess.run(
                    [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
                ).stdout.splitlines()[-1]
            )
            for _ in range(rounds + 1)
        ][1:]
    median = statistics.median(found)
    print(f"importing all operators and sensors: {median:.1f} ms of CPU (median of {rounds}), at most {TARGET_MS:.0f}")
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg(), "python": platform.python_version()},
        "milliseconds": found,
        "median": median,
        "target": TARGET_MS,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
