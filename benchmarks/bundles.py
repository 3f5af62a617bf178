"""What following imported packages costs: RegistryDagBundle beside Airflow's GitDagBundle.

    nice -n 10 .venv/bin/python -m benchmarks.bundles --packages 1000 --peers 100 --keep

One bundle for each package, as in production: a registry as a process with real HTTP, and for the peer one local bare
repository for each bundle, so that it pays no network. The two take turns in every round. Measured are a refresh of all
with nothing new, one in which ten have a new version (for the peer: a new commit), and ``initialize()`` of a pinned
version: warm (its copy is on the disk), which every task start pays, and cold. Of a warm start our lock file is read
anew each time, since a task is a new process. The server's time is the one that it counts itself (``/metrics``). What
the peer costs is given for each bundle, for it has fewer of them. It is left out when apache-airflow-providers-git is
not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.bundle_sides import Git, Ours, Side, timed
from tests.served_registry import served_registry

from festaf.client.dag_packages import DagPackageClient

RESULTS = Path(__file__).parent / "results" / "bundles.json"
TARGET = {"requests": 1, "request_server_ms": 20.0, "warm_start_ms": 20.0}
KEYS = {
    "first_initialize": "per_bundle_ms",
    "nothing_new": "per_bundle_ms",
    "ten_new": "per_new_ms",
    "warm_start": "median_ms",
    "cold_start": "median_ms",
}


def measure(sides: dict[str, Side], rounds: int) -> dict[str, dict[str, Any]]:
    """Let the sides take turns, and give the medians of each."""
    rows: dict[str, dict[str, list[dict[str, float]]]] = {name: defaultdict(list) for name in sides}
    starts: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in sides}
    for name, side in sides.items():
        first = timed(lambda side=side: [bundle.initialize() for bundle in side.bundles])  # type: ignore[misc]
        rows[name]["first_initialize"].append({"total_ms": first, "per_bundle_ms": first / len(side.bundles)})
        side.nothing_new()
        print(f"{name}: {len(side.bundles)} bundles are initialised", flush=True)
    for turn in range(rounds):
        for name, side in sides.items():
            rows[name]["nothing_new"].append(side.nothing_new())
            side.renew(turn)
            rows[name]["ten_new"].append(side.ten_new())
            starts[name]["warm_start"] += side.warm()
            starts[name]["cold_start"] += side.cold(turn)
        print(f"round {turn + 1} of {rounds} is done", flush=True)
    return {name: {"bundles": len(sides[name].bundles), **_medians(rows[name], starts[name])} for name in sides}


def _medians(rows: dict[str, list[dict[str, float]]], starts: dict[str, list[float]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        what: {key: round(statistics.median(row[key] for row in measured), 4) for key in measured[0]}
        for what, measured in rows.items()
    }
    for what, times in starts.items():
        ordered = sorted(times)
        found[what] = {
            "starts": len(times),
            "median_ms": round(statistics.median(times), 3),
            "p95_ms": round(ordered[int(len(times) * 0.95)], 3),
        }
    return found


def main() -> None:
    """Measure, print the ratios and keep the result if that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=int, default=1000)
    parser.add_argument("--peers", type=int, default=100, help="bundles of the peer, each with a repository")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="write the result beside this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="festaf-bundles-") as name:
        folder = Path(name)
        os.environ["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH"] = str(folder / "store")
        (folder / "store").mkdir(mode=0o700)
        with served_registry(folder, demo=True) as registry, DagPackageClient(registry.url) as client:
            os.environ["AIRFLOW__FESTAF__REGISTRY_URL"] = registry.url
            mine = Ours(registry, client, folder, options.packages)
            print(f"{options.packages} packages are published and locked", flush=True)
            sides: dict[str, Side] = {"ours": mine}
            if importlib.util.find_spec("airflow.providers.git") is None:
                print("apache-airflow-providers-git is not installed: there is no peer to compare with")
            else:
                sides["git"] = Git(folder / "git", options.peers)
            found = measure(sides, options.rounds)
            found["ours"]["published_per_second"] = round(options.packages / mine.publish_ms * 1000, 2)
    result = {**report(found), "rounds": options.rounds}
    if options.keep:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(result, indent=2) + "\n")


def report(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Print the sides beside each other, and describe the run."""
    ours, git = found["ours"], found.get("git")
    ratios: dict[str, float] = {}
    print(f"{'':<16} {'ours':>10} {'git':>10} {'ratio':>8}   ms per bundle, per new version, per start")
    for what, key in KEYS.items():
        print(f"{what:<16} {ours[what][key]:>10.3f}", end="" if git else "\n")
        if git:
            ratios[what] = round(git[what][key] / ours[what][key], 2)
            print(f" {git[what][key]:>10.3f} {ratios[what]:>7.1f}x")
    nothing = ours["nothing_new"]
    values = {
        "requests": nothing["requests"],
        "request_server_ms": nothing["changes_server_ms"],
        "warm_start_ms": ours["warm_start"]["median_ms"],
    }
    missed = [what for what, most in TARGET.items() if values[what] > most]
    for what, most in TARGET.items():
        print(f"{what}: {values[what]:g}, at most {most:g}: {'missed' if what in missed else 'met'}")
    return {
        "benchmark": "bundles",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "target_at_most": TARGET,
        "missed": missed,
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "load_average": os.getloadavg(),
        },
        **found,
        "times_faster": ratios,
    }


if __name__ == "__main__":
    main()
