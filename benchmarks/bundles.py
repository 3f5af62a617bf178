"""What following imported packages costs: RegistryDagBundle beside Airflow's GitDagBundle.

    .venv/bin/python -m benchmarks.bundles --packages 1000 --peers 100

One bundle for each package, as in production: a registry as a process with real HTTP, and for the peer one local bare
repository for each bundle, so that it pays no network. Measured are a refresh of all with nothing new, one with ten
new versions, and ``initialize()`` of a pinned version that is on the disk, which every task start pays. The peer is
left out when apache-airflow-providers-git is not installed. Both are given per bundle, for the peer has fewer of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.served_registry import served_registry
from tests.sharing.packages import DAG, FILES, archive

from festaf.client.dag_packages import DagPackageClient
from festaf.contract.dag_inspection import DagInspection, InspectedTask
from festaf.provider.bundles import news
from festaf.provider.bundles.registry import RegistryDagBundle
from festaf.provider.dag_packages.importing.choice import Reference
from festaf.provider.dag_packages.importing.importer import Importer, Wish
from festaf.provider.dag_packages.importing.lock import Lock, editing
from festaf.provider.dag_packages.importing.target import InstalledTarget
from festaf.sharing.archive import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.dag_processing.bundles.base import BaseDagBundle


NAMESPACE = "bench"
NEW = 10
STARTS = 200
WARM_MS = 20.0
REQUEST_MS = 20.0
RESULTS = Path(__file__).parent / "results" / "bundles.json"


class FreeTarget(InstalledTarget):
    """An Airflow with nothing in it, so that the import asks no database."""

    def has_connection(self, conn_id: str) -> bool | None:
        """Say that there is none."""
        return False

    def has_variable(self, key: str) -> bool | None:
        """Say that there is none."""
        return False

    def has_pool(self, name: str) -> bool | None:
        """Say that there is none."""
        return False

    def bundle_of(self, dag_id: str) -> str | None:
        """Say that nobody has the DAG."""
        return None


class Packages:
    """So many packages, published and locked."""

    def __init__(self, client: DagPackageClient, folder: Path, count: int) -> None:
        self.client = client
        self.lock_path = folder / "dags.lock"
        self.names = [f"package-{number:04}-of-bench" for number in range(count)]

    def publish(self, names: Sequence[str], version: str) -> None:
        """Publish a version of each."""
        for name in names:
            dag_id = name.replace("-", "_")
            inspected = DagInspection(
                dag_id=dag_id,
                file="sales.py",
                schedule="@daily",
                tasks=(InspectedTask(task_id="total", operator="_PythonDecoratedOperator"),),
            )
            code = DAG.replace(b"def sales()", f"def {dag_id}()".encode()).replace(
                b"\nsales()", f"\n{dag_id}()".encode()
            )
            files = {**FILES, "sales.py": code, "version.txt": version.encode()}
            data = archive(files, namespace=NAMESPACE, name=name, version=version, dags=(inspected,))
            self.client.stage(NAMESPACE, name, version, data, allow_look_alike=True)
            self.client.publish(NAMESPACE, name, version, digest_of(data))

    def lock(self, names: Sequence[str]) -> None:
        """Import the newest version of each, and write the lock file once."""
        importer = Importer(self.client, self.lock_path, FreeTarget())
        planned = [importer.plan(Reference(NAMESPACE, name), Wish({})).package for name in names]
        with editing(self.lock_path) as edit:
            known = {found.package: found for found in (*edit.lock.packages, *planned)}
            edit.write(Lock(packages=tuple(known[name] for name in sorted(known))))

    def bundles(self) -> list[RegistryDagBundle]:
        """Make the bundle of each, as the DAG processor does."""
        return [RegistryDagBundle(name=f"{NAMESPACE}-{name}", package=f"{NAMESPACE}/{name}") for name in self.names]


class Requests:
    """Counts and times what is asked of the registry, as the asker sees it."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._call = DagPackageClient._call

    def __enter__(self) -> Requests:
        call, times = self._call, self.times

        def timed(client: Any, request: Any) -> Any:
            begun = time.perf_counter()
            try:
                return call(client, request)
            finally:
                times.append((time.perf_counter() - begun) * 1000)

        DagPackageClient._call = timed  # type: ignore[method-assign]  # It is put back at the end of the block.
        return self

    def __exit__(self, *_: object) -> None:
        DagPackageClient._call = self._call  # type: ignore[method-assign]


def refreshed(bundles: Sequence[BaseDagBundle]) -> dict[str, float]:
    """Refresh all once, as a process whose last look is long ago."""
    for board in news._boards.values():
        board._asked = None
    with Requests() as requests:
        milliseconds = timed(lambda: [bundle.refresh() for bundle in bundles])
    return {
        "bundles": len(bundles),
        "requests": len(requests.times),
        "request_ms": round(sum(requests.times), 3),
        "total_ms": round(milliseconds, 1),
        "per_bundle_ms": round(milliseconds / len(bundles), 4),
    }


def with_new(bundles: Sequence[BaseDagBundle]) -> dict[str, float]:
    """Refresh all once, of which the first ten have something new; those are timed on their own."""
    new = refreshed(bundles[:NEW])
    rest = timed(lambda: [bundle.refresh() for bundle in bundles[NEW:]])
    return {
        "bundles": len(bundles),
        "requests": new["requests"],
        "request_ms": new["request_ms"],
        "total_ms": round(new["total_ms"] + rest, 1),
        "per_new_ms": round(new["total_ms"] / NEW, 2),
    }


