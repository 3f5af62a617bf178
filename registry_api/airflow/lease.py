"""One server at a time reads a deployment: a lease in its row, lengthened while it is used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy.orm import Session

from festaf.registry_api.airflow.errors import LostLeaseError
from festaf.registry_api.airflow.repository import AirflowRepository
from festaf.registry_api.changes import name_subjects
from festaf.registry_api.database import Database

SECONDS = 90.0
"""How long a server that died keeps others off; longer than any clocks of servers differ."""


class Lease:
    """A lease on one deployment. What it protects is written in transactions that call ``require``."""

    def __init__(self, database: Database, airflow_pk: int, clock: Callable[[], datetime]) -> None:
        self.database = database
        self.airflow_pk = airflow_pk
        self.clock = clock
        self.holder = uuid4()
        self._renewed_at: datetime | None = None

    def take(self) -> bool:
        """Take it; false when another server holds it."""
        now = self.clock()
        with self.database.writing() as session:
            name_subjects(session)
            until = now + timedelta(seconds=SECONDS)
            taken = AirflowRepository(session).take_lease(self.airflow_pk, self.holder, now, until)
        self._renewed_at = now if taken else None
        return taken

    def keep(self) -> None:
        """Lengthen it when a third of it is gone.

        :raises LostLeaseError: another server took it meanwhile
        """
        if self._renewed_at is not None and (self.clock() - self._renewed_at).total_seconds() < SECONDS / 3:
            return
        if not self.take():
            raise LostLeaseError("another server reads this deployment now")

    def require(self, session: Session) -> None:
        """Let a transaction commit only while the lease is held.

        :raises LostLeaseError: another server took it
        """
        if not AirflowRepository(session).holds_lease(self.airflow_pk, self.holder):
            raise LostLeaseError("another server reads this deployment now")

    def give_back(self) -> None:
        """Let others have it."""
        with self.database.writing() as session:
            name_subjects(session)
            AirflowRepository(session).give_lease_back(self.airflow_pk, self.holder)
