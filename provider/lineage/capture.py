"""What the listener does with an event: keep it in the spool, then try to hand it over."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from festaf.client.breaker import Breaker
from festaf.client.delivery import Delivery
from festaf.client.errors import SpoolError
from festaf.client.spool import Spool
from festaf.provider.lineage.settings import LineageSettings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from festaf.client.delivery import Parcel
    from festaf.client.sender import Sender
    from festaf.contract.openlineage import RunEvent
    from festaf.provider.lineage.settings import Endpoint
    from festaf.provider.lineage.task_event import Ended

log = logging.getLogger(__name__)


class Capture:
    """One process's way from a task or DAG run to the registry."""

    def __init__(self, settings: LineageSettings) -> None:
        self.settings = settings
        self.spool = Spool(settings.spool_folder, max_events=settings.spool_events, max_bytes=settings.spool_bytes)
        self.breaker = Breaker(settings.spool_folder / "breaker.json")
        self.delivery = Delivery(self.spool, self.breaker, self._connect, deadline=settings.delivery_timeout)

    @classmethod
    def configured(cls) -> Capture:
        """Read the configuration and stand ready."""
        return cls(load_settings())

    def task_ended(self, task_instance: Any, ended: Ended) -> None:
        """Keep what a task's own process knows of the try that ended, and try to hand it over."""
        from festaf.provider.lineage.task_event import TaskCapture

        task = TaskCapture(task_instance, self.settings)
        events = [event for event in (task.trigger_event(), task.task_event(ended)) if event]
        kept = self.keep(events)
        if not kept or self.breaker.state == "open":
            return
        # Found here and not beside the task: the answer comes over the task's own connection to Airflow.
        _ = self._endpoint
        outcome = self.delivery.offer(kept)
        if outcome.fault:
            log.warning("The lineage of this task waits in %s: %s", self.spool.folder, outcome.fault)

    def keep(self, events: Iterable[RunEvent], *, durable: bool = True) -> list[Parcel]:
        """Put events into the spool; one that it does not take can still be sent at once, or is logged and lost.

        Lost to push only: what a task attached to its asset events stands in Airflow's own database.
        """
        parcels: list[Parcel] = []
        for event in events:
            body = event.model_dump_json(by_alias=True, exclude_none=True).encode()
            try:
                parcels.append(self.spool.append(body, durable=durable))
            except SpoolError as error:
                log.error("The lineage event of %s is lost unless it can be sent now: %s", event.job.name, error)
                parcels.append(body)
        return parcels

    def _connect(self, timeout: float) -> Sender:
        from festaf.client.sender import Sender

        return Sender(self._endpoint.url, self._endpoint.token, timeout, retry=False)

    @cached_property
    def _endpoint(self) -> Endpoint:
        return self.settings.endpoint()
