"""The local AWS as a process: everything put together, and uvicorn around it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from typing import TYPE_CHECKING, Any

import uvicorn

from festaf.local_aws.athena import AthenaService
from festaf.local_aws.clock import Clock
from festaf.local_aws.cloud import Cloud
from festaf.local_aws.connections import Connections
from festaf.local_aws.control import Control
from festaf.local_aws.endpoints.hosting import Hosting
from festaf.local_aws.faults import Faults
from festaf.local_aws.feature_groups.repository import FeatureGroups
from festaf.local_aws.feature_groups.service import FeatureGroupService
from festaf.local_aws.gateway import Gateway
from festaf.local_aws.jobs.services import JobServices
from festaf.local_aws.lineage.graph_service import GraphService
from festaf.local_aws.lineage.service import EntityService
from festaf.local_aws.model_packages.groups import ModelPackageGroupService
from festaf.local_aws.model_packages.service import ModelPackageService
from festaf.local_aws.monitoring.definitions import JobDefinitionService
from festaf.local_aws.monitoring.service import MonitoringService
from festaf.local_aws.offline_store import OfflineStore
from festaf.local_aws.records.desk import OfflineDesk
from festaf.local_aws.records.online import OnlineTables
from festaf.local_aws.records.service import RecordService
from festaf.local_aws.resources.repository import Resources
from festaf.local_aws.resources.tags import TagService
from festaf.local_aws.search.records import Records
from festaf.local_aws.search.service import SearchService
from festaf.local_aws.settings import CurrentSettings, Settings
from festaf.local_aws.state.journal import Journal, KeptJournal, NoJournal
from festaf.local_aws.state.kept import KeptStore
from festaf.local_aws.state.store import Kept, NoStore, Store
from festaf.local_aws.written_files import WrittenFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
"""How often the offline store is looked after when nobody reads, in real time."""

_COLLECT = (100_000, 50, 100)

READERS = frozenset({None, "s3", "glue", "athena"})
"""Signing names of the services that show what the offline store wrote; None is an unsigned request, to S3."""


class LocalAws:
    """All of the local AWS but the socket."""

    def __init__(self, settings: Settings, state: Path | None = None) -> None:
        self.clock = Clock()
        self.settings = CurrentSettings(settings)
        self.faults = Faults()
        self.journal, self.store = _keepers(state)
        self.cloud = Cloud()
        self.written = WrittenFiles()
        self.connections = Connections()
        self.online = OnlineTables()
        self.groups = FeatureGroups(self.clock, self.store, self.faults)
        self.groups.gone.append(self.online.drop)
        self.offline = OfflineStore(self.cloud, self.clock, written=self.written)
        self.desk = OfflineDesk(self.groups, self.offline, self.settings, self.faults, self.store, self.journal)
        self.control = Control(self.clock, self.settings, self.faults, self._reset, self._advanced, self._operations)
        self.gateway = Gateway(self.control, self.connections, self.cloud.wsgi)
        self.gateway.before_reading = self._before_reading
        self.records = RecordService(self.groups, self.online, self.desk, self.store)
        self.resources = Resources(self.clock, self.store, self.settings, self.faults)
        self.athena = AthenaService(self.cloud, self.clock, self.resources, self.written)
        self.jobs = JobServices(self.cloud, self.resources, self.settings, self.faults)
        self.hosting = Hosting(self.resources, self.settings, self.faults, self.cloud, self.clock)
        self.jobs.monitor.before_reading = lambda: self.hosting.before_reading("s3")
        self._ahead = 0.0
        self._mount()
        self._take(self.store.load(self.journal.replay(self.cloud)))

    def close(self) -> None:
        """End the queries, jobs and models, and close the files of the state directory."""
        self.athena.close()
        self.jobs.close()
        self.hosting.close()
        self.journal.close()
        self.store.close()

    def _mount(self) -> None:
        groups = FeatureGroupService(
            self.groups, self.settings, self.faults, self.offline.resolve, self.desk.trouble, self.online.size
        )
        self.gateway.mount(groups)
        self.gateway.mount(self.records, inline=True)
        self.gateway.mount(self.athena)
        self.gateway.mount(ModelPackageGroupService(self.resources, self.settings, self.faults))
        self.gateway.mount(ModelPackageService(self.resources, self.settings, self.faults, self.cloud))
        for service in self.jobs.services:
            self.gateway.mount(service)
        self.hosting.mount(self.gateway)
        self.gateway.mount(EntityService(self.resources, self.settings))
        self.gateway.mount(GraphService(self.resources, self.settings, self.cloud))
        records = Records(self.groups, self.resources, lambda name: self.gateway.handler("sagemaker", name))
        self.gateway.mount(SearchService(records, self.gateway.model("sagemaker")))
        self.gateway.mount(JobDefinitionService(self.resources))
        self.gateway.mount(MonitoringService(self.resources, self.settings, self.faults, self.jobs.monitor))
        self.gateway.mount(TagService(self.groups, self.resources))

    def _take(self, kept: Kept) -> None:
        self._ahead = kept.ahead
        self.clock.advance(kept.ahead)
        self.groups.load(kept.groups)
        self.resources.load(kept.resources)
        self.athena.load()
        self.jobs.recover()
        for group, identifier, record in kept.records:
            self.records.load(group, identifier, record)
        for group, rows in kept.waiting:
            self.desk.take(group, rows)

    def _operations(self) -> dict[str, list[str]]:
        return self.gateway.operations()

    def _advanced(self, seconds: float) -> None:
        self._ahead += seconds
        self.store.save_ahead(self._ahead)

    async def tick(self) -> None:
        """Look after the offline store and the endpoints until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for what, work in (
                ("offline store", self.work),
                ("endpoints", self.hosting.work),
                ("monitoring schedules", self.jobs.monitor.work),
            ):
                try:
                    await asyncio.to_thread(work)
                except Exception:
                    # The ticker must outlive a failure, or nothing would ever reach the files again.
                    log.exception("The work of the %s failed; it is tried again", what)

    def work(self) -> None:
        """Do everything that is due by the clock."""
        self.records.sweep()
        self.desk.work()

    def _before_reading(self, service: str | None) -> None:
        if service in READERS:
            self.work()
        self.hosting.before_reading(service)

    async def _reset(self) -> None:
        await asyncio.to_thread(self._forget_at_rest)
        self.gateway.reset()

    def _forget_at_rest(self) -> None:
        with self.jobs.monitor.resting():
            self._forget()

    def _forget(self) -> None:
        self.athena.reset()
        self.jobs.reset()
        self.groups.clear()
        self.resources.clear()
        self.hosting.reset()
        self.records.reset()
        self.desk.reset()
        self.store.clear()
        self.journal.clear()
        self.cloud.reset()
        # Last: what was forgotten had its times by the old clock, and nothing may see them by the new one.
        self.clock.reset()
        self._ahead = 0.0
        self.store.save_ahead(0.0)


