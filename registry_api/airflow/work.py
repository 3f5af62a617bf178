"""What the parts of one cycle share: whom they ask, and how what they learned is written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy.orm import Session

from festaf.contract.openlineage import DatasetEvent, JobEvent, RunEvent
from festaf.registry_api.access.audit_repository import Actor, note, write_notes
from festaf.registry_api.airflow.answers import Answer
from festaf.registry_api.airflow.client import AirflowClient
from festaf.registry_api.airflow.errors import AirflowError, UnexpectedError
from festaf.registry_api.airflow.figures import Figures
from festaf.registry_api.airflow.lease import Lease
from festaf.registry_api.airflow.login import Access
from festaf.registry_api.airflow.repository import ReadingRepository
from festaf.registry_api.database import Database
from festaf.registry_api.errors import BadRequestError
from festaf.registry_api.lineage.body import parse_json
from festaf.registry_api.lineage.service import LineageService

log = logging.getLogger(__name__)
Event = RunEvent | JobEvent | DatasetEvent
Known = TypeVar("Known", bound=Answer)
BATCH = 200


@dataclass(frozen=True)
class Deployment:
    """One Airflow to be read."""

    pk: int
    name: str
    namespace: str
    access: Access
    poll_seconds: int


class BusyDatabaseError(AirflowError):
    """The registry's own database could not take the events now."""


class Work:
    """One cycle's means.

    :param say: is told, in one line each, what was done; for a person who watches
    """

    def __init__(
        self,
        database: Database,
        deployment: Deployment,
        client: AirflowClient,
        lease: Lease,
        figures: Figures,
        clock: Callable[[], datetime],
        say: Callable[[str], None],
    ) -> None:
        self.database = database
        self.deployment = deployment
        self.client = client
        self.lease = lease
        self.figures = figures
        self.clock = clock
        self.say = say

    @property
    def namespace(self) -> str:
        """Give the namespace under which the deployment reports."""
        return self.deployment.namespace

    def commit(
        self, events: Sequence[Event], progress: Callable[[Session, ReadingRepository], None] = lambda *_: None
    ) -> None:
        """Take events and note how far was read, in one transaction: neither stands without the other.

        :raises LostLeaseError: another server reads the deployment now
        :raises BusyDatabaseError: the database could not take all of them now
        """
        values = [value for event in events if (value := self._storable(event)) is not None]
        with self.database.writing() as session:
            self.lease.require(session)
            intake = LineageService(session, self.clock())
            refusals = [
                refusal
                for start in range(0, len(values), BATCH)
                for refusal in intake.take_batch(values[start : start + BATCH])
            ]
            if any(refusal.retriable for refusal in refusals):
                raise BusyDatabaseError("the registry's database could not take the events now")
            progress(session, ReadingRepository(session, self.deployment.pk))
            if intake.kept:
                counts = {"received": len(values), "new": len(intake.kept), "refused": len(refusals)}
                note(session, "events.take", intake.kept_ids, counts=counts)
                write_notes(session, Actor(self.deployment.name, "sync"), self.clock())
        for refusal in refusals:
            log.warning("An event read from Airflow %s is no fact: %s", self.deployment.name, refusal.reason)
        self.figures.add("events_refused", len(refusals))
        self.figures.add("events_taken", len(values) - len(refusals))

    def _storable(self, event: Event) -> Any:
        """Give the event as JSON that both databases keep; None for one that holds what they do not."""
        try:
            return parse_json(event.model_dump_json(by_alias=True, exclude_none=True).encode())
        except (BadRequestError, ValueError) as error:
            log.warning("An event read from Airflow %s is left out: %s", self.deployment.name, error)
            self.figures.add("events_refused")
            return None

    def read(self, model: type[Known], value: Any) -> Known | None:
        """Read one item of a list; None, counted, for one that is not understood."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            log.warning("An answer of Airflow %s is passed over: %s", self.deployment.name, _first(error))
            self.figures.add("answers_unreadable")
            return None

    def one(self, model: type[Known], path: str, **query: Any) -> Known:
        """Ask for one thing.

        :raises UnexpectedError: the answer is not understood
        """
        found = self.read(model, self.client.get(path, **query))
        if found is None:
            raise UnexpectedError(f"Airflow's answer to {path} is not understood")
        return found

    def page(self, path: str, key: str, **query: Any) -> tuple[list[Any], int]:
        """Ask for a page; give its raw items and how many there are in all.

        :raises UnexpectedError: the answer is no page
        """
        answer = self.client.get(path, **query)
        items = answer.get(key) if isinstance(answer, dict) else None
        total = answer.get("total_entries") if isinstance(answer, dict) else None
        if not isinstance(items, list):
            raise UnexpectedError(f"Airflow's answer to {path} has no {key!r}")
        return items, total if isinstance(total, int) else len(items)

    def every(self, model: type[Known], path: str, key: str, **query: Any) -> list[Known]:
        """Ask for a whole list, page by page."""
        found: list[Known] = []
        offset = 0
        while True:
            items, total = self.page(path, key, limit=self.client.pace.page, offset=offset, **query)
            found += [item for value in items if (item := self.read(model, value))]
            offset += len(items)
            if not items or offset >= total:
                return found


def _first(error: ValidationError) -> str:
    item = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
