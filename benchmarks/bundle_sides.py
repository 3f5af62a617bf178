"""The two kinds of bundles that ``benchmarks.bundles`` measures: of a registry's packages, and of Git repositories."""

from __future__ import annotations

import os
import re
import subprocess
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
from tests.sharing.packages import DAG, FILES, archive

from festaf.client.dag_packages import DagPackageClient
from festaf.contract.dag_inspection import DagInspection, InspectedTask
from festaf.provider.bundles import news
from festaf.provider.bundles.registry import RegistryDagBundle
from festaf.provider.dag_packages import settings
from festaf.provider.dag_packages.importing.choice import Reference
from festaf.provider.dag_packages.importing.importer import Importer, Wish
from festaf.provider.dag_packages.importing.lock import Lock, editing
from festaf.provider.dag_packages.importing.target import InstalledTarget
from festaf.sharing.archive import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from airflow.dag_processing.bundles.base import BaseDagBundle
    from tests.served_registry import ServedRegistry

NAMESPACE = "bench"
NEW = 10
AT_ONCE = 4
STARTS = 40
COLD = 5
"""Of each round."""


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
        """Publish a version of each, some at the same time: it is not what is measured."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(lambda name: self._publish(name, version), names):
                pass

    def _publish(self, name: str, version: str) -> None:
        dag_id = name.replace("-", "_")
        inspected = DagInspection(
            dag_id=dag_id,
            file="sales.py",
            schedule="@daily",
            tasks=(InspectedTask(task_id="total", operator="_PythonDecoratedOperator"),),
        )
        code = DAG.replace(b"def sales()", f"def {dag_id}()".encode()).replace(b"\nsales()", f"\n{dag_id}()".encode())
        files = {**FILES, "sales.py": code, "version.txt": version.encode()}
        data = archive(files, namespace=NAMESPACE, name=name, version=version, dags=(inspected,))
        self.client.stage(NAMESPACE, name, version, data, allow_look_alike=True)
        self.client.publish(NAMESPACE, name, version, digest_of(data))

    def lock(self, names: Sequence[str]) -> None:
        """Import the newest version of each, and write the lock file once."""
        importer = Importer(self.client, self.lock_path, FreeTarget())
        with ThreadPoolExecutor(AT_ONCE) as pool:
            plans = pool.map(lambda name: importer.plan(Reference(NAMESPACE, name), Wish({})), names)
            planned = [plan.package for plan in plans]
        with editing(self.lock_path) as edit:
            known = {found.package: found for found in (*edit.lock.packages, *planned)}
            edit.write(Lock(packages=tuple(known[name] for name in sorted(known))))


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


class Side(ABC):
    """One of the two kinds of bundles."""

    bundles: Sequence[BaseDagBundle]

    @abstractmethod
    def renew(self, number: int) -> None:
        """Give the first ten something new, and to the others nothing."""

    @abstractmethod
    def make(self, name: str) -> BaseDagBundle:
        """Make the first bundle anew, pinned to the version in use, with the copies of a name."""

    @abstractmethod
    def forget(self) -> None:
        """Forget what a new process would not know."""

    def nothing_new(self) -> dict[str, float]:
        """Refresh all."""
        milliseconds = timed(lambda: [bundle.refresh() for bundle in self.bundles])
        return {"total_ms": milliseconds, "per_bundle_ms": milliseconds / len(self.bundles)}

    def ten_new(self) -> dict[str, float]:
        """Refresh all, of which the first ten have something new; those are timed on their own as well."""
        before = [_text(bundle.get_current_version()) for bundle in self.bundles]
        new = timed(lambda: [bundle.refresh() for bundle in self.bundles[:NEW]])
        rest = timed(lambda: [bundle.refresh() for bundle in self.bundles[NEW:]])
        changed = sum(
            was != _text(bundle.get_current_version()) for was, bundle in zip(before, self.bundles, strict=True)
        )
        assert changed == NEW, f"{changed} have something new"
        return {"total_ms": new + rest, "per_new_ms": new / NEW}

    def warm(self) -> list[float]:
        """Initialise a bundle whose copy is on the disk, each time as a new object."""
        found = []
        for _ in range(STARTS):
            self.forget()
            found.append(timed(self.make(self.bundles[0].name).initialize))
        return found

    def cold(self, turn: int) -> list[float]:
        """Initialise a bundle that has no copy yet."""
        found = []
        for number in range(COLD):
            self.forget()
            found.append(timed(self.make(f"cold-{turn}-{number}").initialize))
        return found


class Ours(Side):
    """Bundles of a registry's packages."""

    def __init__(self, registry: ServedRegistry, client: DagPackageClient, folder: Path, count: int) -> None:
        self.registry = registry
        self.packages = Packages(client, folder, count)
        os.environ["AIRFLOW__FESTAF__LOCK_FILE"] = str(self.packages.lock_path)
        self.publish_ms = timed(lambda: self.packages.publish(self.packages.names, "1.0.0"))
        self.packages.lock(self.packages.names)
        self.bundles = [
            RegistryDagBundle(name=f"{NAMESPACE}-{name}", package=f"{NAMESPACE}/{name}") for name in self.packages.names
        ]

    def renew(self, number: int) -> None:
        """Publish and lock a new version of each."""
        new = self.packages.names[:NEW]
        self.packages.publish(new, f"1.{number + 1}.0")
        self.packages.lock(new)

    def make(self, name: str) -> BaseDagBundle:
        """Make one with the version that a worker gets."""
        version = _text(self.bundles[0].get_current_version())
        return RegistryDagBundle(name=name, package=self.bundles[0].package, version=version)  # type: ignore[attr-defined]

    def forget(self) -> None:
        """Forget the lock file, which is kept for the life of a process."""
        settings._read.cache_clear()

    def nothing_new(self) -> dict[str, float]:
        """Refresh all as a process whose last look is long ago, and count what is asked."""
        return self._asking(super().nothing_new)

    def ten_new(self) -> dict[str, float]:
        """Refresh all as a process whose last look is long ago, and count what is asked."""
        return self._asking(super().ten_new)

    def _asking(self, refresh: Callable[[], dict[str, float]]) -> dict[str, float]:
        for board in news._boards.values():
            board._asked = None
        served, seconds = self._served()
        with Requests() as requests:
            found = refresh()
        served_after, seconds_after = self._served()
        return {
            **found,
            "requests": len(requests.times),
            "changes_requests": served_after - served,
            "changes_client_ms": requests.times[0],
            "changes_server_ms": (seconds_after - seconds) * 1000,
        }

    def _served(self) -> tuple[int, float]:
        """Give how often the registry was asked for changes, and the seconds that it took for it."""
        text = httpx.get(f"{self.registry.url}/metrics", trust_env=False).text
        line = r'^festaf_\w*request_seconds_{}\{{(?=[^}}]*GET)[^}}]*/dag-packages/changes"[^}}]*\}} (\S+)$'
        count, seconds = (re.search(line.format(what), text, re.MULTILINE) for what in ("count", "sum"))
        return (int(float(count[1])), float(seconds[1])) if count and seconds else (0, 0.0)


