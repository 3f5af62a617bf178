"""A thread of a server that reads the deployments which are due; several servers share them by leases."""

from __future__ import annotations

import logging
from threading import Event, Lock, Thread

from sqlalchemy.exc import SQLAlchemyError

from festaf.registry_api.airflow.client import Pace
from festaf.registry_api.airflow.cycle import Cycle, deployment_of, now
from festaf.registry_api.airflow.errors import AirflowError, LostLeaseError
from festaf.registry_api.airflow.figures import Board
from festaf.registry_api.airflow.login import Login
from festaf.registry_api.airflow.repository import AirflowRepository
from festaf.registry_api.airflow.work import Deployment
from festaf.registry_api.database import Database

log = logging.getLogger(__name__)
LOOK_SECONDS = 2.0
STOP_SECONDS = 10.0


class Syncer:
    """Begins a cycle for each deployment that is due, each in a thread of its own."""

    def __init__(self, database: Database, board: Board | None = None, pace: Pace | None = None) -> None:
        self.database = database
        self.board = board or Board()
        self.pace = pace
        self._stopping = Event()
        self._running: dict[int, Thread] = {}
        self._logins: dict[int, Login] = {}
        self._said: dict[str, str] = {}
        self._lock = Lock()
        self._thread = Thread(target=self._run, name="festaf-airflow-sync", daemon=True)

    def start(self) -> None:
        """Begin to look for deployments that are due."""
        self._thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End between two requests; what was read is kept, what was not is read again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        with self._lock:
            running = list(self._running.values())
        for thread in running:
            thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._look()
            except SQLAlchemyError as error:
                log.warning("The deployments of Airflow cannot be read: %s", _cause(error))
            self._stopping.wait(LOOK_SECONDS)

    def _look(self) -> None:
        with self.database.reading() as session:
            due = [deployment_of(row) for row in AirflowRepository(session).due(now())]
        with self._lock:
            self._running = {key: thread for key, thread in self._running.items() if thread.is_alive()}
            for deployment in due:
                if deployment.pk not in self._running:
                    name = f"festaf-airflow-{deployment.name}"
                    thread = Thread(target=self._sync, args=[deployment], name=name, daemon=True)
                    self._running[deployment.pk] = thread
                    thread.start()

    def _sync(self, deployment: Deployment) -> None:
        figures = self.board.of(deployment.name)
        login = self._logins.setdefault(deployment.pk, Login())
        try:
            ended = Cycle(self.database, deployment, figures, self._stopping.wait, login, pace=self.pace).run()
        except LostLeaseError:
            return
        except SQLAlchemyError as error:
            figures.add("failed_cycles")
            log.warning("The sync of Airflow %s cannot note how it went: %s", deployment.name, _cause(error))
            return
        self._tell(deployment.name, ended)

    def _tell(self, name: str, ended: AirflowError | None) -> None:
        """Log a fault when it begins, changes and ends; not once per cycle."""
        said = "" if ended is None or self._stopping.is_set() else str(ended)
        if said != self._said.get(name, ""):
            log.warning("The sync of Airflow %s: %s", name, said or "all is well again")
            self._said[name] = said


def _cause(error: SQLAlchemyError) -> object:
    """Give what the database said, without the statement and what it was to store."""
    return getattr(error, "orig", None) or error
