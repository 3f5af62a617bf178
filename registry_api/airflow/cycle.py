"""One cycle of one deployment: everything that is due, then what came of it in the deployment's row."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from festaf.registry_api.airflow.asset_events import AssetEventReader
from festaf.registry_api.airflow.client import AirflowClient, Pace
from festaf.registry_api.airflow.dags import DagReader
from festaf.registry_api.airflow.details import Details
from festaf.registry_api.airflow.errors import (
    AirflowAwayError,
    AirflowError,
    LostLeaseError,
    SpentError,
    StoppedError,
    UnforeseenError,
)
from festaf.registry_api.airflow.figures import Figures
from festaf.registry_api.airflow.lease import Lease
from festaf.registry_api.airflow.login import Access, Login
from festaf.registry_api.airflow.repository import AirflowRepository
from festaf.registry_api.airflow.runs import RunReader
from festaf.registry_api.airflow.tables import AirflowTable
from festaf.registry_api.airflow.work import Deployment, Work
from festaf.registry_api.database import Database

log = logging.getLogger(__name__)
LONGEST_REST = timedelta(minutes=15)
DAGS_EVERY = timedelta(minutes=1)


def now() -> datetime:
    """Give the time."""
    return datetime.now(UTC)


class Cycle:
    """Reads one deployment once. Nothing escapes but the loss of the database.

    :param wait: waits this many seconds; true when the sync is to stop
    :param login: what the deployment's earlier cycles left, and the next will find
    """

    def __init__(
        self,
        database: Database,
        deployment: Deployment,
        figures: Figures,
        wait: Callable[[float], bool],
        login: Login | None = None,
        *,
        pace: Pace | None = None,
        clock: Callable[[], datetime] = now,
        say: Callable[[str], None] = lambda _: None,
        since: datetime | None = None,
    ) -> None:
        self.database = database
        self.deployment = deployment
        self.figures = figures
        self.wait = wait
        self.login = login
        self.pace = pace or Pace()
        self.clock = clock
        self.say = say
        self.since = since

    def run(self) -> AirflowError | None:
        """Run; give what ended it early, None when everything was read.

        :raises LostLeaseError: another server reads the deployment now
        """
        lease = Lease(self.database, self.deployment.pk, self.clock)
        if not lease.take():
            raise LostLeaseError(f"another server reads {self.deployment.name!r} now")
        try:
            ended = self._read(lease)
            if not isinstance(ended, LostLeaseError):
                self._note(ended)
            return ended
        finally:
            lease.give_back()

    def _read(self, lease: Lease) -> AirflowError | None:
        self.figures.add("cycles")
        client = AirflowClient(self.deployment.access, self.pace, self.figures, self.wait, lease.keep, self.login)
        with client:
            work = Work(self.database, self.deployment, client, lease, self.figures, self.clock, self.say)
            details = Details(work)
            try:
                if self._dags_due():
                    DagReader(work, details).read()
                AssetEventReader(work, details, self.since).read()
                RunReader(work, details).read()
            except AirflowError as error:
                return error
            except (OperationalError, InterfaceError, PoolTimeoutError) as error:
                said = getattr(error, "orig", None) or error
                log.warning("The sync of %s waits for the registry's database: %s", self.deployment.name, said)
                return AirflowError("the registry's own database did not answer")
            except Exception as error:
                # A cycle's border: what one Airflow answers must keep no other from being read, and the cycle that
                # failed must be seen, counted, and followed by a rest.
                log.exception("The sync of Airflow %s failed", self.deployment.name)
                return UnforeseenError(f"the sync failed ({type(error).__name__}); the registry's log says at what")
        return None

    def _dags_due(self) -> bool:
        with self.database.reading() as session:
            row = AirflowRepository(session).get(self.deployment.pk)
            return row is None or row.dags_read_at is None or self.clock() - row.dags_read_at >= DAGS_EVERY

    def _note(self, ended: AirflowError | None) -> None:
        """Write how it went, and when the next cycle may begin."""
        moment = self.clock()
        unfinished = isinstance(ended, (SpentError, StoppedError))
        with self.database.writing() as session:
            row = AirflowRepository(session).get(self.deployment.pk)
            if row is None:
                return
            row.behind = ended is not None
            if ended is None or unfinished:
                row.failures, row.last_success_at = 0, moment
                row.last_error = None if ended is None else row.last_error
                row.next_at = moment if unfinished else moment + timedelta(seconds=row.poll_seconds)
            else:
                self.figures.add("failed_cycles")
                row.failures += 1
                row.last_error, row.last_error_at = str(ended), moment
                row.next_at = moment + _rest(row, ended)
            row.counts = {**row.counts, **_added(row.counts, self.figures)}


def _rest(row: AirflowTable, ended: AirflowError) -> timedelta:
    """Say how long to leave an Airflow alone that failed: longer each time, and never shorter than it asks."""
    rest = min(timedelta(seconds=row.poll_seconds * 2.0 ** min(row.failures, 10)), LONGEST_REST)
    rest *= 0.75 + random.random() / 4
    asked = ended.retry_after if isinstance(ended, AirflowAwayError) else None
    return max(rest, timedelta(seconds=min(asked or 0.0, 24 * 3600)))


def _added(counts: dict[str, int], figures: Figures) -> dict[str, int]:
    return {name: counts.get(name, 0) + count for name, count in figures.take().items()}


def deployment_of(row: AirflowTable) -> Deployment:
    """Read a deployment's row."""
    access = Access(row.base_url, row.username, row.secret)
    return Deployment(row.id, row.name, row.namespace, access, row.poll_seconds)