def timed(work: Callable[[], object]) -> float:
    """Give the milliseconds that it takes."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def started(make: Callable[[], BaseDagBundle]) -> dict[str, float]:
    """Initialise a pinned bundle again and again, each time as a new object; the copy is there."""
    make().initialize()
    found = sorted(timed(make().initialize) for _ in range(STARTS))
    return {
        "starts": STARTS,
        "median_ms": round(statistics.median(found), 3),
        "p95_ms": round(found[int(STARTS * 0.95)], 3),
    }


def ours(folder: Path, count: int) -> dict[str, Any]:
    """Measure our bundle."""
    with served_registry(folder, demo=True) as registry, DagPackageClient(registry.url) as client:
        os.environ["AIRFLOW__FESTAF__REGISTRY_URL"] = registry.url
        packages = Packages(client, folder, count)
        os.environ["AIRFLOW__FESTAF__LOCK_FILE"] = str(packages.lock_path)
        packages.publish(packages.names, "1.0.0")
        packages.lock(packages.names)
        print(f"{count} packages are published and locked", flush=True)
        bundles = packages.bundles()
        first = timed(lambda: [bundle.initialize() for bundle in bundles])
        refreshed(bundles)
        result: dict[str, Any] = {"first_initialize_ms": round(first, 1), "nothing_new": refreshed(bundles)}
        new = packages.names[:NEW]
        packages.publish(new, "1.1.0")
        packages.lock(new)
        result["ten_new"] = with_new(bundles)
        version = _text(bundles[0].get_current_version())
        name, package = bundles[0].name, bundles[0].package
        result["start"] = started(lambda: RegistryDagBundle(name=name, package=package, version=version))
        return result


def peers(folder: Path, count: int) -> dict[str, Any] | None:
    """Measure Airflow's bundle of Git repositories; None when its provider is not installed."""
    if importlib.util.find_spec("airflow.providers.git") is None:
        print("apache-airflow-providers-git is not installed: there is no peer to compare with")
        return None
    from airflow.providers.git.bundles.git import GitDagBundle

    # Without a connection the peer looks for one and logs a traceback, which is no part of its work.
    os.environ["AIRFLOW_CONN_GIT_DEFAULT"] = "git://"
    folder.mkdir()
    origins = [_repository(folder / f"origin-{number}") for number in range(count)]
    bundles = [
        GitDagBundle(name=f"git-{number}", tracking_ref="main", repo_url=str(origin))
        for number, origin in enumerate(origins)
    ]
    first = timed(lambda: [bundle.initialize() for bundle in bundles])
    result: dict[str, Any] = {"first_initialize_ms": round(first, 1), "nothing_new": refreshed(bundles)}
    for origin in origins[:NEW]:
        _commit(origin.with_suffix(".work"), "1.1.0")
    result["ten_new"] = with_new(bundles)
    version = _text(bundles[0].get_current_version())
    result["start"] = started(
        lambda: GitDagBundle(name="git-0", tracking_ref="main", repo_url=str(origins[0]), version=version)
    )
    return result


def _repository(origin: Path) -> Path:
    work = origin.with_suffix(".work")
    _git("init", "-q", "--bare", "-b", "main", str(origin))
    _git("init", "-q", "-b", "main", str(work))
    _git("-C", str(work), "remote", "add", "origin", str(origin))
    _commit(work, "1.0.0")
    return origin


def _commit(work: Path, version: str) -> None:
    for path, content in {**FILES, "version.txt": version.encode()}.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(content)
    _git("-C", str(work), "add", ".")
    _git("-C", str(work), "-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "-qm", version)
    _git("-C", str(work), "push", "-q", "origin", "main")


def _git(*words: str) -> None:
    subprocess.run(["git", *words], check=True, capture_output=True)


def _text(version: Any) -> str:
    """Give the version's text; Airflow before 3.3 has nothing else."""
    return str(getattr(version, "version", version))


def main() -> None:
    """Measure, print the ratios and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=int, default=1000)
    parser.add_argument("--peers", type=int, default=100, help="bundles of the peer, each with a repository")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="festaf-bundles-") as name:
        folder = Path(name)
        os.environ["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH"] = str(folder / "store")
        (folder / "store").mkdir(mode=0o700)
        report(ours(folder, options.packages), peers(folder / "git", options.peers))


def report(found: dict[str, Any], peer: dict[str, Any] | None) -> None:
    """Print both beside each other, and keep them with the machine's description."""
    ratios: dict[str, float] = {}
    print(f"{'':<16} {'ours':>10} {'git':>10} {'ratio':>8}   ms per bundle, per new version, per start")
    for what, key in (("nothing_new", "per_bundle_ms"), ("ten_new", "per_new_ms"), ("start", "median_ms")):
        mine = found[what][key]
        if peer is None:
            print(f"{what:<16} {mine:>10.3f}")
            continue
        ratios[what] = round(peer[what][key] / mine, 1)
        print(f"{what:<16} {mine:>10.3f} {peer[what][key]:>10.3f} {ratios[what]:>7.1f}x")
    nothing = found["nothing_new"]
    print(f"nothing new in {nothing['bundles']} bundles: {nothing['requests']} request, {nothing['request_ms']} ms")
    print(f"targets: 1 request of at most {REQUEST_MS:g} ms; a warm start of at most {WARM_MS:g} ms")
    result = {
        "benchmark": "bundles",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "target": {"requests": 1, "request_ms_at_most": REQUEST_MS, "start_median_ms_at_most": WARM_MS},
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "load_average": os.getloadavg(),
        },
        "ours": found,
        "git": peer,
        "times_faster": ratios,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
