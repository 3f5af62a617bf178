"""A real Airflow, api-server and scheduler with its executor, that reports to a recording registry."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from festaf.client import Breaker, Spool
from festaf.provider.demo.airflow_api import AirflowApi
from festaf.provider.demo.place import Place, Ports
from festaf.provider.demo.process import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from festaf.provider.demo.airflow_api import DagRun

DAGS = Path(__file__).parent / "dags"
SECONDS = 240.0

T = TypeVar("T")


@dataclass(frozen=True)
class Airflow:
    """Its place and its API."""

    place: Place
    api: AirflowApi

    @property
    def spool(self) -> Spool:
        return Spool(self.place.folder / "spool")

    @property
    def breaker(self) -> Breaker:
        return Breaker(self.place.folder / "spool" / "breaker.json")

    @classmethod
    @contextmanager
    def started(cls, folder: Path, registry_port: int, dags: Path = DAGS, **settings: str) -> Iterator[Airflow]:
        """Start it, and stop it at the end of the block."""
        place = Place(folder, dags, replace(Ports.free(), registry=registry_port), settings=settings)
        airflow = [sys.executable, "-m", "airflow"]
        environment = place.airflow_environment()
        migration, parsing, server, scheduler = (
            Process(words, [*airflow, *words.split()], place.log(words.split()[0]), environment, health)
            for words, health in (
                ("db migrate", None),
                ("dags reserialize", None),
                ("api-server", f"{place.airflow_url}/api/v2/version"),
                ("scheduler", None),
            )
        )
        migration.start()
        migration.wait_done(seconds=SECONDS)
        with ExitStack() as stack:
            for process in (server, scheduler, parsing):
                stack.callback(process.stop, seconds=3)
                process.start()
            parsing.wait_done(seconds=SECONDS)
            server.wait_ready(seconds=SECONDS)
            api = AirflowApi(place.airflow_url)
            stack.callback(api._client.close)
            api.log_in()
            yield cls(place, api)

    def run(self, dag_id: str) -> DagRun:
        """Run a DAG to its end."""
        run_id = self.api.start(dag_id)
        assert run_id
        return until(lambda: self.api.run(dag_id, run_id), lambda run: run.finished)


def until(ask: Callable[[], T], good: Callable[[T], object], seconds: float = SECONDS) -> T:
    """Ask until the answer is good."""
    deadline = time.monotonic() + seconds
    while not good(answer := ask()):
        assert time.monotonic() < deadline, f"after {seconds} s the answer is still {answer}"
        time.sleep(0.1)
    return answer
