"""Everything about endpoints as the server holds it: the services, and what goes on between requests."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from festaf.local_aws.endpoints.alarms import Alarms
from festaf.local_aws.endpoints.asynchronous import AsyncQueue
from festaf.local_aws.endpoints.capture import DataCapture
from festaf.local_aws.endpoints.conductor import ENDPOINT, Conductor
from festaf.local_aws.endpoints.configs import EndpointConfigService
from festaf.local_aws.endpoints.invoking import Invoker
from festaf.local_aws.endpoints.metrics import InvocationMetrics
from festaf.local_aws.endpoints.runtime import RuntimeService
from festaf.local_aws.endpoints.service import EndpointService
from festaf.local_aws.models import ModelService

if TYPE_CHECKING:
    from festaf.local_aws.clock import Clock
    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.faults import Faults
    from festaf.local_aws.gateway import Gateway
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.settings import CurrentSettings

log = logging.getLogger(__name__)

METRICS_SECONDS = 1.0
"""How often metrics are put and alarms evaluated when nobody reads them, in real time."""
_INVOCATIONS = 64
"""How many invocations may wait for their models at once."""


class Hosting:
    """Models, endpoint configurations, endpoints and their runtime."""

    def __init__(
        self, resources: Resources, settings: CurrentSettings, faults: Faults, cloud: Cloud, clock: Clock
    ) -> None:
        self._resources = resources
        self._settings = settings
        self._faults = faults
        self._cloud = cloud
        self._clock = clock
        self._alarms = Alarms(cloud)
        self._conductor = Conductor(resources, settings, faults, cloud, self._alarms)
        self._metrics = InvocationMetrics(cloud, clock)
        self._capture = DataCapture(cloud, clock)
        self._invoker = Invoker(resources, faults, self._conductor, self._metrics, self._capture)
        self._queue = AsyncQueue(cloud, clock, self._invoker)
        self._pool = ThreadPoolExecutor(_INVOCATIONS, thread_name_prefix="invocation")
        self._measured = 0.0

    def mount(self, gateway: Gateway) -> None:
        """Take the operations away from moto."""
        gateway.mount(ModelService(self._resources, self._cloud))
        gateway.mount(EndpointConfigService(self._resources))
        gateway.mount(EndpointService(self._resources, self._settings, self._faults, self._conductor))
        gateway.mount(RuntimeService(self._invoker, self._queue), pool=self._pool)

    def work(self) -> None:
        """Do what is due."""
        self._conductor.work()
        self._capture.flush(all_of_it=False)
        if time.monotonic() - self._measured >= METRICS_SECONDS:
            self.measure()

    def before_reading(self, service: str | None) -> None:
        """Let whoever reads S3 or CloudWatch see what was captured and measured so far."""
        if service in (None, "s3"):
            self._capture.flush()
        elif service == "monitoring":
            self.measure()

    def measure(self) -> None:
        """Put the metrics to CloudWatch, and evaluate the alarms of the regions that have endpoints."""
        self._measured = time.monotonic()
        self._metrics.flush()
        for region in {one.region for one in self._resources.all(ENDPOINT)}:
            self._alarms.evaluate(region, self._clock.now())

    def reset(self) -> None:
        """End every process and forget what waits; the resources are forgotten by others."""
        self._queue.forget()
        self._conductor.stop()
        self._capture.forget()
        self._metrics.forget()

    def close(self) -> None:
        """End every process, and write what waits."""
        self._queue.close()
        self._conductor.stop(close=True)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._metrics.flush()
        self._capture.flush()