def _keepers(state: Path | None) -> tuple[Journal, Store]:
    """Give what keeps moto's changes and ours.

    :raises StateError: the directory cannot be used
    """
    return (NoJournal(), NoStore()) if state is None else (KeptJournal(state), KeptStore(state))


class _Server(uvicorn.Server):
    """Says when it accepts requests, and looks after the offline store while it does."""

    def __init__(self, config: uvicorn.Config, aws: LocalAws, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._aws = aws
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ticker = asyncio.create_task(self._aws.tick())
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ticker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._ticker
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """Take a port; 0 takes a free one.

    :raises OSError: the port is taken, or the host is none of this machine's
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    listening.set_inheritable(True)
    return listening


def serve(listening: socket.socket, aws: LocalAws, ready: Callable[[], None]) -> None:
    """Answer requests until SIGTERM or SIGINT.

    :param ready: called once requests are accepted
    """
    config = uvicorn.Config(
        aws.gateway,
        http=aws.connections.protocol(),
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
        backlog=2048,
    )
    # Records live long and are many; the collector's usual pace would walk them all over and over.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    # uvicorn raises the signal again after it has shut down; by then it has done its work.
    before = {number: signal.signal(number, _ignore) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        _Server(config, aws, ready).run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        listening.close()
        aws.close()


def _ignore(*_: Any) -> None:
    """Let the end of a clean shutdown be an ordinary one."""