class Git(Side):
    """Bundles of local repositories, by Airflow's own provider."""

    def __init__(self, folder: Path, count: int) -> None:
        from airflow.providers.git.bundles.git import GitDagBundle

        # Without a connection the peer looks for one and logs a traceback, which is no part of its work.
        os.environ["AIRFLOW_CONN_GIT_DEFAULT"] = "git://"
        folder.mkdir()
        self.kind = GitDagBundle
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self.origins = list(pool.map(_repository, [folder / f"origin-{number}" for number in range(count)]))
        self.bundles = [
            GitDagBundle(name=f"git-{number}", tracking_ref="main", repo_url=str(origin))
            for number, origin in enumerate(self.origins)
        ]

    def renew(self, number: int) -> None:
        """Push a new commit to each."""
        for origin in self.origins[:NEW]:
            _commit(origin.with_suffix(".work"), f"1.{number + 1}.0")

    def forget(self) -> None:
        """Leave all as it is: the bundle keeps nothing in memory from one object to the next."""

    def make(self, name: str) -> BaseDagBundle:
        """Make one with the version that a worker gets."""
        version = _text(self.bundles[0].get_current_version())
        made: BaseDagBundle = self.kind(name=name, tracking_ref="main", repo_url=str(self.origins[0]), version=version)
        return made


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


def timed(work: Callable[[], object]) -> float:
    """Give the milliseconds that it takes."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
