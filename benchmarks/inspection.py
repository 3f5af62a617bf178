"""How often static reading says what Airflow's DagBag says, field by field, and whether it tells when it does not know.

    python -m benchmarks.inspection [--python PYTHON] [--program DAGBAG] NAME=ROOT[:FOLDER] ...

Each set is a folder of DAG files: ROOT is where imports start from, FOLDER what is read of it. The files are imported
by Airflow in another process (with another interpreter, if one is named), which is the truth; then they are read.
Without sets, Airflow's own example DAGs are. A field counts as *silent* when it is wrong and said to be exact: the
worst defect.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from festaf.provider.cli.dag import dagbag
from festaf.provider.cli.dag.comparison import differences, fields
from festaf.sharing.reading import may_define_dags, read_file
from festaf.sharing.reading.folder import Folder

if TYPE_CHECKING:
    from festaf.contract.dag_inspection import FileInspection

RESULTS = Path(__file__).parent / "results" / "inspection.json"
FIELDS = (
    "schedule", "tags", "owners", "tasks", "operators", "edges", "pools", "inlets", "outlets", "params", "description",
    "catchup", "connections",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help="NAME=ROOT[:FOLDER]")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with Airflow and what the DAGs import")
    parser.add_argument("--program", default=str(dagbag.__file__), help="the program that asks the DagBag")
    parser.add_argument("--keep", action="store_true", help="write the results file")
    given = parser.parse_args()
    results = {}
    for item in given.sets or own_examples():
        name, _, where = item.partition("=")
        root, _, folder = where.partition(":")
        results[name] = measure(Path(root).absolute(), folder, given.python, given.program)
        report(name, results[name])
    if given.keep:
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"sets": {}}
        kept["at"] = datetime.now(UTC).isoformat(timespec="seconds")
        kept["machine"] = {"cpus": os.cpu_count(), "load": os.getloadavg(), "python": platform.python_version()}
        kept["sets"].update(results)
        RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


def own_examples() -> list[str]:
    """Name the example DAGs of the Airflow that is installed."""
    root = sysconfig.get_paths()["purelib"]
    return [
        f"airflow={root}:airflow/example_dags",
        f"airflow-standard={root}:airflow/providers/standard/example_dags",
        f"airflow-sql={root}:airflow/providers/common/sql/example_dags",
    ]


def measure(root: Path, folder: str, python: str, program: str) -> dict[str, Any]:
    """Compare all DAG files of a folder."""
    inner = Folder(root / folder if folder else root)
    prefix = f"{folder}/" if folder else ""
    sources = {f"{prefix}{path}": inner[path] for path in inner}
    files = [path for path in sources if may_define_dags(path, sources[path])]
    truth = ask(root, files, python, program)
    counts: Counter[str] = Counter(read=len(files))
    silent: list[str] = []
    milliseconds: list[float] = []
    for file in files:
        begin = time.perf_counter()
        try:
            answer = read_file(sources, file)
        except Exception as error:
            counts["crashes"] += 1
            print(f"{file}: {error!r}")
            continue
        milliseconds.append((time.perf_counter() - begin) * 1000)
        told = truth.get(file, {"error": "not imported", "dags": []})
        if told["dags"]:
            judge(answer, told, counts, silent)
        elif told["error"]:
            counts["not importable"] += 1
    return {
        "counts": dict(counts),
        "silent": silent,
        "median_ms": statistics.median(milliseconds or [0]),
        "slowest_ms": max(milliseconds, default=0),
    }


def ask(root: Path, files: list[str], python: str, program: str) -> dict[str, dict[str, Any]]:
    """Import the files with Airflow, a process at a time so that one that hangs or dies costs little."""
    truth: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        environment.pop("PYTHONPATH", None)
        for start in range(0, len(files), 20):
            command = [python, "-P", program, str(root), *files[start : start + 20]]
            try:
                done = subprocess.run(
                    command, env=environment, capture_output=True, text=True, timeout=240, check=False
                ).stdout
            except subprocess.TimeoutExpired as error:
                done = (error.stdout or b"").decode()
            for line in done.splitlines():
                if line.startswith("{"):
                    answer = json.loads(line)
                    truth[answer["file"]] = answer
    return truth


def judge(answer: FileInspection, told: dict[str, Any], counts: Counter[str], silent: list[str]) -> None:
    """Count what is right, what is wrong and told, and what is wrong and silent."""
    mine = {dag.dag_id: dag for dag in answer.dags}
    counts["files"] += 1
    unsure = bool(answer.unresolved) or any("dag_id" in dag.confidence for dag in answer.dags)
    if set(mine) == {dag["dag_id"] for dag in told["dags"]}:
        counts["files with all dag_ids"] += 1
    elif not unsure:
        silent.append(f"{answer.file}: dag_ids")
    for theirs in told["dags"]:
        counts["dags"] += 1
        dag = mine.get(theirs["dag_id"])
        if dag is None:
            continue
        counts["found"] += 1
        wrong = {item["field"]: item["confidence"] for item in differences(dag, theirs)}
        counts["all right"] += not wrong
        counts["wrong and told"] += bool(wrong) and "exact" not in wrong.values()
        counts["wrong and silent"] += "exact" in wrong.values()
        counts["right and told"] += not wrong and any(name in dag.confidence for name in FIELDS)
        for name in fields(dag, theirs):
            counts[name] += name not in wrong
            if wrong.get(name) == "exact":
                silent.append(f"{answer.file} {dag.dag_id}: {name}")


def report(name: str, result: dict[str, Any]) -> None:
    """Print what was counted."""
    counts = result["counts"]
    dags = counts.get("dags", 0)
    print(f"{name}: {counts.get('files', 0)} files that import, {dags} DAGs")
    for label in ("files with all dag_ids", "found", *FIELDS, "all right", "wrong and told", "wrong and silent"):
        print(f"  {label:<24}{counts.get(label, 0)}")
    print(f"  crashes                 {counts.get('crashes', 0)}")
    print(f"  milliseconds            {result['median_ms']:.1f} median, {result['slowest_ms']:.0f} slowest")
    for line in result["silent"]:
        print(f"  silent: {line}")


if __name__ == "__main__":
    main()
