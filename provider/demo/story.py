"""The demo from start to end: start everything, run two DAGs, count the rows, ask where a feature comes from."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import signal
import time
from typing import TYPE_CHECKING

from festaf.client import RegistryClient
from festaf.contract.http import API
from festaf.provider.demo.airflow_api import AirflowApi, DagRun
from festaf.provider.demo.cluster import Cluster, check_installed
from festaf.provider.demo.errors import DemoError, MissingToolError, RunError
from festaf.provider.demo.figures import Figures, Served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.contract.feature import Feature
    from festaf.provider.demo.display import Display
    from festaf.provider.demo.place import Place

FEATURES_DAG = "flights_features"
TRAINING_DAG = "flights_training"
PROJECT, FEATURE_SET, FEATURE = "nyc", "flight_delays", "carrier_delay_24h_min"
POOL, MACHINES = "machines", 2
"""The pool of the DAG ``teams_on_shared_machines``."""
MARK = "made-by-festaf-demo"
"""A file that says that the folder may be emptied."""
READ_SECONDS = 120.0
RUN_SECONDS = 900.0
ANSWER_SECONDS = 60.0
POLL_SECONDS = 1.0


def check_place(place: Place) -> None:
    """Make sure that the demo can start, before anything is started or removed.

    :raises DemoError: an extra, the DAGs or a free port is missing
    """
    check_installed()
    if not (place.dags / f"{FEATURES_DAG}.py").is_file():
        raise MissingToolError(
            f"There are no example DAGs in {place.dags}: run the demo in a checkout of festaf, or name them with --dags"
        )
    place.ports.check_free()


@contextlib.contextmanager
def fresh_folder(place: Place) -> Iterator[None]:
    """Empty the demo's folder and keep others out of it.

    :raises DemoError: another demo uses it, it holds what no demo has made, or it cannot be made
    """
    mark = place.folder / MARK
    try:
        if place.folder.exists() and not mark.exists() and any(place.folder.iterdir()):
            raise DemoError(f"{place.folder} holds other things than a demo's: name a new folder with --folder")
        place.folder.parent.mkdir(parents=True, exist_ok=True)
        place.folder.with_suffix(".lock").touch()
    except OSError as error:
        raise DemoError(
            f"The folder {place.folder} cannot be made: {error.strerror}; choose another with --folder"
        ) from error
    with place.folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoError(f"Another demo runs in {place.folder}: stop it, or choose another --folder") from None
        shutil.rmtree(place.folder, ignore_errors=True)
        place.folder.mkdir(parents=True)
        mark.touch()
        yield


class Story:
    """Runs the two DAGs on a started cluster and asks for the answer."""

    def __init__(self, cluster: Cluster, display: Display) -> None:
        self._cluster = cluster
        self._display = display
        self._airflow = AirflowApi(cluster.place.airflow_url)

    def run(self) -> tuple[Feature, list[Figures], Served]:
        """Run both DAGs, check the counts, and give the answer for one feature and how good the model is.

        :raises DemoError: a run failed, counts disagree, a process ended, or the registry does not know
        """
        features, training = self._run_dags()
        figures = self._figures(features, training)
        return self._answer(), figures, self._served(training)

    def addresses(self) -> list[tuple[str, str]]:
        """Name what a person may look at, with its address."""
        place = self._cluster.place
        return [
            ("the DAG in Airflow", f"{place.airflow_url}/dags/{FEATURES_DAG}"),
            ("the answer as JSON", f"{place.registry_url}{API}/features/{PROJECT}/{FEATURE_SET}/{FEATURE}"),
            ("all features", f"{place.registry_url}{API}/features"),
            ("the registry's API", f"{place.registry_url}/docs"),
            ("AWS, for boto3", f"{place.local_aws_url} (endpoint_url; any credentials)"),
            ("logs", str(place.folder / "logs")),
        ]

    def _run_dags(self) -> tuple[DagRun, DagRun]:
        self._airflow.log_in()
        self._airflow.make_pool(POOL, MACHINES)
        for dag_id in (FEATURES_DAG, TRAINING_DAG):
            self._airflow.wait_for_dag(dag_id, seconds=READ_SECONDS)
        run_id = self._airflow.start(FEATURES_DAG)
        for dag_id in (FEATURES_DAG, TRAINING_DAG):
            self._airflow.unpause(dag_id)
        self._display.say(f"Airflow runs {FEATURES_DAG} on all flights of 2013")
        features = self._follow(FEATURES_DAG, run_id)
        self._display.say(f"All three feature sets were written; that starts {TRAINING_DAG}")
        training = self._follow(TRAINING_DAG, None)
        return features, training

    def _figures(self, features: DagRun, training: DagRun) -> list[Figures]:
        counts = self._airflow.xcom(training, "count_rows")
        figures = [
            Figures.of(self._airflow.xcom(features, f"ingest_{name}"), seen) for name, seen in sorted(counts.items())
        ]
        for row in figures:
            row.check()
        return figures

    def _served(self, training: DagRun) -> Served:
        deployed, registered, judged = (self._airflow.xcom(training, task) for task in ("deploy", "register", "judge"))
        return Served.of(deployed, registered, judged)

    def _answer(self) -> Feature:
        deadline = time.monotonic() + ANSWER_SECONDS
        with RegistryClient(self._cluster.place.registry_url) as registry:
            while True:
                self._cluster.check()
                feature = registry.feature(PROJECT, FEATURE_SET, FEATURE)
                if feature and feature.run and feature.consumers:
                    return feature
                if time.monotonic() > deadline:
                    raise RunError(
                        f"The registry does not know the run that wrote {FEATURE_SET}/{FEATURE} after "
                        f"{ANSWER_SECONDS:.0f} s; look into the logs in {self._cluster.registry.log.parent}"
                    )
                time.sleep(POLL_SECONDS)

    def _follow(self, dag_id: str, run_id: str | None) -> DagRun:
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            self._cluster.check()
            run = self._airflow.run(dag_id, run_id) if run_id else self._airflow.latest_run(dag_id)
            if run is not None:
                self._display.progress(run)
                if run.finished:
                    self._airflow.check(run)
                    return run
            time.sleep(POLL_SECONDS)
        raise RunError(
            f"{dag_id} had not finished after {RUN_SECONDS:.0f} s; look at {self._cluster.place.airflow_url}"
        )


@contextlib.contextmanager
def stop_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the demo as Ctrl-C does; the first of them ends it, and none stops the stopping.

    A second Ctrl-C, or the second signal that ``make`` and ``timeout`` send, would otherwise leave processes behind.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, frame: object) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
